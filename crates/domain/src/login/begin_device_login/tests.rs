use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::audit::{AuditAction, AuditOutcome};
use crate::authorizations::Scopes;
use crate::fixtures::{START, opened, organization, provider};
use crate::login::LoginStore as _;
use crate::login::fixtures::{Installation, bad_moment, failed};
use crate::providers::{ProviderCatalog as _, ProviderStatus, UpstreamError};

async fn refusal(at: &Installation) -> String {
    match at.cases.begin_device_login.run().await {
        Ok(_) => "begun".to_owned(),
        Err(error) => failed(&error),
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_gets_a_handle_in_the_place_of_the_device_code() {
    let at = Installation::new().await;
    let begun = at.cases.begin_device_login.run().await.ok().unwrap();
    assert_eq!(
        (begun.user_code.as_str(), begun.url.as_str()),
        ("WDJB-MJHT", "https://provider.example/device")
    );
    assert_eq!(begun.expires_at, START + TimeDelta::seconds(900));
    let hash = SecretHash::of(begun.handle.expose());
    let login = at.store.login_by_handle(&hash).await.unwrap().unwrap();
    let LoginRoute::Device(device) = &login.route else { panic!("a device waits") };
    let place = Login::device_code_place(login.organization_id, login.id);
    assert_eq!(opened(place, &device.device_code).as_deref(), Some("device code"));
    assert_eq!(device.pace.next_poll_at, START + TimeDelta::seconds(5));
    assert_eq!((login.scopes.clone(), login.expires_at), (Scopes::parse("openid"), begun.expires_at));
    let row = format!("{login:?}");
    assert!(!row.contains(begun.handle.expose()) && !row.contains("WDJB"), "{row}");
    assert!(at.has_audited_nothing().await, "anybody may begin, and the audit log is kept for good");
}

#[tokio::test(start_paused = true)]
async fn without_a_provider_for_it_nobody_signs_in_by_device() {
    let at = Installation::with(|login| login.device_provider = None).await;
    assert_eq!(refusal(&at).await, "not allowed: login_off");
}

#[tokio::test(start_paused = true)]
async fn a_provider_without_a_device_flow_begins_nothing() {
    let at = Installation::new().await;
    at.idp.script().has_no_devices = true;
    assert_eq!(refusal(&at).await, "not allowed: provider_not_available");
    for change in [
        |provider: &mut Provider| provider.device_flow = false,
        |provider: &mut Provider| provider.status = ProviderStatus::Inactive,
    ] {
        let at = Installation::new().await;
        let mut changed = at.store.provider(organization().id, provider().id).await.unwrap().unwrap();
        change(&mut changed);
        at.update(changed).await;
        assert_eq!(refusal(&at).await, "not allowed: provider_not_available");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_gives_no_codes_is_not_the_persons_fault() {
    for (error, reason) in [
        (bad_moment(), "connection_failed"),
        (UpstreamError::ClientRefused { code: "invalid_client".to_owned() }, "invalid_client"),
        (UpstreamError::GrantRefused { code: "invalid_scope".to_owned() }, "invalid_scope"),
    ] {
        let at = Installation::new().await;
        at.idp.script().begins_not = Some(error);
        assert_eq!(refusal(&at).await, format!("unavailable: {reason}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_our_client_is_disabled() {
    let at = Installation::new().await;
    let refused = UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
    at.idp.script().begins_not = Some(refused);
    assert_eq!(refusal(&at).await, "unavailable: invalid_client");
    let disabled = at.store.provider(organization().id, provider().id).await.unwrap().unwrap();
    assert_eq!(disabled.status, ProviderStatus::Disabled);
    assert_eq!(at.audited(AuditAction::ProviderDisabled).await, [(AuditOutcome::Done, None)]);
    assert_eq!(refusal(&at).await, "not allowed: provider_not_available", "nobody asks it again");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_no_fault_of_our_client_disables_nothing() {
    let at = Installation::new().await;
    at.idp.script().begins_not = Some(bad_moment());
    refusal(&at).await;
    let provider = at.store.provider(organization().id, provider().id).await.unwrap().unwrap();
    assert_eq!(provider.status, ProviderStatus::Active);
    assert!(at.has_audited_nothing().await, "anybody may begin, and the audit log is kept for good");
}

#[tokio::test(start_paused = true)]
async fn a_client_does_not_wait_for_a_slow_provider_for_long() {
    let at = Installation::new().await;
    at.idp.script().takes = Duration::from_secs(60);
    assert_eq!(refusal(&at).await, "unavailable: timeout");
    let waited = (at.clock.now() - START).to_std().unwrap();
    assert_eq!(waited, TokenSettings::default().caller_wait);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_begins_nothing() {
    let at = Installation::new().await;
    let known = &at.cases.begin_device_login;
    let beginning = BeginDeviceLogin {
        providers: Arc::clone(&known.providers),
        clients: Arc::clone(&known.clients),
        sealer: Arc::clone(&known.sealer),
        store: at.store_away_at(&[0]),
        clock: Arc::clone(&known.clock),
        random: Arc::clone(&known.random),
        settings: known.settings,
    };
    assert!(matches!(beginning.run().await, Err(LoginError::Store(_))));
}

#[tokio::test(start_paused = true)]
async fn the_codes_live_an_hour_at_most_whatever_the_provider_says() {
    for (said, lives) in [(Duration::MAX, 3600), (Duration::from_secs(60), 60)] {
        let at = Installation::new().await;
        at.idp.script().codes_live = Some(said);
        let begun = at.cases.begin_device_login.run().await.ok().unwrap();
        assert_eq!(begun.expires_at, START + TimeDelta::seconds(lives));
    }
}
