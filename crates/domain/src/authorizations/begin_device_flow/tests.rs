use chrono::TimeDelta;

use super::*;
use crate::MockUnitOfWork;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, caller, found_in_turn, offering, opened,
    provider, row, unavailable,
};
use crate::providers::{AuthorizeDevices, MockAuthorizeDevices, MockProviderClient, ProviderConnection};
use crate::sealing::SealedSecret;

/// A provider whose device flow is switched on.
fn at() -> Provider {
    Provider { device_flow: true, ..provider() }
}

fn answer() -> DeviceAuthorization {
    let page = Url::parse("https://provider.example/device").unwrap();
    DeviceAuthorization {
        device_code: Secret::new("device code".to_owned()),
        user_code: "WDJB-MJHT".to_owned(),
        verification_uri_complete: Some(page.join("?user_code=WDJB-MJHT").unwrap()),
        verification_uri: page,
        expires_in: Duration::from_secs(900),
        interval: Duration::from_secs(5),
    }
}

/// A provider with this device flow, or none.
fn having(device: Option<Arc<dyn AuthorizeDevices>>) -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_device().returning(move |_| device.clone());
    client
}

fn answering(
    answer: impl Fn() -> Result<DeviceAuthorization, UpstreamError> + Send + 'static,
) -> MockProviderClient {
    let mut device = MockAuthorizeDevices::new();
    device
        .expect_begin_device()
        .withf(|connection, scopes| {
            connection.client_secret.expose() == "client secret" && *scopes == provider().scopes
        })
        .times(1)
        .returning(move |_, _| answer());
    having(Some(Arc::new(device)))
}

/// The provider may not be asked.
fn silent() -> MockProviderClient {
    let mut device = MockAuthorizeDevices::new();
    device.expect_begin_device().never();
    having(Some(Arc::new(device)))
}

fn beginning(
    at: Option<Provider>,
    client: MockProviderClient,
    store: Arc<MockUnitOfWork>,
) -> BeginDeviceFlow {
    BeginDeviceFlow {
        catalog: found_in_turn([at]),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
        settings: TokenSettings::default(),
    }
}

async fn run(beginning: &BeginDeviceFlow) -> Result<BegunDeviceFlow, BeginDeviceFlowError> {
    beginning.run(&caller(), provider().id).await
}

/// Why it was not begun.
async fn refused(beginning: &BeginDeviceFlow) -> BeginDeviceFlowError {
    run(beginning).await.err().expect("it is not begun")
}

