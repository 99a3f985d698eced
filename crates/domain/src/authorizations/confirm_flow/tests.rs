use super::*;
use crate::MockUnitOfWork;
use crate::accounts::MockAccountStore;
use crate::authorizations::MockFlowStore;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, caller, flow, offering, opened, provider, row,
    unavailable, uuid,
};
use crate::ids::AccountId;
use crate::providers::{AuthorizationRequest, MockProviderCatalog, MockProviderClient};

fn unconfirmed() -> Flow {
    Flow {
        route: FlowRoute::Browser { cookie_hash: None },
        stage: FlowStage::Unconfirmed,
        state_hash: None,
        ..flow()
    }
}

fn confirming(flow: Option<Flow>, at: Provider, store: Arc<MockUnitOfWork>) -> ConfirmFlow {
    let mut flows = MockFlowStore::new();
    flows.expect_flow().returning(move |_| Ok(flow.clone()));
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(move |_, _| Ok(Some(at.clone())));
    let mut client = MockProviderClient::new();
    client.expect_authorization_url().returning(|client, request: &AuthorizationRequest| {
        let mut url = client.endpoints.authorization.clone();
        url.query_pairs_mut()
            .append_pair("state", request.state.expose())
            .append_pair("code_challenge", request.code_challenge.as_deref().unwrap())
            .append_pair("nonce", request.nonce.as_deref().unwrap());
        url
    });
    ConfirmFlow {
        flows: Arc::new(flows),
        accounts: Arc::new(MockAccountStore::new()),
        catalog: Arc::new(catalog),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
        asks_people: true,
    }
}

fn is_not_found<T>(result: &Result<T, ConfirmFlowError>) -> bool {
    matches!(result, Err(ConfirmFlowError::NotFound))
}

#[tokio::test(start_paused = true)]
async fn a_yes_is_stored_as_hashes_of_what_the_browser_and_the_provider_get() {
    let commits = Commits::default();
    let confirming = confirming(Some(unconfirmed()), provider(), commits.store());
    let confirmed = confirming.confirm(Some(&caller()), flow().id).await.ok().unwrap();
    let stored = row!(commits.last(), Update(Flow));
    assert_eq!(stored.stage, FlowStage::Pending);
    assert_eq!(stored.state_hash, Some(SecretHash::of(&query(&confirmed, "state"))));
    let cookie_hash = Some(SecretHash::of(confirmed.cookie.expose()));
    assert_eq!(stored.route, FlowRoute::Browser { cookie_hash });
}

fn query(confirmed: &ConfirmedFlow, name: &str) -> String {
    let found = confirmed.authorization_url.query_pairs().find(|(key, _)| key == name);
    found.unwrap().1.into_owned()
}

#[tokio::test(start_paused = true)]
async fn each_yes_has_its_own_verifier_and_nonce() {
    let commits = Commits::default();
    let confirming = confirming(Some(unconfirmed()), provider(), commits.store());
    let mut sent = Vec::new();
    for _ in 0..2 {
        let confirmed = confirming.confirm(Some(&caller()), flow().id).await.ok().unwrap();
        let stored = row!(commits.last(), Update(Flow));
        let nonce = opened(Flow::nonce_place(stored.organization_id, stored.id), &stored.nonce).unwrap();
        assert_eq!(nonce, query(&confirmed, "nonce"), "what the provider was told is what is kept");
        sent.push([nonce, query(&confirmed, "code_challenge"), query(&confirmed, "state")]);
    }
    let [first, second] = &sent[..] else { panic!("two") };
    assert!(first.iter().zip(second).all(|(first, second)| first != second), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn only_an_open_browser_flow_of_the_caller_is_shown() {
    let other = AccountId::from_uuid(uuid(99));
    let over = unconfirmed().finished(FlowOutcome::Refused("declined".to_owned()), START);
    let in_use = unconfirmed().exchanging(SecretHash::of("code"), START);
    for (name, flow) in [
        ("unknown", None),
        ("another's", Some(Flow { account_id: other, ..unconfirmed() })),
        ("a caller's", Some(flow())),
        ("expired", Some(Flow { expires_at: START, ..unconfirmed() })),
        ("over", Some(over)),
        ("in use", Some(in_use)),
    ] {
        let commits = Commits::default();
        let confirming = confirming(flow, provider(), commits.store());
        let id = unconfirmed().id;
        assert!(is_not_found(&confirming.summary(&caller(), id).await), "{name}");
        assert!(is_not_found(&confirming.confirm(Some(&caller()), id).await), "{name}");
        assert!(is_not_found(&confirming.decline(&caller(), id).await), "{name}");
        assert_eq!(commits.count(), 0, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_has_to_be_signed_in_only_where_people_are_not_asked() {
    let commits = Commits::default();
    let confirming = confirming(Some(unconfirmed()), provider(), commits.store());
    assert!(is_not_found(&confirming.confirm(None, flow().id).await));
    let unattended = ConfirmFlow { asks_people: false, ..confirming };
    assert!(unattended.confirm(None, flow().id).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_active_is_not_gone_on_to() {
    for status in [
        ProviderStatus::Inactive,
        ProviderStatus::Disabled,
        ProviderStatus::Deleting,
        ProviderStatus::DeletionFailed,
    ] {
        let at = Provider { status, ..provider() };
        let confirming = confirming(Some(unconfirmed()), at, Commits::default().store());
        let confirmed = confirming.confirm(Some(&caller()), flow().id).await;
        assert!(matches!(confirmed, Err(ConfirmFlowError::ProviderNotActive)), "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_clicks_at_once_one_goes_on() {
    let commits = Commits::default();
    let store = commits.answering(|_| Err(CommitError::Conflict));
    let confirming = confirming(Some(unconfirmed()), provider(), store);
    assert!(is_not_found(&confirming.confirm(Some(&caller()), flow().id).await));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_no_answer_about_the_flow() {
    let store = Commits::default().answering(|_| Err(unavailable().into()));
    let confirming = confirming(Some(unconfirmed()), provider(), store);
    let confirmed = confirming.confirm(Some(&caller()), flow().id).await;
    assert!(matches!(confirmed, Err(ConfirmFlowError::Store(_))));
}

#[tokio::test(start_paused = true)]
async fn how_far_a_browser_flow_has_come_can_be_seen() {
    let over = |outcome| Some(unconfirmed().finished(outcome, START));
    let text = |text: &str| text.to_owned();
    for (flow, expected) in [
        (Some(unconfirmed()), FlowProgress::UnderWay),
        (Some(unconfirmed().exchanging(SecretHash::of("code"), START)), FlowProgress::UnderWay),
        (
            Some(unconfirmed().exchanging(SecretHash::of("code"), START - EXCHANGE_LIMIT)),
            FlowProgress::Unavailable { reason: text("interrupted") },
        ),
        (over(FlowOutcome::Authorized(crate::fixtures::authorization().id)), FlowProgress::Authorized),
        (over(FlowOutcome::Refused(text("declined"))), FlowProgress::Refused { reason: text("declined") }),
        (
            over(FlowOutcome::Unavailable(text("connect"))),
            FlowProgress::Unavailable { reason: text("connect") },
        ),
    ] {
        let confirming = confirming(flow, provider(), Commits::default().store());
        assert_eq!(confirming.progress(unconfirmed().id).await.unwrap(), expected);
    }
    for not_ours in [None, Some(flow())] {
        let confirming = confirming(not_ours, provider(), Commits::default().store());
        assert!(is_not_found(&confirming.progress(flow().id).await));
    }
}
