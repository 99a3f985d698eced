//! The end of a link.

use actix_web::http::StatusCode;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;
use serde_json::json;

use crate::service::Service;

impl Service {
    /// A service with a provider that the member has linked.
    async fn linked() -> Self {
        let service = Self::start().await;
        let provider = service.register_with("example", json!({})).await;
        service.authorize(&service.member, &provider).await;
        service
    }

    async fn unlinking(&self, token: &str, id: &str) -> String {
        self.external_auth_told(token, "DELETE", &format!("/{id}"), None).await
    }
}

#[actix_web::test]
async fn what_unlinking_is_answered() {
    let service = Service::linked().await;
    let told = [
        service.unlinking(&service.colleague, "example").await,
        service.unlinking(&service.stranger, "example").await,
        service.unlinking(&service.member, "unknown").await,
        service.unlinking(&service.member, "example").await,
        service.unlinking(&service.member, "example").await,
    ];
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(service.links().await, json!([]));
    let revoked = service.provider.read(|state| state.revoked.clone());
    assert_eq!(revoked, ["refresh-1", "access-1"]);
}

#[actix_web::test]
async fn what_could_not_be_revoked_at_once_is_told_and_tried_again() {
    let service = Service::linked().await;
    let error = UpstreamError::Unavailable { reason: "connection_failed", retry_after: None };
    service.provider.fail_next(Call::Revoke, error);
    let answer = service.external_auth(&service.member, "DELETE", "/example", None).await;
    let why = "The provider has not revoked the tokens so far (connection_failed)";
    assert_eq!(answer.json(), json!({ "token_revoked": false, "token_revocation_error": why }));
    assert_eq!(
        (answer.status, service.links().await),
        (StatusCode::OK, json!([])),
        "it is gone all the same"
    );
    service.clock.advance(std::time::Duration::from_secs(3600));
    service.run_workers().await;
    assert_eq!(service.provider.read(|state| state.revoked.len()), 2);
}

#[actix_web::test]
async fn a_provider_that_cannot_revoke_is_no_error() {
    let service = Service::linked().await;
    service.provider.change(|state| state.can_revoke = false);
    let answer = service.external_auth(&service.member, "DELETE", "/example", None).await;
    assert_eq!(answer.json(), json!({ "token_revoked": false, "token_revocation_error": "" }));
}

#[actix_web::test]
async fn all_accounts_at_the_provider_are_unlinked() {
    let service = Service::linked().await;
    let provider = service.get(&service.member, "/providers/").await.json()["data"][0]["id"].clone();
    service.provider.sign_in("2002");
    service.authorize(&service.member, provider.as_str().unwrap()).await;
    let answer = service.external_auth(&service.member, "DELETE", "/example", None).await;
    assert_eq!(answer.json()["token_revoked"], true, "{answer:?}");
    let left = service.get(&service.member, "/authorizedProviders/").await.json();
    assert_eq!(left["data"], json!([]));
    assert_eq!(service.provider.read(|state| state.access_tokens.len()), 0);
}