#[tokio::test(start_paused = true)]
async fn a_device_flow_is_stored_with_its_code_sealed_and_its_handle_hashed() {
    let commits = Commits::default();
    let begun = run(&beginning(Some(at()), answering(|| Ok(answer())), commits.store())).await.ok().unwrap();
    assert_eq!(begun.user_code, "WDJB-MJHT");
    assert_eq!(begun.verification_uri, answer().verification_uri);
    assert_eq!(begun.verification_uri_complete, answer().verification_uri_complete);
    assert_eq!((begun.expires_in, begun.interval), (answer().expires_in, answer().interval));
    let flow = row!(commits.last(), Insert(DeviceFlow));
    assert_eq!(flow.handle_hash, SecretHash::of(begun.handle.expose()));
    let place = DeviceFlow::device_code_place(caller().organization_id, flow.id);
    assert_eq!(opened(place, &flow.device_code).as_deref(), Some("device code"));
    assert_eq!((flow.account_id, flow.provider_id), (caller().account_id, provider().id));
    assert_eq!((flow.scopes, flow.endpoints), (provider().scopes, provider().endpoints.digest()));
    assert_eq!((flow.interval, flow.next_poll_at), (TimeDelta::seconds(5), START + TimeDelta::seconds(5)));
    assert_eq!((flow.stage, flow.expires_at), (DeviceStage::Pending, START + TimeDelta::minutes(15)));
    assert_eq!(commits.last_audited(), [(AuditAction::FlowStarted, AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn the_handle_is_random_and_never_the_device_code() {
    let (commits, device_code) = (Commits::default(), Secret::new("device code".to_owned()));
    let mut handles = Vec::new();
    let random = CountingRandom::shared();
    for _ in 0..2 {
        let beginning = BeginDeviceFlow {
            random: random.clone(),
            ..beginning(Some(at()), answering(|| Ok(answer())), commits.store())
        };
        handles.push(run(&beginning).await.ok().unwrap().handle);
    }
    assert!(handles.iter().all(|handle| handle.expose() != device_code.expose()));
    assert!(handles.iter().all(|handle| handle.expose().len() == 43), "256 bits");
    assert_ne!(handles[0].expose(), handles[1].expose(), "the provider's codes were the same");
}

#[tokio::test(start_paused = true)]
async fn codes_live_for_an_hour_at_most() {
    let long = || DeviceAuthorization { expires_in: Duration::from_secs(u64::MAX), ..answer() };
    let commits = Commits::default();
    let begun = run(&beginning(Some(at()), answering(move || Ok(long())), commits.store())).await;
    assert_eq!(begun.ok().unwrap().expires_in, Duration::from_secs(3600));
    assert_eq!(row!(commits.last(), Insert(DeviceFlow)).expires_at, START + LONGEST_DEVICE_FLOW);
}

#[tokio::test(start_paused = true)]
async fn an_interval_is_five_minutes_at_most_for_the_caller_and_for_us() {
    let slow = || DeviceAuthorization { interval: Duration::from_secs(u64::MAX), ..answer() };
    let commits = Commits::default();
    let begun = run(&beginning(Some(at()), answering(move || Ok(slow())), commits.store())).await;
    assert_eq!(begun.ok().unwrap().interval, Duration::from_secs(300));
    let flow = row!(commits.last(), Insert(DeviceFlow));
    let longest = TimeDelta::minutes(5);
    assert_eq!((flow.interval, flow.next_poll_at), (longest, START + longest));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_callers_do_not_see_is_not_asked() {
    let deleting = Provider { status: ProviderStatus::Deleting, ..at() };
    for hidden in [None, Some(deleting)] {
        let commits = Commits::default();
        let error = refused(&beginning(hidden, silent(), commits.store())).await;
        assert!(matches!(error, BeginDeviceFlowError::ProviderNotFound), "{error}");
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_active_is_not_asked() {
    for status in [ProviderStatus::Inactive, ProviderStatus::Disabled, ProviderStatus::DeletionFailed] {
        let commits = Commits::default();
        let error = refused(&beginning(Some(Provider { status, ..at() }), silent(), commits.store())).await;
        assert!(matches!(error, BeginDeviceFlowError::NotActive), "{error}");
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_without_a_device_flow_and_one_that_is_switched_off_offer_none() {
    let off = Provider { device_flow: false, ..at() };
    for (at, client) in [(at(), having(None)), (off, silent())] {
        let commits = Commits::default();
        let error = refused(&beginning(Some(at), client, commits.store())).await;
        assert!(matches!(error, BeginDeviceFlowError::NotOffered), "{error}");
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_our_client_is_disabled() {
    let commits = Commits::default();
    let invalid = || Err(UpstreamError::ClientRefused { code: "invalid_client".to_owned() });
    let error = refused(&beginning(Some(at()), answering(invalid), commits.store())).await;
    assert!(matches!(error, BeginDeviceFlowError::Unavailable { reason } if reason == "invalid_client"));
    assert_eq!(row!(commits.last(), Update(Provider)).status, ProviderStatus::Disabled);
    let reason = Some("invalid_client".to_owned());
    assert_eq!(
        commits.last_audited(),
        [
            (AuditAction::FlowStarted, AuditOutcome::Failed, reason),
            (AuditAction::ProviderDisabled, AuditOutcome::Done, None),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_that_were_replaced_meanwhile_are_not_blamed() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    let invalid = || Err(UpstreamError::ClientRefused { code: "invalid_client".to_owned() });
    let error = refused(&beginning(Some(at()), answering(invalid), store)).await;
    assert!(matches!(error, BeginDeviceFlowError::Unavailable { .. }));
    assert_eq!((commits.count(), commits.last().len()), (2, 1), "the provider's new state stays");
    let reason = Some("invalid_client".to_owned());
    let told = [(AuditAction::FlowStarted, AuditOutcome::Failed, reason)];
    assert_eq!(commits.last_audited(), told, "and the refusal is on record");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_told_with_its_wait() {
    for wait in [Some(Duration::from_secs(90)), None] {
        let commits = Commits::default();
        let limited = move || Err(UpstreamError::RateLimited { retry_after: wait });
        let error = refused(&beginning(Some(at()), answering(limited), commits.store())).await;
        assert!(matches!(error, BeginDeviceFlowError::RateLimited { retry_after } if retry_after == wait));
        let reason = Some("rate_limited".to_owned());
        assert_eq!(commits.last_audited(), [(AuditAction::FlowStarted, AuditOutcome::Failed, reason)]);
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_refusal_is_told_by_its_code_and_disables_nothing() {
    let code = |code: &str| code.to_owned();
    for error in [
        UpstreamError::Misconfigured { code: code("unauthorized_client") },
        UpstreamError::GrantRefused { code: code("invalid_grant") },
        UpstreamError::InteractionRequired { code: code("login_required") },
        UpstreamError::TokenRefused,
        UpstreamError::Untrusted { reason: "verification_uri" },
        UpstreamError::Unavailable { reason: "connect", retry_after: None },
    ] {
        let commits = Commits::default();
        let expected = error.reason().to_owned();
        let answer = move || Err(error.clone());
        let told = refused(&beginning(Some(at()), answering(answer), commits.store())).await;
        assert!(matches!(told, BeginDeviceFlowError::Unavailable { reason } if reason == expected));
        assert_eq!(commits.last().len(), 1, "the audit entry alone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_says_it_has_none_offers_none() {
    let commits = Commits::default();
    let none = || Err(UpstreamError::NotSupported);
    let error = refused(&beginning(Some(at()), answering(none), commits.store())).await;
    assert!(matches!(error, BeginDeviceFlowError::NotOffered), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_client_secret_that_does_not_open_asks_nobody() {
    let broken = Provider { client_secret: SealedSecret::from_bytes(b"broken".to_vec()), ..at() };
    let commits = Commits::default();
    let error = refused(&beginning(Some(broken), silent(), commits.store())).await;
    assert!(matches!(error, BeginDeviceFlowError::Seal(SealError::Tampered)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn codes_that_cannot_be_kept_are_given_to_nobody() {
    let away = Commits::default().answering(|_| Err(unavailable().into()));
    let error = refused(&beginning(Some(at()), answering(|| Ok(answer())), away)).await;
    assert!(matches!(error, BeginDeviceFlowError::Store(StoreError::Unavailable(_))), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_has_the_callers_patience() {
    struct Hanging;

    #[async_trait::async_trait]
    impl AuthorizeDevices for Hanging {
        async fn begin_device(
            &self,
            _: &ProviderConnection,
            _: &crate::authorizations::Scopes,
        ) -> Result<DeviceAuthorization, UpstreamError> {
            std::future::pending().await
        }

        async fn poll_device(
            &self,
            _: &ProviderConnection,
            _: &Secret,
            _: &crate::authorizations::Scopes,
        ) -> Result<crate::providers::DeviceAnswer, UpstreamError> {
            std::future::pending().await
        }
    }

    let commits = Commits::default();
    let beginning = beginning(Some(at()), having(Some(Arc::new(Hanging))), commits.store());
    let error = refused(&beginning).await;
    assert!(matches!(error, BeginDeviceFlowError::Unavailable { reason } if reason == "timeout"));
    assert_eq!(beginning.clock.now(), START + TimeDelta::seconds(4));
}
