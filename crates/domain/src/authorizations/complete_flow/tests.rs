use mockall::Sequence;

use super::*;
use crate::authorizations::{MockAuthorizationStore, MockFlowStore};
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, authorization, caller, flow, identity,
    keeping, keeping_grants, new_tokens, offering, provider, row,
};
use crate::providers::{
    MockIdentifyUser, MockProviderCatalog, MockProviderClient, MockProviderClients, ProviderClients,
    ProviderStatus,
};

fn completing(
    at: Option<Provider>,
    flows: MockFlowStore,
    clients: Arc<dyn ProviderClients>,
    commits: &Commits,
) -> CompleteFlow {
    let (clock, random, settings) =
        (VirtualClock::start(), CountingRandom::shared(), TokenSettings::default());
    let mut catalog = MockProviderCatalog::new();
    let anywhere = at.clone();
    catalog.expect_provider().returning(move |_, _| Ok(at.clone()));
    catalog.expect_provider_anywhere().returning(move |_| Ok(anywhere.clone()));
    let catalog = Arc::new(catalog);
    let mut current = MockFlowStore::new();
    let used_up = || flow().exchanging(SecretHash::of("code"), START);
    current.expect_flow().returning(move |_| Ok(Some(used_up())));
    let exchange = Arc::new(ExchangeCode {
        flows: Arc::new(current),
        catalog: catalog.clone(),
        clients,
        sealer: LabelSealer::shared(),
        grants: Arc::new(keeping_grants(catalog.clone(), commits.store(), &clock)),
        clock: clock.clone(),
        settings,
    });
    CompleteFlow {
        catalog,
        flows: Arc::new(flows),
        authorizations: keeping(authorization(), provider()),
        store: commits.store(),
        exchange,
        tasks: BackgroundTasks::on_current_runtime(),
        clock,
        random,
        settings,
    }
}

/// No provider may be asked.
fn nobody() -> Arc<dyn ProviderClients> {
    Arc::new(MockProviderClients::new())
}

/// Has that flow, which may not be used up.
fn holding(flow: Option<Flow>) -> MockFlowStore {
    let mut flows = MockFlowStore::new();
    flows.expect_flow_by_state().returning(move |_, _, _| Ok(flow.clone()));
    flows
}

fn callback() -> Callback {
    Callback {
        provider_id: provider().id,
        state: Secret::new("state".to_owned()),
        answer: Ok(Secret::new("code".to_owned())),
        iss: None,
    }
}

fn browser_flow() -> Flow {
    Flow { route: FlowRoute::Browser { cookie_hash: Some(SecretHash::of("cookie")) }, ..flow() }
}

