use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::accounts::Standing;
use crate::authorizations::{MockFlowStore, UserInfo};
use crate::fixtures::{
    Commits, LabelSealer, START, VirtualClock, authorization, flow, found_in_turn, identity, keeping_grants,
    known_as, new_tokens, offering, opened, provider, row, sealed, standing, unavailable,
};
use crate::providers::{
    Identity, MockIdentifyUser, MockProviderCatalog, MockProviderClient, ProviderStatus, TokenSet,
};
use crate::secret::SecretHash;
use crate::{CommitError, MockUnitOfWork};

fn used_up() -> Flow {
    flow().exchanging(SecretHash::of("code"), START)
}

type Told = Result<Identity, UpstreamError>;

/// A provider that gives these tokens for the code and tells this about their user.
fn telling(tokens: impl Fn() -> TokenSet + Send + 'static, told: Told) -> MockProviderClient {
    let mut client = identifying(told);
    client.expect_exchange_code().times(1).returning(move |_, _| Ok(tokens()));
    client
}

fn identifying(told: Told) -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_identify().returning(move |_| {
        let told = told.clone();
        let mut identify = MockIdentifyUser::new();
        identify.expect_identify_user().returning(move |_, _, _| told.clone());
        Arc::new(identify)
    });
    client
}

fn refusing(error: UpstreamError) -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_exchange_code().times(1).returning(move |_, _| Err(error.clone()));
    client
}

/// No code may be sent.
fn silent() -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_exchange_code().never();
    client
}

/// The flow as it is found by each read in turn; the last one stays.
fn flows_in_turn(rows: impl IntoIterator<Item = Option<Flow>>) -> Arc<MockFlowStore> {
    let rows = Mutex::new(rows.into_iter().collect::<VecDeque<_>>());
    let mut flows = MockFlowStore::new();
    flows.expect_flow().returning(move |_| {
        let mut rows = rows.lock().unwrap();
        Ok(if rows.len() > 1 { rows.pop_front().flatten() } else { rows[0].clone() })
    });
    Arc::new(flows)
}

fn exchanging(client: MockProviderClient, store: Arc<MockUnitOfWork>) -> ExchangeCode {
    exchanging_at([Some(provider())], client, store)
}

/// The provider is found like this by each read in turn; the last one stays.
fn exchanging_at(
    rows: impl IntoIterator<Item = Option<Provider>>,
    client: MockProviderClient,
    store: Arc<MockUnitOfWork>,
) -> ExchangeCode {
    let (clock, catalog) = (VirtualClock::start(), found_in_turn(rows));
    ExchangeCode {
        flows: flows_in_turn([Some(used_up())]),
        catalog: catalog.clone(),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        grants: Arc::new(keeping_grants(catalog, store, &clock)),
        clock,
        settings: TokenSettings::default(),
    }
}

async fn run(exchanging: &ExchangeCode) -> Result<FlowOutcome, StoreError> {
    let code = Secret::new("code".to_owned());
    exchanging.run(used_up(), provider(), code, Some("request".to_owned())).await
}

fn refused(reason: &str) -> FlowOutcome {
    FlowOutcome::Refused(reason.to_owned())
}

