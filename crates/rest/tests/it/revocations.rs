//! What became of the tokens of deleted authorizations.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_domain::revocations::REVOCATION_PERIOD;
use grantkeeper_domain::services::Clock as _;
use grantkeeper_testkit::scripted_provider::Call;

use crate::service::{BASE, PUBLIC_URL, Service};

impl Service {
    /// Deletes an authorization; returns the path of the receipt below the base path.
    async fn delete_authorization(&self, token: &str, id: &str) -> String {
        let deleted = self.call(token, "DELETE", &format!("/authorizedProviders/{id}/"), None).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
        let path = deleted.header(LOCATION).strip_prefix(&format!("{PUBLIC_URL}{BASE}"));
        path.expect("an absolute URL of this API").to_owned()
    }
}

#[actix_web::test]
async fn receipts() {
    let service = Service::start().await;
    let provider = service.register().await;
    let id = service.authorize(&service.member, &provider).await;
    let receipt = service.delete_authorization(&service.member, &id).await;
    let mut told = vec![service.told(&service.member, "GET", &receipt, None).await];
    service.run_workers().await;
    for token in [&service.member, &service.admin, &service.colleague, &service.stranger] {
        told.push(service.told(token, "GET", &receipt, None).await);
        told.push(service.told(token, "GET", "/revocations/", None).await);
    }
    for query in [
        format!("authorizationId={id}&providerId={provider}&status=revoked"),
        format!("authorizationId={provider}"),
        format!("providerId={id}"),
        "status=pending".to_owned(),
        "providerId=nobodys".to_owned(),
        "status=not_supported".to_owned(),
        "status=failed&status=pending".to_owned(),
        "providerId=nobodys&status=gone".to_owned(),
        format!("authorizationId={}", "x".repeat(129)),
    ] {
        told.push(service.told(&service.member, "GET", &format!("/revocations?{query}"), None).await);
    }
    told.push(service.told(&service.member, "GET", "/revocations/unknown", None).await);
    told.push(service.told(&service.member, "DELETE", &receipt, None).await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn whoever_has_to_act_themselves_is_told_where() {
    let service = Service::start().await;
    let settings = "https://issuer.example/settings".parse().unwrap();
    service.provider.change(|state| state.endpoints.settings_url = Some(settings));
    let provider = service.register().await;
    let mut told = Vec::new();

    service.provider.change(|state| state.can_revoke = false);
    let id = service.authorize(&service.member, &provider).await;
    let receipt = service.delete_authorization(&service.member, &id).await;
    service.run_workers().await;
    told.push(service.told(&service.member, "GET", &receipt, None).await);
    service.provider.change(|state| state.can_revoke = true);

    let down = UpstreamError::Unavailable { reason: "connection", retry_after: None };
    service.provider.fail(Call::Revoke, down);
    let id = service.authorize(&service.member, &provider).await;
    let receipt = service.delete_authorization(&service.member, &id).await;
    service.run_workers().await;
    told.push(service.told(&service.member, "GET", &receipt, None).await);
    service.clock.advance_to(service.clock.now() + REVOCATION_PERIOD);
    service.run_workers().await;
    told.push(service.told(&service.member, "GET", &receipt, None).await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn a_grant_that_a_colleague_shares_is_not_ended_before_theirs() {
    let service = Service::start().await;
    let provider = service.register().await;
    let mine = service.authorize(&service.member, &provider).await;
    let theirs = service.authorize(&service.colleague, &provider).await;

    let receipt = service.delete_authorization(&service.member, &mine).await;
    service.run_workers().await;
    let answer = service.get(&service.member, &receipt).await;
    assert_eq!(
        (answer.text("status"), answer.text("reason")),
        ("notSupported".into(), "shared_grant".into())
    );
    assert_eq!(answer.json().get("settingsUrl"), None);
    assert_eq!(service.provider.calls(Call::Revoke), 0);
    let token = service.post(&service.colleague, &format!("/authorizedProviders/{theirs}/token/")).await;
    assert_eq!(token.status, StatusCode::CREATED);

    let receipt = service.delete_authorization(&service.colleague, &theirs).await;
    service.run_workers().await;
    assert_eq!(service.get(&service.colleague, &receipt).await.text("status"), "revoked");
}
