//! The device flow over the `external_auth` API: every outcome.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::{Call, Decision};
use serde_json::{Value, json};
use url::Url;

use crate::described::check_body;
use crate::service::{Answer, EXTERNAL_AUTH, Service, new_provider};

impl Service {
    /// Registers a provider with a device flow, under the slug `example`.
    pub(crate) async fn register_with_device_flow(&self) -> String {
        let endpoint = Url::parse("https://issuer.example/device").unwrap();
        self.provider.change(|state| state.endpoints.device_authorization = Some(endpoint));
        let mut new = new_provider();
        new["deviceFlow"] = json!(true);
        self.call(&self.admin, "POST", "/providers/", Some(new)).await.text("id")
    }

    /// Calls the `external_auth` API with a token and maybe a JSON body.
    pub(crate) async fn external_auth(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let path = format!("{EXTERNAL_AUTH}{path}");
        let mut request = TestRequest::default()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(&path)
            .insert_header(("Coder-Session-Token", token));
        if let Some(body) = &body {
            request = request.set_json(body);
        }
        let answer = self.send(request).await;
        if let Some(body) = body {
            check_body(method, &path, &body, answer.status);
        }
        answer
    }

    /// Begins a device flow at the provider `example`; returns the code to poll with.
    pub(crate) async fn begin_device_flow(&self, token: &str) -> String {
        self.external_auth(token, "GET", "/example/device", None).await.text("device_code")
    }

    pub(crate) async fn poll_device_flow(&self, token: &str, code: &str) -> Answer {
        let body = json!({ "device_code": code });
        self.external_auth(token, "POST", "/example/device", Some(body)).await
    }

    /// What an answer of the `external_auth` API is like, for a snapshot.
    pub(crate) async fn external_auth_told(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> String {
        let sent = body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
        let answer = self.external_auth(token, method, path, body).await;
        format!("{method} {path}{sent}\n{}\n", answer.render())
    }
}

fn rate_limited(retry_after: Option<Duration>) -> UpstreamError {
    UpstreamError::RateLimited { retry_after }
}

#[actix_web::test]
async fn beginning() {
    let service = Service::start().await;
    let id = service.register_with_device_flow().await;
    let (member, admin) = (&service.member, &service.admin);
    let begin = |token, path| service.external_auth_told(token, "GET", path, None);
    let path = format!("/{id}/device");
    let mut told = vec![
        begin(member, "/example/device").await,
        begin(member, &path).await,
        begin(&service.stranger, &path).await,
        begin("gk_wrong", &path).await,
        begin(member, "/unknown/device").await,
        service.external_auth_told(member, "PUT", "/example/device", None).await,
        begin(member, "/example/unknown").await,
    ];
    for error in [
        rate_limited(Some(Duration::from_millis(90_500))),
        rate_limited(None),
        UpstreamError::Unavailable { reason: "timeout", retry_after: None },
        UpstreamError::ClientRefused { code: "invalid_client".to_owned() },
    ] {
        service.provider.fail_next(Call::BeginDevice, error);
        told.push(begin(member, "/example/device").await);
    }
    told.push(begin(member, "/example/device").await);
    let provider = format!("/providers/{id}/");
    let switched_off = json!({ "status": "active", "deviceFlow": false });
    service.call(admin, "PATCH", &provider, Some(switched_off)).await;
    told.push(begin(member, "/example/device").await);
    service.call(admin, "DELETE", &provider, None).await;
    told.push(begin(member, "/example/device").await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn polling() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    let code = service.begin_device_flow(&service.member).await;
    let poll = async |token: &str, code: &str| {
        let body = json!({ "device_code": code });
        let told = service.external_auth_told(token, "POST", "/example/device", Some(body)).await;
        service.clock.advance(Duration::from_secs(10));
        told
    };
    let mut told = vec![
        poll(&service.member, &code).await,
        poll(&service.member, &code).await,
        poll(&service.member, "unknown").await,
        poll(&service.colleague, &code).await,
        poll(&service.stranger, &code).await,
    ];
    service.provider.fail_next(Call::PollDevice, rate_limited(None));
    told.push(poll(&service.member, &code).await);
    service.provider.decide("USER-1", Decision::Approved("1001".to_owned()));
    told.push(poll(&service.member, &code).await);
    told.push(poll(&service.member, &code).await);
    for (user_code, decision) in [("USER-2", Decision::Denied), ("USER-3", Decision::Expired)] {
        let code = service.begin_device_flow(&service.member).await;
        service.provider.decide(user_code, decision);
        service.clock.advance(Duration::from_secs(5));
        told.push(poll(&service.member, &code).await);
    }
    insta::assert_snapshot!(told.join("\n"));
    let linked = service.get(&service.member, "/authorizedProviders/").await.json();
    assert_eq!(linked["data"].as_array().map(Vec::len), Some(1), "{linked}");
}

#[actix_web::test]
async fn polls_that_are_not_valid() {
    let service = Service::start().await;
    let id = service.register_with_device_flow().await;
    let code = service.begin_device_flow(&service.member).await;
    let told = async |payload: &str| {
        let request = TestRequest::post().uri("/api/v2/external-auth/example/device");
        let request = request.insert_header(("Coder-Session-Token", service.member.as_str()));
        let answer = service.send(request.set_payload(payload.to_owned())).await;
        format!("{:.60}\n{}\n", payload, answer.render())
    };
    let huge = format!("{{\"device_code\":\"{}\"}}", "x".repeat(256 * 1024));
    let mut all = Vec::new();
    for payload in [
        "",
        "{\"device_code\":",
        "[]",
        "{}",
        "{\"device_code\":\"\"}",
        "{\"device_code\":1}",
        "{\"device_code\":\"unknown\",\"surprise\":1}",
        &huge,
    ] {
        all.push(told(payload).await);
    }
    let provider = format!("/providers/{id}/");
    for (change, device_code) in [
        (json!({ "status": "inactive" }), code.as_str()),
        (json!({ "status": "active", "deviceFlow": false }), "unknown"),
    ] {
        service.call(&service.admin, "PATCH", &provider, Some(change)).await;
        service.clock.advance(Duration::from_secs(5));
        let payload = json!({ "device_code": device_code }).to_string();
        all.push(told(&payload).await.replace(&code, "…"));
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[actix_web::test]
async fn the_providers_own_device_code_stays_with_us() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    let begun = service.external_auth(&service.member, "GET", "/example/device", None).await;
    let own = service.provider.read(|state| state.devices[0].device_code.clone());
    let polled = service.poll_device_flow(&service.member, &begun.text("device_code")).await;
    for answer in [begun, polled, service.poll_device_flow(&service.member, &own).await] {
        assert!(!answer.body.contains(&own), "{answer:?}");
    }
    assert_eq!(service.poll_device_flow(&service.member, &own).await.text("detail"), "expired_token");
}
