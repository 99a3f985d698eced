use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Notify;

use super::*;
use crate::MockUnitOfWork;
use crate::accounts::Standing;
use crate::audit::{AuditAction, AuditOutcome};
use crate::authorizations::{EXCHANGE_LIMIT, MockDeviceFlowStore, Scopes};
use crate::fixtures::{
    Commits, LabelSealer, START, VirtualClock, authorization, caller, device_flow, found_in_turn, identity,
    keeping_grants, known_as, new_tokens, offering, opened, provider, row, standing, unavailable,
};
use crate::providers::{
    DeviceAuthorization, Identity, MockAuthorizeDevices, MockIdentifyUser, MockProviderClient,
    ProviderConnection,
};
use crate::sealing::MockTokenSealer;

/// A device flow whose interval is over.
fn due() -> DeviceFlow {
    DeviceFlow { next_poll_at: START, ..device_flow() }
}

/// A store with this device flow, which is found like that by each later look in turn; the last one stays.
fn holding(
    flow: &DeviceFlow,
    later: impl IntoIterator<Item = Option<DeviceFlow>>,
) -> Arc<MockDeviceFlowStore> {
    let found = flow.clone();
    let later = Mutex::new(later.into_iter().collect::<VecDeque<_>>());
    let mut flows = MockDeviceFlowStore::new();
    flows
        .expect_device_flow_by_handle()
        .withf(|at, handle, account| {
            (*at, handle, *account) == (provider().id, &SecretHash::of("handle"), caller().account_id)
        })
        .returning(move |_, _, _| Ok(Some(found.clone())));
    flows.expect_device_flow().returning(move |_| {
        let mut later = later.lock().unwrap();
        Ok(if later.len() > 1 { later.pop_front().flatten() } else { later[0].clone() })
    });
    Arc::new(flows)
}

/// As the row stands while we ask.
fn claimed(flow: DeviceFlow) -> DeviceFlow {
    let version = flow.version.next();
    DeviceFlow { version, ..flow.polling(Poller::Caller, START) }
}

fn with_device(device: Arc<dyn AuthorizeDevices>) -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_device().returning(move |_| Some(Arc::clone(&device)));
    client.expect_identify().returning(|_| {
        let mut identify = MockIdentifyUser::new();
        identify.expect_identify_user().returning(|_, _, _| Ok(identity()));
        Arc::new(identify)
    });
    client
}

type Answer = Result<DeviceAnswer, UpstreamError>;

/// A provider that is asked once, with the device code, and answers like this.
fn answering(answer: impl Fn() -> Answer + Send + 'static) -> MockProviderClient {
    let mut device = MockAuthorizeDevices::new();
    device
        .expect_poll_device()
        .withf(|connection, device_code, scopes| {
            connection.client_secret.expose() == "client secret"
                && device_code.expose() == "device code"
                && *scopes == provider().scopes
        })
        .times(1)
        .returning(move |_, _, _| answer());
    with_device(Arc::new(device))
}

/// A provider that is asked once, and gives tokens.
fn granting() -> MockProviderClient {
    answering(|| Ok(tokens()))
}

/// The provider may not be asked.
fn silent() -> MockProviderClient {
    let mut device = MockAuthorizeDevices::new();
    device.expect_poll_device().never();
    with_device(Arc::new(device))
}

fn tokens() -> DeviceAnswer {
    DeviceAnswer::Granted(Box::new(new_tokens()))
}

fn polling(flow: &DeviceFlow, client: MockProviderClient, store: Arc<MockUnitOfWork>) -> PollDeviceFlow {
    polling_at([Some(provider())], flow, client, store)
}

/// The provider is found like this by each read in turn; the last one stays.
fn polling_at(
    rows: impl IntoIterator<Item = Option<Provider>>,
    flow: &DeviceFlow,
    client: MockProviderClient,
    store: Arc<MockUnitOfWork>,
) -> PollDeviceFlow {
    let (clock, catalog) = (VirtualClock::start(), found_in_turn(rows));
    PollDeviceFlow {
        catalog: catalog.clone(),
        flows: holding(flow, [Some(claimed(flow.clone()))]),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        store: store.clone(),
        grants: Arc::new(keeping_grants(catalog, store, &clock)),
        tasks: BackgroundTasks::on_current_runtime(),
        clock,
        settings: TokenSettings::default(),
    }
}