fn finished(outcome: FlowOutcome) -> FlowStage {
    flow().finished(outcome, START).stage
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_not_good_is_not_used_up_and_nobody_is_asked() {
    let stage = |stage| Some(Flow { stage, ..flow() });
    let exchanging = |code: &str| stage(flow().exchanging(SecretHash::of(code), START).stage);
    for (name, flow) in [
        ("unknown", None),
        ("expired", Some(Flow { expires_at: START, ..flow() })),
        ("not yet confirmed", stage(FlowStage::Unconfirmed)),
        ("of a browser", Some(browser_flow())),
        ("refused without a code", stage(finished(FlowOutcome::Refused("access_denied".to_owned())))),
        ("in use by another code", exchanging("another")),
    ] {
        let commits = Commits::default();
        let completing = completing(Some(provider()), holding(flow), nobody(), &commits);
        let completed = completing.for_caller(&caller(), callback()).await;
        assert!(is_invalid(&completed), "{name}: {completed:?}");
        assert_eq!(commits.count(), 0, "{name}");
    }
}

fn is_invalid(completed: &Result<CompletedFlow, CompleteFlowError>) -> bool {
    matches!(completed, Err(CompleteFlowError::InvalidState))
}

#[tokio::test(start_paused = true)]
async fn a_caller_asks_for_their_own_flows_alone() {
    let mut flows = MockFlowStore::new();
    let hash = SecretHash::of("state");
    flows
        .expect_flow_by_state()
        .withf(move |at, state, account| {
            (*at, state, *account) == (provider().id, &hash, Some(caller().account_id))
        })
        .times(1)
        .returning(|_, _, _| Ok(None));
    let completing = completing(Some(provider()), flows, nobody(), &Commits::default());
    assert!(is_invalid(&completing.for_caller(&caller(), callback()).await));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_there_is_told_to_callers_but_not_to_browsers() {
    let deleting = Provider { status: ProviderStatus::Deleting, ..provider() };
    for at in [None, Some(deleting)] {
        let completing = completing(at, MockFlowStore::new(), nobody(), &Commits::default());
        let completed = completing.for_caller(&caller(), callback()).await;
        assert!(matches!(completed, Err(CompleteFlowError::ProviderNotFound)), "{completed:?}");
        let completed = completing.for_browser(callback(), &[], None).await;
        assert!(matches!(completed, Err(CompleteFlowError::InvalidState)), "{completed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_browser_without_the_cookie_learns_nothing() {
    let no_cookie_yet = Flow { route: FlowRoute::Browser { cookie_hash: None }, ..flow() };
    for (flow, cookie) in
        [(browser_flow(), None), (browser_flow(), Some("wrong")), (no_cookie_yet, Some("cookie"))]
    {
        let commits = Commits::default();
        let completing = completing(Some(provider()), holding(Some(flow)), nobody(), &commits);
        let cookies: Vec<_> = cookie.map(|cookie| Secret::new(cookie.to_owned())).into_iter().collect();
        for visitor in [None, Some(&caller())] {
            let completed = completing.for_browser(callback(), &cookies, visitor).await;
            assert!(matches!(completed, Err(CompleteFlowError::InvalidState)), "{completed:?}");
        }
        let completed = completing.for_unattended_browser(callback(), &cookies, None).await;
        assert!(matches!(completed, Err(CompleteFlowError::InvalidState)), "{completed:?}");
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_is_finished_only_where_whoever_started_it_is_signed_in() {
    let cookies = [Secret::new("cookie".to_owned())];
    let commits = Commits::default();
    let completing = completing(Some(provider()), holding(Some(browser_flow())), nobody(), &commits);
    let completed = completing.for_browser(callback(), &cookies, None).await;
    assert!(matches!(completed, Err(CompleteFlowError::NotSignedIn)), "{completed:?}");
    let another = Caller { account_id: AccountId::from_uuid(uuid::Uuid::from_u128(99)), ..caller() };
    let completed = completing.for_browser(callback(), &cookies, Some(&another)).await;
    assert!(matches!(completed, Err(CompleteFlowError::InvalidState)), "{completed:?}");
    assert_eq!(commits.count(), 0, "the flow and its code are there for who they belong to");

    let refusal = || Callback { answer: Err("access_denied".to_owned()), ..callback() };
    let ended = completing.for_browser(refusal(), &cookies, Some(&caller())).await.unwrap();
    assert_eq!(ended.flow_id, flow().id);
    assert!(matches!(ended.result, Err(CompleteFlowError::Refused { .. })), "{ended:?}");
    let ended = completing.for_unattended_browser(refusal(), &cookies, None).await.unwrap();
    assert!(matches!(ended.result, Err(CompleteFlowError::Refused { .. })), "nobody is asked: {ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_issuer_ends_the_flow_before_its_state_is_used_up() {
    let commits = Commits::default();
    let completing = completing(Some(provider()), holding(Some(flow())), nobody(), &commits);
    let wrong = Callback { iss: Some("https://evil.example".to_owned()), ..callback() };
    match completing.for_caller(&caller(), wrong).await {
        Err(CompleteFlowError::Refused { reason }) => assert_eq!(reason, "issuer_mismatch"),
        other => panic!("{other:?}"),
    }
    let refused = FlowOutcome::Refused("issuer_mismatch".to_owned());
    assert_eq!(row!(commits.last(), Update(Flow)).stage, finished(refused));
    let reason = Some("issuer_mismatch".to_owned());
    assert_eq!(commits.last_audited(), [(AuditAction::FlowFinished, AuditOutcome::Refused, reason)]);
}

#[tokio::test(start_paused = true)]
async fn the_state_is_used_up_before_the_code_is_sent() {
    let mut order = Sequence::new();
    let mut flows = holding(Some(flow()));
    flows
        .expect_use_up()
        .withf(|id, code, now| (*id, code, *now) == (flow().id, &SecretHash::of("code"), START))
        .times(1)
        .in_sequence(&mut order)
        .returning(|_, code, now| Ok(Some(flow().exchanging(code.clone(), now))));
    let mut client = MockProviderClient::new();
    client
        .expect_exchange_code()
        .withf(|_, exchange| {
            let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
            exchange.code.expose() == "code"
                && exchange.redirect_uri == flow().redirect_uri
                && text(&exchange.pkce_verifier).as_deref() == Some("verifier")
                && text(&exchange.nonce).as_deref() == Some("nonce")
        })
        .times(1)
        .in_sequence(&mut order)
        .returning(|_, _| Ok(new_tokens()));
    client.expect_identify().returning(|_| {
        let mut identify = MockIdentifyUser::new();
        identify.expect_identify_user().returning(|_, _, _| Ok(identity()));
        Arc::new(identify)
    });
    let commits = Commits::default();
    let completing = completing(Some(provider()), flows, offering(client), &commits);
    completing.for_caller(&caller(), callback()).await.unwrap();
    let flow = row!(commits.last(), Update(Flow));
    assert!(matches!(
        flow.stage,
        FlowStage::Finished { redeemed: Some(_), outcome: FlowOutcome::Authorized(_), .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn who_loses_the_race_for_a_state_with_the_same_code_gets_the_outcome() {
    let used_up = flow().exchanging(SecretHash::of("code"), START);
    let done = used_up.finished(FlowOutcome::Authorized(authorization().id), START);
    let mut flows = holding(Some(flow()));
    flows.expect_use_up().times(1).returning(|_, _, _| Ok(None));
    flows.expect_flow().times(1).returning(move |_| Ok(Some(done.clone())));
    let completing = completing(Some(provider()), flows, nobody(), &Commits::default());
    let completed = completing.for_caller(&caller(), callback()).await.unwrap();
    assert_eq!(completed.authorization.authorization.id, authorization().id);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_was_deleted_since_is_nobodys() {
    let used_up = flow().exchanging(SecretHash::of("code"), START);
    let done = used_up.finished(FlowOutcome::Unavailable("connect".to_owned()), START);
    let flow = Flow {
        stage: match done.stage {
            FlowStage::Finished { redeemed, at, .. } => FlowStage::Finished {
                redeemed,
                outcome: FlowOutcome::Authorized(authorization().id),
                at: at + TimeDelta::seconds(5),
            },
            other => other,
        },
        ..done
    };
    let mut gone = MockAuthorizationStore::new();
    gone.expect_authorization().times(1).returning(|_, _| Ok(None));
    let completing = completing(Some(provider()), holding(Some(flow)), nobody(), &Commits::default());
    let completing = CompleteFlow { authorizations: Arc::new(gone), ..completing };
    assert!(is_invalid(&completing.for_caller(&caller(), callback()).await));
}

#[test]
fn an_issuer_is_compared_byte_for_byte_and_demanded_where_it_can_be() {
    let announcing = |announces_iss| {
        let mut provider = provider();
        provider.endpoints.announces_iss = announces_iss;
        provider
    };
    for (announced, iss, may_be_silent, fits) in [
        (true, Some("https://provider.example"), false, true),
        (true, None, false, false),
        (true, Some("https://provider.example/"), false, false),
        (false, Some("https://provider.example"), false, true),
        (false, None, false, true),
        (false, Some("https://evil.example"), false, false),
        (true, None, true, true),
        (false, None, true, true),
        (true, Some("https://evil.example"), true, false),
    ] {
        let is_it = issuer_fits(&announcing(announced), iss, may_be_silent);
        assert_eq!(is_it, fits, "{announced}, {iss:?}, {may_be_silent}");
    }
}

#[test]
fn an_error_code_is_a_plain_word() {
    for code in ["access_denied", "AADSTS50076", "login.required", "x"] {
        assert_eq!(error_code(code), code);
    }
    for text in ["", "a b", "<b>", "a\n", "\u{1b}[0m", "é", &"x".repeat(65)] {
        assert_eq!(error_code(text), "unlisted_error", "{text:?}");
    }
}
