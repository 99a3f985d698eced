use chrono::TimeDelta;

use super::*;
use crate::authorizations::{FlowStage, MockAuthorizationStore, MockFlowStore};
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, authorization, flow, identity, new_tokens,
    offering, opened, provider, row, unavailable,
};
use crate::persist::{STORE_PATIENCE, TRIES};
use crate::providers::{MockIdentifyUser, MockProviderCatalog, MockProviderClient};
use crate::secret::SecretHash;
use crate::{MockUnitOfWork, Unique};

fn used_up() -> Flow {
    flow().exchanging(SecretHash::of("code"), START)
}

type Told = Result<Identity, UpstreamError>;

/// A provider that gives these tokens for the code and tells this about their user.
fn telling(tokens: impl Fn() -> TokenSet + Send + 'static, told: Told) -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_exchange_code().times(1).returning(move |_, _| Ok(tokens()));
    client.expect_identify().returning(move || {
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

fn finding(existing: Option<Authorization>) -> MockAuthorizationStore {
    let mut store = MockAuthorizationStore::new();
    store.expect_authorization_for_identity().returning(move |_, _, _, _| Ok(existing.clone()));
    store
}

fn exchanging(
    client: MockProviderClient,
    authorizations: MockAuthorizationStore,
    store: Arc<MockUnitOfWork>,
) -> ExchangeCode {
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(|_, _| Ok(Some(provider())));
    let mut flows = MockFlowStore::new();
    flows.expect_flow().returning(|_| Ok(Some(used_up())));
    ExchangeCode {
        authorizations: Arc::new(authorizations),
        flows: Arc::new(flows),
        catalog: Arc::new(catalog),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
        settings: TokenSettings::default(),
    }
}

async fn run(exchanging: &ExchangeCode) -> Result<FlowOutcome, StoreError> {
    let code = Secret::new("code".to_owned());
    exchanging.run(used_up(), provider(), code, Some("request".to_owned())).await
}

#[tokio::test(start_paused = true)]
async fn authorization_flow_and_audit_land_in_one_commit() {
    let commits = Commits::default();
    let outcome =
        run(&exchanging(telling(new_tokens, Ok(identity())), finding(None), commits.store())).await.unwrap();
    assert_eq!(commits.count(), 1);
    let inserted = row!(commits.last(), Insert(Authorization));
    assert_eq!(outcome, FlowOutcome::Authorized(inserted.id));
    assert_eq!(opened(inserted.access_token_place(), &inserted.access_token).as_deref(), Some("new access"));
    let finished = row!(commits.last(), Update(Flow));
    assert!(matches!(finished.stage, FlowStage::Finished { redeemed: Some(_), .. }));
    let actions: Vec<_> = commits.last_audited().into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(actions, [AuditAction::AuthorizationGranted, AuditAction::FlowFinished]);
    for change in commits.last() {
        if let Change::Audit(entry) = change {
            assert_eq!(entry.request_id.as_deref(), Some("request"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn granted_scopes_are_those_of_the_answer() {
    let commits = Commits::default();
    let scopes = || Some(crate::authorizations::Scopes::parse("openid"));
    let tokens = move || TokenSet { scopes: scopes(), ..new_tokens() };
    run(&exchanging(telling(tokens, Ok(identity())), finding(None), commits.store())).await.unwrap();
    let inserted = row!(commits.last(), Insert(Authorization));
    assert_eq!(inserted.granted_scopes, scopes().unwrap());
    assert_eq!(inserted.requested_scopes, flow().scopes);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_somebody_else_was_faster_than_is_decided_anew() {
    for conflict in [true, false] {
        let mut authorizations = MockAuthorizationStore::new();
        let mut reads = 0;
        authorizations.expect_authorization_for_identity().returning(move |_, _, _, _| {
            reads += 1;
            Ok((reads > 1).then(authorization))
        });
        let commits = Commits::default();
        let store = commits.answering(move |commit| match commit {
            0 if conflict => Err(CommitError::Conflict),
            0 => Err(CommitError::Duplicate(Unique::Identity)),
            _ => Ok(()),
        });
        let outcome = run(&exchanging(telling(new_tokens, Ok(identity())), authorizations, store)).await;
        assert_eq!(outcome.unwrap(), FlowOutcome::Authorized(authorization().id));
        assert_eq!(row!(commits.last(), Update(Authorization)).id, authorization().id);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_an_error_in_the_end() {
    let commits = Commits::default();
    let store = commits.answering(|_| Err(CommitError::Conflict));
    let outcome = run(&exchanging(telling(new_tokens, Ok(identity())), finding(None), store)).await;
    assert!(matches!(outcome, Err(StoreError::Unexpected(_))));
    assert_eq!(commits.count(), usize::try_from(TRIES).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_costs_nobody_their_tokens() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit < 60 { Err(unavailable().into()) } else { Ok(()) });
    let exchanging = exchanging(telling(new_tokens, Ok(identity())), finding(None), store);
    assert!(matches!(run(&exchanging).await.unwrap(), FlowOutcome::Authorized(_)));
    assert_eq!(exchanging.clock.now(), START + TimeDelta::minutes(1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_is_given_up_in_the_end() {
    let store = Commits::default().answering(|_| Err(unavailable().into()));
    let exchanging = exchanging(telling(new_tokens, Ok(identity())), finding(None), store);
    assert!(matches!(run(&exchanging).await, Err(StoreError::Unavailable(_))));
    assert_eq!(exchanging.clock.now(), START + STORE_PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn tokens_outlive_the_flow_that_brought_them() {
    let mut no_flow = MockFlowStore::new();
    no_flow.expect_flow().returning(|_| Ok(None));
    let mut no_provider = MockProviderCatalog::new();
    no_provider.expect_provider().returning(|_, _| Ok(None));
    let commits = Commits::default();
    let exchanging = ExchangeCode {
        flows: Arc::new(no_flow),
        catalog: Arc::new(no_provider),
        ..exchanging(telling(new_tokens, Ok(identity())), finding(None), commits.store())
    };
    let refused = FlowOutcome::Refused("provider_deleted".to_owned());
    assert_eq!(run(&exchanging).await.unwrap(), refused);
    let revocation = row!(commits.last(), Insert(Revocation));
    let token = revocation.refresh_token.as_ref().unwrap();
    assert_eq!(opened(revocation.refresh_token_place(), token).as_deref(), Some("new refresh"));
}

#[tokio::test(start_paused = true)]
async fn each_failure_of_the_provider_has_its_outcome() {
    let refused = |reason: &str| FlowOutcome::Refused(reason.to_owned());
    let unavailable = |reason: &str| FlowOutcome::Unavailable(reason.to_owned());
    let code = |code: &str| code.to_owned();
    for (error, expected) in [
        (UpstreamError::GrantRefused { code: code("invalid_grant") }, refused("invalid_grant")),
        (UpstreamError::InteractionRequired { code: code("login_required") }, refused("login_required")),
        (UpstreamError::Untrusted { reason: "nonce" }, refused("nonce")),
        (UpstreamError::RateLimited { retry_after: None }, unavailable("rate_limited")),
        (UpstreamError::Unavailable { reason: "connect", retry_after: None }, unavailable("connect")),
    ] {
        let commits = Commits::default();
        let outcome = run(&exchanging(refusing(error), finding(None), commits.store())).await;
        assert_eq!(outcome.unwrap(), expected);
        let FlowStage::Finished { outcome, .. } = row!(commits.last(), Update(Flow)).stage else {
            panic!("the flow is over");
        };
        assert_eq!(outcome, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_the_flow_that_does_not_open_sends_no_code() {
    let commits = Commits::default();
    let mut client = MockProviderClient::new();
    client.expect_exchange_code().never();
    let exchanging = exchanging(client, finding(None), commits.store());
    let swapped = Flow { pkce_verifier: Some(used_up().nonce), ..used_up() };
    let outcome = exchanging.run(swapped, provider(), Secret::new("code".to_owned()), None).await;
    assert_eq!(outcome.unwrap(), FlowOutcome::Unavailable("secret_rejected".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn tokens_without_a_certain_owner_are_to_be_revoked() {
    let commits = Commits::default();
    let told = Err(UpstreamError::Untrusted { reason: "subject_mismatch" });
    run(&exchanging(telling(new_tokens, told), finding(None), commits.store())).await.unwrap();
    let revocation = row!(commits.last(), Insert(Revocation));
    let token = revocation.access_token.as_ref().unwrap();
    assert_eq!(opened(revocation.access_token_place(), token).as_deref(), Some("new access"));
}

#[tokio::test(start_paused = true)]
async fn tokens_whose_id_token_does_not_hold_are_revoked() {
    let commits = Commits::default();
    let distrusted = || TokenSet {
        distrust: Some(UpstreamError::Untrusted { reason: "id_token_signature" }),
        ..new_tokens()
    };
    let outcome = run(&exchanging(telling(distrusted, Ok(identity())), finding(None), commits.store())).await;
    assert_eq!(outcome.unwrap(), FlowOutcome::Refused("id_token_signature".to_owned()));
    let revocation = row!(commits.last(), Insert(Revocation));
    assert!(revocation.access_token.is_some() && revocation.refresh_token.is_some());
}