async fn run(polling: &PollDeviceFlow) -> Result<DeviceFlowStatus, PollDeviceFlowError> {
    polling.run(&caller(), provider().id, &Secret::new("handle".to_owned())).await
}

fn denied(reason: &str) -> DeviceFlowStatus {
    DeviceFlowStatus::Denied { reason: reason.to_owned() }
}

fn seconds(seconds: i64) -> TimeDelta {
    TimeDelta::seconds(seconds)
}

/// How the device flow stands after the last commit.
fn stored(commits: &Commits) -> DeviceFlow {
    *row!(commits.last(), Update(DeviceFlow))
}

/// How the device flow ended in the last commit.
fn stored_outcome(commits: &Commits) -> FlowOutcome {
    match stored(commits).stage {
        DeviceStage::Finished { outcome, .. } => outcome,
        stage => panic!("the device flow is over: {stage:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_handle_and_one_of_somebody_else_are_expired_where_there_is_a_device_flow_at_all() {
    for (device_flow, expected) in [(true, Some(DeviceFlowStatus::Expired)), (false, None)] {
        let polling = unknown_handle_at(Provider { device_flow, ..provider() });
        match run(&polling).await {
            Ok(status) => assert_eq!(Some(status), expected),
            Err(error) => assert!(matches!((error, expected), (PollDeviceFlowError::NotOffered, None))),
        }
    }
}

/// Nobody may write.
fn unknown_handle_at(at: Provider) -> PollDeviceFlow {
    let mut flows = MockDeviceFlowStore::new();
    flows
        .expect_device_flow_by_handle()
        .withf(|at, handle, account| {
            (*at, handle, *account) == (provider().id, &SecretHash::of("handle"), caller().account_id)
        })
        .times(1)
        .returning(|_, _, _| Ok(None));
    let mut store = MockUnitOfWork::new();
    store.expect_commit().never();
    let polling = polling_at([Some(at)], &due(), silent(), Arc::new(store));
    PollDeviceFlow { flows: Arc::new(flows), ..polling }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_hardly_too_early_waits_for_its_time() {
    let flow = DeviceFlow { next_poll_at: START + TimeDelta::milliseconds(250), ..device_flow() };
    let commits = Commits::default();
    let polling = polling(&flow, answering(|| Ok(DeviceAnswer::Pending)), commits.store());
    assert_eq!(run(&polling).await.unwrap(), DeviceFlowStatus::Pending);
    assert_eq!(
        stored(&commits).next_poll_at,
        flow.next_poll_at + flow.interval,
        "it was asked when it was time"
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_callers_do_not_see_is_not_asked() {
    let deleting = Provider { status: ProviderStatus::Deleting, ..provider() };
    for hidden in [None, Some(deleting)] {
        let commits = Commits::default();
        let status = run(&polling_at([hidden], &due(), silent(), commits.store())).await;
        assert!(matches!(status, Err(PollDeviceFlowError::ProviderNotFound)), "{status:?}");
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_active_is_not_asked() {
    for status in [ProviderStatus::Inactive, ProviderStatus::Disabled, ProviderStatus::DeletionFailed] {
        let at = Provider { status, ..provider() };
        let commits = Commits::default();
        let status = run(&polling_at([Some(at)], &due(), silent(), commits.store())).await;
        assert!(matches!(status, Err(PollDeviceFlowError::NotActive)), "{status:?}");
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_has_no_device_flow_any_more_is_told() {
    let mut client = MockProviderClient::new();
    client.expect_device().returning(|_| None::<Arc<dyn AuthorizeDevices>>);
    let status = run(&polling(&due(), client, Commits::default().store())).await;
    assert!(matches!(status, Err(PollDeviceFlowError::NotOffered)), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_told_without_asking_the_provider() {
    let refused = |reason: &str| FlowOutcome::Refused(reason.to_owned());
    let over = |outcome| device_flow().finished(outcome, START);
    let id = authorization().id;
    let last_moment = START - EXCHANGE_LIMIT + TimeDelta::microseconds(1);
    let under_way = DeviceFlow { next_poll_at: START, ..device_flow().polling(Poller::Caller, last_moment) };
    for (name, flow, expected) in [
        ("granted", over(FlowOutcome::Authorized(id)), DeviceFlowStatus::Authorized(id)),
        ("denied", over(refused("access_denied")), denied("access_denied")),
        ("refused by a check", over(refused("subject_mismatch")), denied("subject_mismatch")),
        ("not available", over(FlowOutcome::Unavailable("connect".to_owned())), denied("connect")),
        ("expired there", over(refused("expired_token")), DeviceFlowStatus::Expired),
        ("expired here", DeviceFlow { expires_at: START, ..due() }, DeviceFlowStatus::Expired),
        (
            "granted and since expired",
            DeviceFlow { expires_at: START, ..over(FlowOutcome::Authorized(id)) },
            DeviceFlowStatus::Authorized(id),
        ),
        ("too early", device_flow(), DeviceFlowStatus::SlowDown),
        ("asked just now", device_flow().polling(Poller::Caller, START), DeviceFlowStatus::SlowDown),
        (
            "asked just now by the service",
            device_flow().polling(Poller::Service, START),
            DeviceFlowStatus::Pending,
        ),
        ("asked for long", under_way.clone(), DeviceFlowStatus::Pending),
        (
            "asked in time, and since expired",
            DeviceFlow { expires_at: START, ..under_way },
            DeviceFlowStatus::Pending,
        ),
    ] {
        let commits = Commits::default();
        assert_eq!(run(&polling(&flow, silent(), commits.store())).await.unwrap(), expected, "{name}");
        assert_eq!(commits.count(), 0, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn how_it_ended_is_told_at_a_provider_that_is_paused_too() {
    let paused = Provider { status: ProviderStatus::Inactive, ..provider() };
    let id = authorization().id;
    let over = device_flow().finished(FlowOutcome::Authorized(id), START);
    let status = run(&polling_at([Some(paused)], &over, silent(), Commits::default().store())).await;
    assert_eq!(status.unwrap(), DeviceFlowStatus::Authorized(id));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_died_with_its_process_is_taken_over() {
    let died =
        DeviceFlow { next_poll_at: START, ..device_flow().polling(Poller::Caller, START - EXCHANGE_LIMIT) };
    let commits = Commits::default();
    let status = run(&polling(&died, granting(), commits.store())).await;
    assert!(matches!(status.unwrap(), DeviceFlowStatus::Authorized(_)));
}

#[tokio::test(start_paused = true)]
async fn a_code_is_not_shown_to_endpoints_that_took_the_place_of_its_own() {
    let mut moved = provider();
    moved.endpoints.token = url::Url::parse("https://elsewhere.example/token").unwrap();
    let commits = Commits::default();
    let status = run(&polling_at([Some(moved)], &due(), silent(), commits.store())).await;
    assert_eq!((status.unwrap(), commits.count()), (DeviceFlowStatus::Expired, 0));
}

#[tokio::test(start_paused = true)]
async fn of_two_pollers_one_asks_and_the_other_is_too_fast() {
    let commits = Commits::default();
    let store = commits.answering(|_| Err(CommitError::Conflict));
    assert_eq!(run(&polling(&due(), silent(), store)).await.unwrap(), DeviceFlowStatus::SlowDown);
    assert_eq!((commits.count(), stored(&commits)), (1, due().polling(Poller::Caller, START)));
}

#[tokio::test(start_paused = true)]
async fn whoever_loses_against_the_service_is_not_too_fast() {
    let over = claimed(due()).finished(FlowOutcome::Authorized(authorization().id), START);
    for (now, expected) in [
        (Some(due().polling(Poller::Service, START)), DeviceFlowStatus::Pending),
        (Some(due().polling(Poller::Caller, START)), DeviceFlowStatus::SlowDown),
        (Some(over), DeviceFlowStatus::Authorized(authorization().id)),
        (None, DeviceFlowStatus::SlowDown),
    ] {
        let store = Commits::default().answering(|_| Err(CommitError::Conflict));
        let polling = PollDeviceFlow { flows: holding(&due(), [now]), ..polling(&due(), silent(), store) };
        assert_eq!(run(&polling).await.unwrap(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_whose_claim_cannot_be_stored() {
    let away = Commits::default().answering(|_| Err(unavailable().into()));
    let status = run(&polling(&due(), silent(), away)).await;
    assert!(matches!(status, Err(PollDeviceFlowError::Store(StoreError::Unavailable(_)))), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn the_claim_is_stored_before_the_provider_is_asked() {
    let commits = Commits::default();
    let so_far = commits.clone();
    let client = answering(move || {
        assert_eq!((so_far.count(), stored(&so_far)), (1, due().polling(Poller::Caller, START)));
        Ok(DeviceAnswer::Pending)
    });
    assert_eq!(run(&polling(&due(), client, commits.store())).await.unwrap(), DeviceFlowStatus::Pending);
    let pending = stored(&commits);
    assert_eq!((commits.count(), pending.stage), (2, DeviceStage::Pending));
    assert_eq!((pending.version, pending.next_poll_at), (due().version.next(), START + seconds(5)));
}

#[tokio::test(start_paused = true)]
async fn slow_down_is_pending_with_a_longer_interval() {
    let named = |seconds| Some(Duration::from_secs(seconds));
    for (interval, expected) in
        [(None, 10), (named(30), 30), (named(6), 10), (named(3600), 300), (Some(Duration::MAX), 300)]
    {
        let commits = Commits::default();
        let client = answering(move || Ok(DeviceAnswer::SlowDown { interval }));
        let status = run(&polling(&due(), client, commits.store())).await;
        assert_eq!(status.unwrap(), DeviceFlowStatus::Pending);
        let flow = stored(&commits);
        assert_eq!((flow.interval, flow.stage), (seconds(expected), DeviceStage::Pending), "{interval:?}");
        assert_eq!(flow.next_poll_at, START + seconds(expected), "{interval:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_moment_decides_nothing_and_its_wait_is_kept() {
    let wait = |seconds| Some(Duration::from_secs(seconds));
    for (error, interval, rest) in [
        (UpstreamError::RateLimited { retry_after: wait(60) }, 5, seconds(60)),
        (UpstreamError::RateLimited { retry_after: wait(800) }, 5, seconds(800)),
        (UpstreamError::RateLimited { retry_after: Some(Duration::MAX) }, 5, due().expires_at - START),
        (UpstreamError::RateLimited { retry_after: None }, 10, seconds(10)),
        (UpstreamError::Unavailable { reason: "server_trouble", retry_after: wait(90) }, 5, seconds(90)),
        (UpstreamError::Unavailable { reason: "connect", retry_after: wait(1) }, 5, seconds(5)),
        (UpstreamError::Unavailable { reason: "connect", retry_after: None }, 10, seconds(10)),
    ] {
        let commits = Commits::default();
        let (shown, answer) = (format!("{error:?}"), move || Err(error.clone()));
        let status = run(&polling(&due(), answering(answer), commits.store())).await;
        assert_eq!(status.unwrap(), DeviceFlowStatus::Pending, "{shown}");
        let flow = stored(&commits);
        assert_eq!((flow.stage, flow.interval), (DeviceStage::Pending, seconds(interval)), "{shown}");
        assert_eq!(flow.next_poll_at, START + rest, "{shown}");
        assert_eq!(commits.last().len(), 1, "{shown}: no provider is disabled, nothing has ended");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_will_not_do_later_either_ends_it() {
    for error in
        [UpstreamError::Misconfigured { code: "unauthorized_client".to_owned() }, UpstreamError::NotSupported]
    {
        let commits = Commits::default();
        let (reason, answer) = (error.reason().to_owned(), move || Err(error.clone()));
        let status = run(&polling(&due(), answering(answer), commits.store())).await;
        assert_eq!(status.unwrap(), denied(&reason));
        assert!(matches!(stored(&commits).stage, DeviceStage::Finished { .. }), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_somebody_has_written_over_is_pending_all_the_same() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 1 { Err(CommitError::Conflict) } else { Ok(()) });
    let client = answering(|| Ok(DeviceAnswer::Pending));
    assert_eq!(run(&polling(&due(), client, store)).await.unwrap(), DeviceFlowStatus::Pending);
    assert_eq!(commits.count(), 2, "whoever has written knows more");
}

#[tokio::test(start_paused = true)]
async fn each_refusal_ends_the_flow_and_is_written_down() {
    let code = |code: &str| code.to_owned();
    let answers: [(fn() -> Answer, _, _); 6] = [
        (|| Ok(DeviceAnswer::Denied), "access_denied", denied("access_denied")),
        (|| Ok(DeviceAnswer::Expired), "expired_token", DeviceFlowStatus::Expired),
        (
            || Err(UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }),
            "invalid_grant",
            denied("invalid_grant"),
        ),
        (
            || Err(UpstreamError::InteractionRequired { code: "login_required".to_owned() }),
            "login_required",
            denied("login_required"),
        ),
        (|| Err(UpstreamError::TokenRefused), "invalid_token", denied("invalid_token")),
        (|| Err(UpstreamError::Untrusted { reason: "nonce" }), "nonce", denied("nonce")),
    ];
    for (answer, reason, status) in answers {
        let commits = Commits::default();
        assert_eq!(run(&polling(&due(), answering(answer), commits.store())).await.unwrap(), status);
        assert_eq!(stored_outcome(&commits), FlowOutcome::Refused(code(reason)));
        let entry = (AuditAction::FlowFinished, AuditOutcome::Refused, Some(code(reason)));
        assert_eq!(commits.last_audited(), [entry]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_our_client_is_disabled() {
    let commits = Commits::default();
    let invalid = || Err(UpstreamError::ClientRefused { code: "invalid_client".to_owned() });
    let status = run(&polling(&due(), answering(invalid), commits.store())).await;
    assert_eq!(status.unwrap(), denied("invalid_client"));
    assert_eq!(row!(commits.last(), Update(Provider)).status, ProviderStatus::Disabled);
}

#[tokio::test(start_paused = true)]
async fn what_is_granted_is_kept_and_the_flow_ends_in_one_commit() {
    let commits = Commits::default();
    let status = run(&polling(&due(), granting(), commits.store())).await.unwrap();
    let inserted = row!(commits.last(), Insert(Authorization));
    assert_eq!((status, commits.count()), (DeviceFlowStatus::Authorized(inserted.id), 2));
    assert_eq!(stored_outcome(&commits), FlowOutcome::Authorized(inserted.id));
    assert_eq!(opened(inserted.access_token_place(), &inserted.access_token).as_deref(), Some("new access"));
    assert_eq!(inserted.redirect_uri, None);
    assert_eq!((inserted.account_id, inserted.requested_scopes), (caller().account_id, due().scopes));
    let actions: Vec<_> = commits.last_audited().into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(actions, [AuditAction::AuthorizationGranted, AuditAction::FlowFinished]);
    for change in commits.last() {
        if let Change::Audit(entry) = change {
            assert_eq!(entry.request_id, caller().request_id);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_is_known_keeps_its_authorization() {
    let commits = Commits::default();
    let mut polling = polling(&due(), granting(), commits.store());
    let catalog = found_in_turn([Some(provider())]);
    polling.grants = Arc::new(KeepGrant {
        authorizations: known_as(Some(authorization())),
        ..keeping_grants(catalog, commits.store(), &polling.clock)
    });
    let status = run(&polling).await.unwrap();
    assert_eq!(status, DeviceFlowStatus::Authorized(authorization().id));
    let updated = row!(commits.last(), Update(Authorization));
    assert_eq!(opened(updated.access_token_place(), &updated.access_token).as_deref(), Some("new access"));
    assert_eq!(updated.redirect_uri, None, "the grant is another now");
}

/// Both new tokens are to be revoked.
fn assert_revoked(commits: &Commits) {
    let revocation = row!(commits.last(), Insert(Revocation));
    let (access, refresh) =
        (revocation.access_token.as_ref().unwrap(), revocation.refresh_token.as_ref().unwrap());
    assert_eq!(opened(revocation.access_token_place(), access).as_deref(), Some("new access"));
    assert_eq!(opened(revocation.refresh_token_place(), refresh).as_deref(), Some("new refresh"));
}

#[tokio::test(start_paused = true)]
async fn tokens_without_a_certain_owner_are_revoked() {
    let distrusted = || {
        let distrust = Some(UpstreamError::Untrusted { reason: "id_token_signature" });
        let told = Identity { subject: "somebody".to_owned(), ..identity() };
        let tokens = crate::providers::TokenSet { distrust, identity: Some(told), ..new_tokens() };
        Ok(DeviceAnswer::Granted(Box::new(tokens)))
    };
    let commits = Commits::default();
    let status = run(&polling(&due(), answering(distrusted), commits.store())).await;
    assert_eq!(status.unwrap(), denied("id_token_signature"));
    assert_revoked(&commits);
    assert_eq!(stored_outcome(&commits), FlowOutcome::Refused("id_token_signature".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_deleted_before_the_claim_is_not_asked() {
    let with = |status| Some(Provider { status, ..provider() });
    for now in [None, with(ProviderStatus::Deleting), with(ProviderStatus::DeletionFailed)] {
        let commits = Commits::default();
        let rows = [Some(provider()), now];
        let status = run(&polling_at(rows, &due(), silent(), commits.store())).await;
        assert_eq!(status.unwrap(), denied("provider_deleted"));
        assert_eq!(stored_outcome(&commits), FlowOutcome::Refused("provider_deleted".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn for_an_account_that_is_deleted_before_the_claim_nobody_is_asked() {
    for now in [None, Some(Standing::Deleting)] {
        let commits = Commits::default();
        let mut polling = polling(&due(), silent(), commits.store());
        let catalog = found_in_turn([Some(provider())]);
        let grants = keeping_grants(catalog, commits.store(), &polling.clock);
        polling.grants = Arc::new(KeepGrant { accounts: standing(now), ..grants });
        assert_eq!(run(&polling).await.unwrap(), denied("account_deleted"));
        assert_eq!(stored_outcome(&commits), FlowOutcome::Refused("account_deleted".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_for_a_provider_that_is_deleted_meanwhile_are_revoked() {
    let deleting = Provider { status: ProviderStatus::Deleting, ..provider() };
    let rows = [Some(provider()), Some(provider()), Some(deleting)];
    let commits = Commits::default();
    let status = run(&polling_at(rows, &due(), granting(), commits.store())).await;
    assert_eq!(status.unwrap(), denied("provider_deleted"));
    assert_revoked(&commits);
}

#[tokio::test(start_paused = true)]
async fn tokens_outlive_the_provider_and_the_flow_that_brought_them() {
    let rows = [Some(provider()), Some(provider()), None];
    let commits = Commits::default();
    let polling = PollDeviceFlow {
        flows: holding(&due(), [None]),
        ..polling_at(rows, &due(), granting(), commits.store())
    };
    assert_eq!(run(&polling).await.unwrap(), denied("provider_deleted"));
    assert_revoked(&commits);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_made_though_it_seemed_to_fail_ends_with_what_it_stored() {
    let id = authorization().id;
    let done = claimed(due()).finished(FlowOutcome::Authorized(id), START);
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 1 { Err(unavailable().into()) } else { Ok(()) });
    let mut polling = polling(&due(), granting(), store.clone());
    polling.flows = holding(&due(), [Some(claimed(due())), Some(done)]);
    let catalog = found_in_turn([Some(provider())]);
    polling.grants = Arc::new(KeepGrant {
        authorizations: known_as(Some(authorization())),
        ..keeping_grants(catalog, store, &polling.clock)
    });
    assert_eq!(run(&polling).await.unwrap(), DeviceFlowStatus::Authorized(id));
    assert_eq!(commits.count(), 2, "the claim and the one that was made");
}

#[tokio::test(start_paused = true)]
async fn no_secret_has_to_be_opened_between_the_tokens_and_their_keeping() {
    let mut sealer = MockTokenSealer::new();
    // The device code and the client secret: a third would be one that may not be had any more.
    sealer
        .expect_open()
        .times(2)
        .returning(|place, sealed| opened(place, sealed).map(Secret::new).ok_or(SealError::Tampered));
    let store = Commits::default().store();
    let polling = PollDeviceFlow { sealer: Arc::new(sealer), ..polling(&due(), granting(), store) };
    assert!(matches!(run(&polling).await.unwrap(), DeviceFlowStatus::Authorized(_)));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_was_taken_for_dead_leaves_no_tokens_behind() {
    let expired = FlowOutcome::Refused("expired_token".to_owned());
    let theirs = claimed(due()).finished(expired, START);
    let commits = Commits::default();
    let polling = PollDeviceFlow {
        flows: holding(&due(), [Some(theirs)]),
        ..polling(&due(), granting(), commits.store())
    };
    assert_eq!(run(&polling).await.unwrap(), DeviceFlowStatus::Expired);
    assert_revoked(&commits);
}

#[tokio::test(start_paused = true)]
async fn a_device_code_that_does_not_open_asks_nobody_and_decides_nothing() {
    let broken = DeviceFlow { device_code: provider().client_secret, ..due() };
    let commits = Commits::default();
    let status = run(&polling(&broken, silent(), commits.store())).await;
    assert_eq!(status.unwrap(), DeviceFlowStatus::Pending);
    assert_eq!(stored(&commits).stage, DeviceStage::Pending);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_pending_to_the_caller_and_is_taken_over_later() {
    let commits = Commits::default();
    let polling = polling(&due(), answering(|| panic!("as the test wants it")), commits.store());
    assert_eq!(run(&polling).await.unwrap(), DeviceFlowStatus::Pending);
    let left = stored(&commits);
    assert!(left.is_being_polled(START) && !left.is_being_polled(START + EXCHANGE_LIMIT));
}

/// A provider that answers, with tokens, when it is let.
#[derive(Clone, Default)]
struct Held(Arc<Notify>);

#[async_trait]
impl AuthorizeDevices for Held {
    async fn begin_device(
        &self,
        _: &ProviderConnection,
        _: &Scopes,
    ) -> Result<DeviceAuthorization, UpstreamError> {
        Err(UpstreamError::NotSupported)
    }

    async fn poll_device(&self, _: &ProviderConnection, _: &Secret, _: &Scopes) -> Answer {
        self.0.notified().await;
        Ok(tokens())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_granted_is_kept_though_the_caller_has_lost_patience() {
    let (held, commits) = (Held::default(), Commits::default());
    let polling = polling(&due(), with_device(Arc::new(held.clone())), commits.store());
    assert_eq!(run(&polling).await.unwrap(), DeviceFlowStatus::Pending);
    assert_eq!((polling.clock.now(), commits.count()), (START + seconds(4), 1));
    held.0.notify_one();
    polling.tasks.drain().await;
    let inserted = row!(commits.last(), Insert(Authorization));
    assert_eq!(stored_outcome(&commits), FlowOutcome::Authorized(inserted.id));
    assert_eq!(inserted.issued_at, START, "its life counts from when the provider was asked");
}

#[tokio::test(start_paused = true)]
async fn what_is_granted_is_kept_though_the_caller_has_left() {
    let (held, commits) = (Held::default(), Commits::default());
    let polling = polling(&due(), with_device(Arc::new(held.clone())), commits.store());
    let mut call = Box::pin(run(&polling));
    while commits.count() == 0 {
        assert!(futures_util::poll!(&mut call).is_pending());
        tokio::task::yield_now().await;
    }
    drop(call);
    held.0.notify_one();
    polling.tasks.drain().await;
    assert!(matches!(stored_outcome(&commits), FlowOutcome::Authorized(_)));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_is_given_thirty_seconds() {
    let (held, commits) = (Held::default(), Commits::default());
    let polling = polling(&due(), with_device(Arc::new(held)), commits.store());
    assert_eq!(run(&polling).await.unwrap(), DeviceFlowStatus::Pending);
    polling.tasks.drain().await;
    assert_eq!(polling.clock.now(), START + seconds(30));
    assert_eq!(stored(&commits).stage, DeviceStage::Pending);
}
