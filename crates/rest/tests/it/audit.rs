//! Every mutation and every hand-out leaves its audit entries: who, what, which authorization, how it ended.

use grantkeeper_domain::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::{Call, Decision};
use serde_json::json;

use crate::service::Service;

impl Service {
    /// The audit entries that a call left, oldest first.
    async fn left_by<T>(&self, call: impl Future<Output = T>) -> (T, Vec<AuditEntry>) {
        let before = self.audit_log().await.len();
        let answer = call.await;
        let mut entries = self.audit_log().await;
        entries.truncate(entries.len() - before);
        entries.reverse();
        (answer, entries)
    }

    async fn audit_log(&self) -> Vec<AuditEntry> {
        // In virtual time all entries have one time, and only their ids tell them apart: time passes a bit.
        self.clock.advance(std::time::Duration::from_millis(10));
        let organization = self.ports.store.organization_named("Acme").await.unwrap().unwrap();
        self.ports.store.newest_entries(organization.id, 10_000).await.unwrap()
    }
}

fn actions(entries: &[AuditEntry]) -> Vec<AuditAction> {
    let mut actions: Vec<_> = entries.iter().map(|entry| entry.action).collect();
    actions.sort_unstable();
    actions
}

#[actix_web::test]
async fn every_call_that_changes_something_leaves_its_entries() {
    let service = Service::start().await;
    let (provider, left) = service.left_by(service.register()).await;
    assert_eq!(actions(&left), [AuditAction::ProviderRegistered]);
    assert!(matches!(left[0].actor, Actor::Account { .. }));
    assert!(left[0].request_id.is_some(), "{left:?}");
    assert_eq!(left[0].provider_id.unwrap().to_string(), provider);

    let path = format!("/providers/{provider}/");
    let (_, left) =
        service.left_by(service.call(&service.admin, "PATCH", &path, Some(json!({ "name": "x" })))).await;
    assert_eq!(actions(&left), [AuditAction::ProviderChanged]);

    let (state, left) = service.left_by(service.start_flow(&service.member, &provider)).await;
    assert_eq!(actions(&left), [AuditAction::FlowStarted]);

    let (completed, left) =
        service.left_by(service.callback(&service.member, &provider, "code", &state)).await;
    let authorization = completed.json()["authorizedProvider"]["id"].as_str().unwrap().to_owned();
    assert_eq!(actions(&left), [AuditAction::FlowFinished, AuditAction::AuthorizationGranted]);
    let user = completed.json()["authorizedProvider"]["userId"].as_str().unwrap().to_owned();
    for entry in &left {
        assert!(matches!(entry.actor, Actor::ServiceFor { account_id } if account_id.to_string() == user));
        assert_eq!(entry.authorization_id.unwrap().to_string(), authorization);
        assert!(entry.request_id.is_some());
    }

    let path = format!("/authorizedProviders/{authorization}/");
    let (_, left) = service.left_by(service.get(&service.member, &format!("{path}userinfo/"))).await;
    assert_eq!(actions(&left), [AuditAction::UserLookedUp]);

    let (_, left) = service.left_by(service.call(&service.member, "DELETE", &path, None)).await;
    assert_eq!(actions(&left), [AuditAction::AuthorizationDeleted]);
    let ((), left) = service.left_by(service.run_workers()).await;
    assert_eq!(actions(&left), [AuditAction::TokenRevoked]);

    let stats = service.call(&service.admin, "POST", "/jobs/", Some(json!({ "type": "STATS" })));
    assert_eq!(actions(&service.left_by(stats).await.1), [AuditAction::JobQueued]);
    let path = format!("/providers/{provider}/");
    let (_, left) = service.left_by(service.call(&service.admin, "DELETE", &path, None)).await;
    assert_eq!(actions(&left), [AuditAction::ProviderDeletionRequested, AuditAction::JobQueued]);
    let ((), left) = service.left_by(service.run_workers()).await;
    assert_eq!(
        actions(&left),
        [AuditAction::ProviderDeleted, AuditAction::JobFinished, AuditAction::JobFinished]
    );
}

#[actix_web::test]
async fn every_hand_out_and_every_refusal_of_one_is_written_down() {
    let service = Service::start().await;
    let provider = service.register().await;
    let authorization = service.authorize(&service.member, &provider).await;
    let path = format!("/authorizedProviders/{authorization}/token/");

    let (lent, left) = service.left_by(service.post(&service.member, &path)).await;
    assert_eq!(actions(&left), [AuditAction::TokenHandedOut]);
    let token = grantkeeper_domain::Secret::new(lent.text("accessToken"));
    assert_eq!(left[0].token, Some(token.fingerprint()));
    assert_eq!(left[0].outcome, AuditOutcome::Done);

    let (_, left) = service.left_by(service.post(&service.member, &format!("{path}?min_ttl=3600"))).await;
    assert_eq!(actions(&left), [AuditAction::TokenRefreshed, AuditAction::TokenHandedOut]);

    service.clock.advance(std::time::Duration::from_secs(3600));
    let error = UpstreamError::GrantRefused { code: "invalid_grant".to_owned() };
    service.provider.fail_next(Call::Refresh, error);
    let (_, left) = service.left_by(service.post(&service.member, &path)).await;
    assert_eq!(
        actions(&left),
        [AuditAction::AuthorizationExpired, AuditAction::TokenRefreshed, AuditAction::TokenHandedOut]
    );
    let refused = left.iter().find(|entry| entry.action == AuditAction::TokenHandedOut).unwrap();
    assert_eq!((refused.outcome, refused.reason.as_deref()), (AuditOutcome::Refused, Some("invalid_grant")));

    let (_, left) = service.left_by(service.post(&service.colleague, &path)).await;
    assert_eq!(left, [], "nothing about what is not the caller's");
}

#[actix_web::test]
async fn a_device_flow_leaves_the_entries_of_a_flow() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    let (code, left) = service.left_by(service.begin_device_flow(&service.member)).await;
    assert_eq!(actions(&left), [AuditAction::FlowStarted]);
    assert!(left[0].request_id.is_some(), "{left:?}");

    service.clock.advance(std::time::Duration::from_secs(5));
    let (_, left) = service.left_by(service.poll_device_flow(&service.member, &code)).await;
    assert_eq!(left, [], "nothing has happened");

    service.provider.decide("USER-1", Decision::Approved("1001".to_owned()));
    service.clock.advance(std::time::Duration::from_secs(5));
    let (_, left) = service.left_by(service.poll_device_flow(&service.member, &code)).await;
    assert_eq!(actions(&left), [AuditAction::FlowFinished, AuditAction::AuthorizationGranted]);
    assert!(left.iter().all(|entry| entry.request_id.is_some()), "{left:?}");
}