/// The flow's end in the last commit.
fn stored_outcome(commits: &Commits) -> FlowOutcome {
    match row!(commits.last(), Update(Flow)).stage {
        FlowStage::Finished { outcome, redeemed: Some(_), .. } => outcome,
        stage => panic!("the flow is over: {stage:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_is_redeemed_with_all_that_its_flow_began_with() {
    let mut client = identifying(Ok(identity()));
    client
        .expect_exchange_code()
        .withf(|connection, exchange| {
            let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
            connection.client_secret.expose() == "client secret"
                && exchange.code.expose() == "code"
                && text(&exchange.pkce_verifier).as_deref() == Some("verifier")
                && text(&exchange.nonce).as_deref() == Some("nonce")
                && (&exchange.redirect_uri, &exchange.scopes) == (&flow().redirect_uri, &flow().scopes)
        })
        .times(1)
        .returning(|_, _| Ok(new_tokens()));
    let commits = Commits::default();
    let outcome = run(&exchanging(client, commits.store())).await.unwrap();
    let inserted = row!(commits.last(), Insert(Authorization));
    assert_eq!(outcome, FlowOutcome::Authorized(inserted.id));
    assert_eq!(inserted.redirect_uri, Some(flow().redirect_uri));
    assert_eq!((stored_outcome(&commits), commits.count()), (outcome, 1));
    for change in commits.last() {
        if let Change::Audit(entry) = change {
            assert_eq!(entry.request_id.as_deref(), Some("request"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_deleted_by_now_gets_no_code() {
    let with = |status| Some(Provider { status, ..provider() });
    for now in [None, with(ProviderStatus::Deleting), with(ProviderStatus::DeletionFailed)] {
        let commits = Commits::default();
        let outcome = run(&exchanging_at([now.clone()], silent(), commits.store())).await;
        assert_eq!(outcome.unwrap(), refused("provider_deleted"), "{now:?}");
        assert_eq!(stored_outcome(&commits), refused("provider_deleted"), "{now:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn for_an_account_that_is_deleted_by_now_no_code_is_sent() {
    for now in [None, Some(Standing::Deleting)] {
        let commits = Commits::default();
        let mut exchanging = exchanging_at([Some(provider())], silent(), commits.store());
        let catalog = found_in_turn([Some(provider())]);
        let grants = keeping_grants(catalog, commits.store(), &exchanging.clock);
        exchanging.grants = Arc::new(KeepGrant { accounts: standing(now), ..grants });
        assert_eq!(run(&exchanging).await.unwrap(), refused("account_deleted"), "{now:?}");
        assert_eq!(stored_outcome(&commits), refused("account_deleted"), "{now:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_asked_as_it_is_after_the_state_was_used_up() {
    let changed = Provider { client_secret: sealed(provider().secret_place(), "new secret"), ..provider() };
    let mut client = identifying(Ok(identity()));
    client
        .expect_exchange_code()
        .withf(|connection, _| connection.client_secret.expose() == "new secret")
        .times(1)
        .returning(|_, _| Ok(new_tokens()));
    let outcome = run(&exchanging_at([Some(changed)], client, Commits::default().store())).await;
    assert!(matches!(outcome.unwrap(), FlowOutcome::Authorized(_)));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_cannot_be_read_gets_no_code() {
    let mut away = MockProviderCatalog::new();
    away.expect_provider().returning(|_, _| Err(unavailable()));
    let store = Commits::default().store();
    let exchanging = ExchangeCode { catalog: Arc::new(away), ..exchanging(silent(), store) };
    assert!(matches!(run(&exchanging).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn tokens_outlive_the_provider_and_the_flow_that_brought_them() {
    let commits = Commits::default();
    let deleted_meanwhile = [Some(provider()), None];
    let client = telling(new_tokens, Ok(identity()));
    let exchanging = ExchangeCode {
        flows: flows_in_turn([None]),
        ..exchanging_at(deleted_meanwhile, client, commits.store())
    };
    assert_eq!(run(&exchanging).await.unwrap(), refused("provider_deleted"));
    let revocation = row!(commits.last(), Insert(Revocation));
    let token = revocation.refresh_token.as_ref().unwrap();
    assert_eq!(opened(revocation.refresh_token_place(), token).as_deref(), Some("new refresh"));
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_made_though_it_seemed_to_fail_ends_with_what_it_stored() {
    let stored = FlowOutcome::Authorized(authorization().id);
    let done = used_up().finished(stored.clone(), START);
    let commits = Commits::default();
    let store = commits.answering(|_| Err(unavailable().into()));
    let client = telling(new_tokens, Ok(identity()));
    let mut exchanging = ExchangeCode {
        flows: flows_in_turn([Some(used_up()), Some(done)]),
        ..exchanging(client, store.clone())
    };
    let catalog = found_in_turn([Some(provider())]);
    exchanging.grants = Arc::new(KeepGrant {
        authorizations: known_as(Some(authorization())),
        ..keeping_grants(catalog, store, &exchanging.clock)
    });
    assert_eq!((run(&exchanging).await.unwrap(), commits.count()), (stored, 1));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_over_the_row_of_a_flow_that_goes_on_is_decided_anew() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    let newer = Flow { version: used_up().version.next(), ..used_up() };
    let exchanging = ExchangeCode {
        flows: flows_in_turn([Some(used_up()), Some(newer.clone())]),
        ..exchanging(telling(new_tokens, Ok(identity())), store)
    };
    assert!(matches!(run(&exchanging).await.unwrap(), FlowOutcome::Authorized(_)));
    assert_eq!(row!(commits.last(), Update(Flow)).version, newer.version);
}

#[tokio::test(start_paused = true)]
async fn each_failure_of_the_provider_ends_the_flow() {
    let unavailable = |reason: &str| FlowOutcome::Unavailable(reason.to_owned());
    let code = |code: &str| code.to_owned();
    for (error, expected) in [
        (UpstreamError::GrantRefused { code: code("invalid_grant") }, refused("invalid_grant")),
        (
            UpstreamError::Misconfigured { code: code("redirect_uri_mismatch") },
            refused("redirect_uri_mismatch"),
        ),
        (UpstreamError::RateLimited { retry_after: None }, unavailable("rate_limited")),
    ] {
        let commits = Commits::default();
        let outcome = run(&exchanging(refusing(error), commits.store())).await;
        assert_eq!(outcome.unwrap(), expected);
        assert_eq!(stored_outcome(&commits), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_the_flow_that_does_not_open_sends_no_code() {
    let commits = Commits::default();
    let exchanging = exchanging(silent(), commits.store());
    let swapped = Flow { pkce_verifier: Some(used_up().nonce), ..used_up() };
    let outcome = exchanging.run(swapped, provider(), Secret::new("code".to_owned()), None).await;
    assert_eq!(outcome.unwrap(), FlowOutcome::Unavailable("secret_rejected".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_kept_with_what_the_id_token_told_besides() {
    let told = || {
        let user = UserInfo { locale: Some("en".to_owned()), ..identity().user };
        TokenSet { identity: Some(Identity { user, ..identity() }), ..new_tokens() }
    };
    let commits = Commits::default();
    run(&exchanging(telling(told, Ok(identity())), commits.store())).await.unwrap();
    assert_eq!(row!(commits.last(), Insert(Authorization)).user.locale.as_deref(), Some("en"));
}

#[tokio::test(start_paused = true)]
async fn tokens_whose_id_token_does_not_hold_are_revoked() {
    let commits = Commits::default();
    let distrusted = || TokenSet {
        distrust: Some(UpstreamError::Untrusted { reason: "id_token_signature" }),
        ..new_tokens()
    };
    let outcome = run(&exchanging(telling(distrusted, Ok(identity())), commits.store())).await;
    assert_eq!(outcome.unwrap(), refused("id_token_signature"));
    let revocation = row!(commits.last(), Insert(Revocation));
    assert!(revocation.access_token.is_some() && revocation.refresh_token.is_some());
}
