use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::authorizations::MockAuthorizationStore;
use crate::fixtures::{
    Commits, START, VirtualClock, authorization, flow, found_in_turn, identity, keeping_grants, known_as,
    new_tokens, opened, provider, row, sealed, standing, unavailable,
};
use crate::persist::TRIES;
use crate::providers::{ExpectedUser, IdentifyUser, MockIdentifyUser, MockProviderClient};
use crate::{MockUnitOfWork, Row, Secret, Unique};

/// A flow whose row is found like this by each look in turn; the last one stays.
struct Ending(Mutex<VecDeque<FlowEnd>>);

impl Ending {
    /// Still there, and to be written with whatever comes.
    fn open() -> Self {
        Self::in_turn([])
    }

    fn in_turn(ends: impl IntoIterator<Item = FlowEnd>) -> Self {
        Self(Mutex::new(ends.into_iter().collect()))
    }
}

#[async_trait]
impl EndFlow for Ending {
    async fn end(&self, outcome: &FlowOutcome) -> Result<FlowEnd, StoreError> {
        let told = self.0.lock().unwrap().pop_front();
        Ok(told.unwrap_or_else(|| ended(outcome.clone())))
    }
}

fn ended(outcome: FlowOutcome) -> FlowEnd {
    FlowEnd::Change(Box::new(Change::update(flow().finished(outcome, START))))
}

fn errand() -> Errand {
    Errand { request_id: Some("request".to_owned()), ..Errand::from(&flow()) }
}

fn keeping(store: Arc<MockUnitOfWork>) -> KeepGrant {
    keeping_grants(found_in_turn([Some(provider())]), store, &VirtualClock::start())
}

fn granted() -> Answered {
    with(new_tokens())
}

fn with(tokens: TokenSet) -> Answered {
    Answered::Tokens(Box::new(Granted { tokens, identity: identity(), asked: START }))
}

async fn keep(grants: &KeepGrant, answered: &Answered) -> Result<FlowOutcome, StoreError> {
    grants.keep(&errand(), &provider(), answered, &Ending::open()).await
}

fn code(code: &str) -> String {
    code.to_owned()
}

/// The revocation of the last commit has both new tokens.
fn assert_revoked(commits: &Commits) {
    let revocation = row!(commits.last(), Insert(Revocation));
    let (access, refresh) =
        (revocation.access_token.as_ref().unwrap(), revocation.refresh_token.as_ref().unwrap());
    assert_eq!(opened(revocation.access_token_place(), access).as_deref(), Some("new access"));
    assert_eq!(opened(revocation.refresh_token_place(), refresh).as_deref(), Some("new refresh"));
}

#[tokio::test(start_paused = true)]
async fn authorization_flow_and_audit_land_in_one_commit() {
    let commits = Commits::default();
    let outcome = keep(&keeping(commits.store()), &granted()).await.unwrap();
    assert_eq!(commits.count(), 1);
    let inserted = row!(commits.last(), Insert(Authorization));
    assert_eq!(outcome, FlowOutcome::Authorized(inserted.id));
    assert_eq!(opened(inserted.access_token_place(), &inserted.access_token).as_deref(), Some("new access"));
    assert_eq!(inserted.redirect_uri, Some(flow().redirect_uri));
    assert_eq!(row!(commits.last(), Update(Flow)).stage, flow().finished(outcome, START).stage);
    let actions: Vec<_> = commits.last_audited().into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(actions, [AuditAction::AuthorizationGranted, AuditAction::FlowFinished]);
    for change in commits.last() {
        if let Change::Audit(entry) = change {
            assert_eq!(entry.request_id.as_deref(), Some("request"));
            assert_eq!(entry.authorization_id, Some(inserted.id));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn granted_scopes_are_those_of_the_answer() {
    let commits = Commits::default();
    let scopes = Scopes::parse("openid");
    let tokens = TokenSet { scopes: Some(scopes.clone()), ..new_tokens() };
    keep(&keeping(commits.store()), &with(tokens)).await.unwrap();
    let inserted = row!(commits.last(), Insert(Authorization));
    assert_eq!((inserted.granted_scopes, inserted.requested_scopes), (scopes, flow().scopes));
}

#[tokio::test(start_paused = true)]
async fn an_authorization_of_the_same_identity_gets_what_the_newest_flow_brought() {
    let before = Authorization {
        redirect_uri: Some("http://127.0.0.1/before".to_owned()),
        requested_scopes: Scopes::parse("openid before"),
        granted_scopes: Scopes::parse("openid before"),
        user: crate::authorizations::UserInfo::default(),
        ..authorization()
    };
    for (redirect_uri, refresh_token) in
        [(Some("http://127.0.0.1/now".to_owned()), true), (None, true), (None, false)]
    {
        let commits = Commits::default();
        let mut grants = keeping(commits.store());
        grants.authorizations = known_as(Some(before.clone()));
        let errand = Errand { redirect_uri: redirect_uri.clone(), ..errand() };
        let mut tokens = new_tokens();
        tokens.refresh_token = tokens.refresh_token.filter(|_| refresh_token);
        let outcome = grants.keep(&errand, &provider(), &with(tokens), &Ending::open()).await;
        assert_eq!(outcome.unwrap(), FlowOutcome::Authorized(before.id));
        let now = row!(commits.last(), Update(Authorization));
        // A refresh token that stays has to be redeemed with its own redirect URI.
        assert_eq!(now.redirect_uri, if refresh_token { redirect_uri } else { before.redirect_uri.clone() });
        assert_eq!((now.requested_scopes, now.granted_scopes), (flow().scopes, flow().scopes));
        assert_eq!((now.user, now.created_at), (identity().user, before.created_at));
    }
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
        let grants = KeepGrant { authorizations: Arc::new(authorizations), ..keeping(store) };
        let outcome = keep(&grants, &granted()).await;
        assert_eq!(outcome.unwrap(), FlowOutcome::Authorized(authorization().id));
        assert_eq!(row!(commits.last(), Update(Authorization)).id, authorization().id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_made_though_it_seemed_to_fail_is_not_made_again() {
    for failure in [|| CommitError::Conflict, || unavailable().into()] {
        let stored = FlowOutcome::Authorized(authorization().id);
        let flow = Ending::in_turn([ended(stored.clone()), FlowEnd::Ended(stored.clone())]);
        let commits = Commits::default();
        let mut grants = keeping(commits.answering(move |_| Err(failure())));
        grants.authorizations = known_as(Some(authorization()));
        let outcome = grants.keep(&errand(), &provider(), &granted(), &flow).await;
        assert_eq!((outcome.unwrap(), commits.count()), (stored, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_was_stored_though_it_seemed_to_fail_is_not_stored_again() {
    let stored = FlowOutcome::Refused(code("nonce"));
    let flow = Ending::in_turn([ended(stored.clone()), FlowEnd::Ended(stored.clone())]);
    let commits = Commits::default();
    let grants = keeping(commits.answering(|_| Err(unavailable().into())));
    let orphaned = Answered::Orphaned(Box::new(new_tokens()), UpstreamError::Untrusted { reason: "nonce" });
    let outcome = grants.keep(&errand(), &provider(), &orphaned, &flow).await;
    assert_eq!((outcome.unwrap(), commits.count()), (stored, 1));
}

#[tokio::test(start_paused = true)]
async fn tokens_for_a_flow_that_another_process_has_ended_are_revoked() {
    let orphaned = Answered::Orphaned(Box::new(new_tokens()), UpstreamError::Untrusted { reason: "nonce" });
    for answered in [granted(), orphaned] {
        let theirs = FlowOutcome::Refused(code("expired_token"));
        let flow = Ending::in_turn([FlowEnd::Ended(theirs.clone()), FlowEnd::Ended(theirs.clone())]);
        let commits = Commits::default();
        // A store that is away for a moment costs the revocation nothing either.
        let store = commits.answering(|commit| if commit == 0 { Err(unavailable().into()) } else { Ok(()) });
        let outcome = keeping(store).keep(&errand(), &provider(), &answered, &flow).await;
        assert_eq!((outcome.unwrap(), commits.count()), (theirs, 2));
        assert_revoked(&commits);
        let entry = (AuditAction::FlowFinished, AuditOutcome::Refused, Some(code("flow_ended")));
        assert_eq!(commits.last_audited(), [entry]);
        assert_eq!(commits.last().len(), 2, "the flow stays as it has ended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_flow_that_another_process_has_ended_changes_nothing() {
    let theirs = FlowOutcome::Authorized(authorization().id);
    let flow = Ending::in_turn([FlowEnd::Ended(theirs.clone())]);
    let commits = Commits::default();
    let late = Answered::Failed(UpstreamError::GrantRefused { code: code("expired_token") });
    let outcome = keeping(commits.store()).keep(&errand(), &provider(), &late, &flow).await;
    assert_eq!((outcome.unwrap(), commits.count()), (theirs, 0));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_an_error_in_the_end() {
    let commits = Commits::default();
    let grants = keeping(commits.answering(|_| Err(CommitError::Conflict)));
    assert!(matches!(keep(&grants, &granted()).await, Err(StoreError::Unexpected(_))));
    assert_eq!(commits.count(), usize::try_from(TRIES).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_costs_nobody_their_tokens() {
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit < 3_600 { Err(unavailable().into()) } else { Ok(()) });
    let grants = keeping(store);
    assert!(matches!(keep(&grants, &granted()).await.unwrap(), FlowOutcome::Authorized(_)));
    assert_eq!(grants.clock.now(), START + TimeDelta::hours(1));
}

#[tokio::test(start_paused = true)]
async fn tokens_outlive_the_flow_that_brought_them() {
    let commits = Commits::default();
    let flow = Ending::in_turn([FlowEnd::Gone]);
    let outcome = keeping(commits.store()).keep(&errand(), &provider(), &granted(), &flow).await;
    assert_eq!(outcome.unwrap(), FlowOutcome::Authorized(row!(commits.last(), Insert(Authorization)).id));
    assert!(!commits.last().iter().any(|change| matches!(change, Change::Update(_))));
}

#[tokio::test(start_paused = true)]
async fn tokens_for_a_provider_that_is_deleted_meanwhile_are_revoked() {
    let with = |status| Some(Provider { status, ..provider() });
    for now in [None, with(ProviderStatus::Deleting), with(ProviderStatus::DeletionFailed)] {
        let commits = Commits::default();
        let grants = KeepGrant { catalog: found_in_turn([now]), ..keeping(commits.store()) };
        let outcome = keep(&grants, &granted()).await;
        assert_eq!(outcome.unwrap(), FlowOutcome::Refused(code("provider_deleted")));
        assert_revoked(&commits);
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_for_an_account_that_is_deleted_meanwhile_are_revoked() {
    for now in [None, Some(Standing::Deleting)] {
        for existing in [None, Some(authorization())] {
            let commits = Commits::default();
            let grants = KeepGrant {
                accounts: standing(now),
                authorizations: known_as(existing),
                ..keeping(commits.store())
            };
            let outcome = keep(&grants, &granted()).await;
            assert_eq!(outcome.unwrap(), FlowOutcome::Refused(code("account_deleted")));
            assert_revoked(&commits);
            let owner = row!(commits.last(), Insert(Revocation)).resource_owner;
            assert_eq!(owner, Some(ResourceOwner::from(&identity())));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_for_a_provider_that_is_only_paused_or_disabled_are_kept() {
    for status in [ProviderStatus::Inactive, ProviderStatus::Disabled] {
        let now = found_in_turn([Some(Provider { status, ..provider() })]);
        let grants = KeepGrant { catalog: now, ..keeping(Commits::default().store()) };
        assert!(matches!(keep(&grants, &granted()).await.unwrap(), FlowOutcome::Authorized(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_without_a_certain_owner_are_to_be_revoked() {
    let commits = Commits::default();
    let untrusted = UpstreamError::Untrusted { reason: "subject_mismatch" };
    let orphaned = Answered::Orphaned(Box::new(new_tokens()), untrusted);
    let outcome = keep(&keeping(commits.store()), &orphaned).await;
    assert_eq!(outcome.unwrap(), FlowOutcome::Refused(code("subject_mismatch")));
    assert_revoked(&commits);
    let reason = Some(code("subject_mismatch"));
    assert_eq!(commits.last_audited(), [(AuditAction::FlowFinished, AuditOutcome::Refused, reason)]);
}

#[tokio::test(start_paused = true)]
async fn each_failure_of_the_provider_has_its_outcome_and_its_entry() {
    let refused = |reason: &str| (FlowOutcome::Refused(code(reason)), AuditOutcome::Refused);
    let away = |reason: &str| (FlowOutcome::Unavailable(code(reason)), AuditOutcome::Failed);
    for (error, (outcome, audited)) in [
        (UpstreamError::GrantRefused { code: code("invalid_grant") }, refused("invalid_grant")),
        (UpstreamError::ClientRefused { code: code("invalid_client") }, refused("invalid_client")),
        (UpstreamError::Misconfigured { code: code("invalid_scope") }, refused("invalid_scope")),
        (UpstreamError::InteractionRequired { code: code("login_required") }, refused("login_required")),
        (UpstreamError::TokenRefused, refused("invalid_token")),
        (UpstreamError::Untrusted { reason: "nonce" }, refused("nonce")),
        (UpstreamError::NotSupported, away("not_supported")),
        (UpstreamError::RateLimited { retry_after: None }, away("rate_limited")),
        (UpstreamError::Unavailable { reason: "connect", retry_after: None }, away("connect")),
    ] {
        let commits = Commits::default();
        let reason = Some(error.reason().to_owned());
        let kept = keep(&keeping(commits.store()), &Answered::Failed(error)).await;
        assert_eq!(kept.unwrap(), outcome);
        assert_eq!(commits.last_audited()[0], (AuditAction::FlowFinished, audited, reason));
        assert_eq!(row!(commits.last(), Update(Flow)).stage, flow().finished(outcome, START).stage);
    }
}

#[tokio::test(start_paused = true)]
async fn only_refused_credentials_disable_the_provider_and_only_those_that_it_still_has() {
    let new_secret =
        Provider { client_secret: sealed(provider().secret_place(), "new secret"), ..provider() };
    let paused = Provider { status: ProviderStatus::Inactive, ..provider() };
    let refused = || UpstreamError::ClientRefused { code: code("invalid_client") };
    let not_allowed = || UpstreamError::Misconfigured { code: code("unauthorized_client") };
    for (error, now, disables) in [
        (refused(), Some(provider()), true),
        (refused(), Some(new_secret), false),
        (refused(), Some(paused), false),
        (refused(), None, false),
        (not_allowed(), Some(provider()), false),
    ] {
        let commits = Commits::default();
        let grants = KeepGrant { catalog: found_in_turn([now.clone()]), ..keeping(commits.store()) };
        keep(&grants, &Answered::Failed(error)).await.unwrap();
        let is_disabled = |change: &Change| match change {
            Change::Update(Row::Provider(row)) => row.status == ProviderStatus::Disabled,
            _ => false,
        };
        assert_eq!(commits.last().iter().any(is_disabled), disables, "{now:?}");
    }
}

/// A provider that tells this about whoever has the token.
fn telling(told: Result<Identity, UpstreamError>) -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_identify().returning(move |_| {
        let told = told.clone();
        let mut identify = MockIdentifyUser::new();
        identify.expect_identify_user().returning(move |_, _, _| told.clone());
        Arc::new(identify)
    });
    client
}

/// Whose tokens these are, or why they are nobody's.
async fn owner(client: &MockProviderClient, tokens: TokenSet) -> Result<Identity, UpstreamError> {
    let grants = keeping(Commits::default().store());
    let connection = provider().connect(&*grants.sealer).await.unwrap();
    match grants.attribute(client, &connection, &Scopes::default(), tokens, START).await {
        Answered::Tokens(granted) => Ok(granted.identity),
        Answered::Orphaned(tokens, error) => {
            assert_eq!(tokens.access_token.expose(), "new access");
            Err(error)
        }
        Answered::Failed(error) => panic!("{error}"),
    }
}

fn down() -> UpstreamError {
    UpstreamError::Unavailable { reason: "connect", retry_after: None }
}

#[tokio::test(start_paused = true)]
async fn an_id_token_is_enough_where_the_profile_cannot_be_had() {
    let told = || TokenSet { identity: Some(identity()), ..new_tokens() };
    assert_eq!(owner(&telling(Err(down())), told()).await, Ok(identity()));
    assert_eq!(owner(&telling(Err(down())), new_tokens()).await, Err(down()));
    let another = UpstreamError::Untrusted { reason: "subject_mismatch" };
    assert_eq!(owner(&telling(Err(another.clone())), told()).await, Err(another));
}

#[tokio::test(start_paused = true)]
async fn what_a_profile_lacks_comes_from_the_id_token() {
    let named = |name: Option<&str>, email: Option<&str>| {
        let (name, email) = (name.map(str::to_owned), email.map(str::to_owned));
        let user = crate::authorizations::UserInfo { name, email, ..identity().user };
        Identity { user, ..identity() }
    };
    let told = TokenSet { identity: Some(named(Some("ada"), Some("ada@example.test"))), ..new_tokens() };
    let found = owner(&telling(Ok(named(Some("Ada"), None))), told).await;
    assert_eq!(found, Ok(named(Some("Ada"), Some("ada@example.test"))));
}

#[tokio::test(start_paused = true)]
async fn the_profile_has_to_be_of_whom_the_id_token_named() {
    let mut client = MockProviderClient::new();
    client.expect_identify().returning(|_| {
        let mut identify = MockIdentifyUser::new();
        identify
            .expect_identify_user()
            .withf(|_, token, expected| {
                token.expose() == "new access" && *expected == Some(identity().as_expected())
            })
            .times(1)
            .returning(|_, _, _| Ok(identity()));
        Arc::new(identify)
    });
    let told = TokenSet { identity: Some(identity()), ..new_tokens() };
    assert_eq!(owner(&client, told).await, Ok(identity()));
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_not_trusted_are_shown_to_nobody() {
    let forged = UpstreamError::Untrusted { reason: "id_token_signature" };
    let distrusted = TokenSet { distrust: Some(forged.clone()), identity: Some(identity()), ..new_tokens() };
    let mut client = MockProviderClient::new();
    client.expect_identify().never();
    assert_eq!(owner(&client, distrusted).await, Err(forged));
}

#[tokio::test(start_paused = true)]
async fn a_slow_profile_has_half_of_the_callers_patience() {
    struct Hanging;

    #[async_trait]
    impl IdentifyUser for Hanging {
        async fn identify_user<'a>(
            &self,
            _: &ProviderConnection,
            _: &Secret,
            _: Option<ExpectedUser<'a>>,
        ) -> Result<Identity, UpstreamError> {
            std::future::pending().await
        }
    }

    let mut client = MockProviderClient::new();
    client.expect_identify().returning(|_| Arc::new(Hanging));
    let grants = keeping(Commits::default().store());
    let connection = provider().connect(&*grants.sealer).await.unwrap();
    let told = TokenSet { identity: Some(identity()), ..new_tokens() };
    let answered = grants.attribute(&client, &connection, &Scopes::default(), told, START).await;
    assert!(matches!(answered, Answered::Tokens(_)));
    assert_eq!(grants.clock.now(), START + Duration::from_secs(2));
}

/// Waits for the profile like a client that has nothing else.
async fn patient_owner(
    mut answers: VecDeque<Result<Identity, UpstreamError>>,
) -> (Result<Identity, UpstreamError>, usize) {
    let left = Arc::new(Mutex::new(std::mem::take(&mut answers)));
    let asked = Arc::clone(&left);
    let mut client = MockProviderClient::new();
    client.expect_identify().returning(move |_| {
        let answers = Arc::clone(&left);
        let mut identify = MockIdentifyUser::new();
        identify
            .expect_identify_user()
            .returning(move |_, _, _| answers.lock().unwrap().pop_front().unwrap_or_else(|| Err(down())));
        Arc::new(identify) as Arc<dyn IdentifyUser>
    });
    let owner = owner(&client, TokenSet { identity: None, ..new_tokens() }).await;
    let unheard = asked.lock().unwrap().len();
    (owner, unheard)
}

#[tokio::test(start_paused = true)]
async fn where_only_the_profile_tells_whose_tokens_they_are_a_bad_moment_is_waited_for() {
    let limited = UpstreamError::RateLimited { retry_after: Some(Duration::from_secs(7)) };
    let at_once = UpstreamError::RateLimited { retry_after: Some(Duration::ZERO) };
    let answers = [Err(down()), Err(limited), Err(at_once), Ok(identity())];
    assert_eq!(patient_owner(answers.into()).await, (Ok(identity()), 0));
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_stays_away_or_is_refused_is_given_up() {
    assert_eq!(patient_owner(VecDeque::new()).await.0, Err(down()));
    // Without a pause this would go on without end.
    let at_once = || Err(UpstreamError::RateLimited { retry_after: Some(Duration::ZERO) });
    let (owner, unheard) = patient_owner((0..40).map(|_| at_once()).collect()).await;
    assert_eq!((owner, unheard), (at_once(), 10), "as often as there are seconds");
    let refused = [Err(UpstreamError::TokenRefused), Ok(identity())];
    assert_eq!(patient_owner(refused.into()).await, (Err(UpstreamError::TokenRefused), 1), "asked once");
    let long = UpstreamError::RateLimited { retry_after: Some(Duration::MAX) };
    assert_eq!(patient_owner([Err(long.clone()), Ok(identity())].into()).await, (Err(long), 1));
}

/// What a second authorization of the same identity does to the tokens of the first.
async fn replaced(scope: Option<RevocationScope>, before: Authorization, tokens: TokenSet) -> Commits {
    let commits = Commits::default();
    let mut grants = keeping(commits.store());
    grants.authorizations = known_as(Some(before));
    grants.clients = crate::fixtures::revoking(scope);
    keep(&grants, &with(tokens)).await.unwrap();
    commits
}

fn revokes(commits: &Commits) -> bool {
    commits.last().iter().any(|change| matches!(change, Change::Insert(Row::Revocation(_))))
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_replaced_are_revoked_where_nothing_else_goes_with_them() {
    for (scope, expected) in [
        (Some(RevocationScope::Token), true),
        (Some(RevocationScope::Pair), true),
        (Some(RevocationScope::Grant), false),
        (Some(RevocationScope::Project), false),
        (None, false),
    ] {
        let commits = replaced(scope, authorization(), new_tokens()).await;
        assert_eq!(revokes(&commits), expected, "{scope:?}");
        if expected {
            let revocation = row!(commits.last(), Insert(Revocation));
            let access = revocation.access_token.as_ref().unwrap();
            assert_eq!(opened(revocation.access_token_place(), access).as_deref(), Some("old access"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_stay_or_are_dead_are_not_revoked() {
    let pair = Some(RevocationScope::Pair);
    let without_refresh = TokenSet { refresh_token: None, ..new_tokens() };
    assert!(!revokes(&replaced(pair, authorization(), without_refresh).await), "the old refresh token stays");
    let the_same = Secret::new("old access".to_owned());
    let same = TokenSet { access_token: the_same, ..new_tokens() };
    assert!(!revokes(&replaced(pair, authorization(), same).await), "the provider gave the same token again");
    let the_same = Some(Secret::new("old refresh".to_owned()));
    let same = TokenSet { refresh_token: the_same, ..new_tokens() };
    assert!(!revokes(&replaced(pair, authorization(), same).await), "or the same refresh token");
    let waiting = GrantState::Dead { reason: "unverified_user_email".to_owned() };
    let waiting = Authorization { grant: waiting, ..authorization() };
    assert!(revokes(&replaced(pair, waiting, new_tokens()).await), "a grant that waits for the person lives");
    let dead = GrantState::Dead { reason: "invalid_grant".to_owned() };
    let dead = Authorization { grant: dead, refresh_token: None, ..authorization() };
    assert!(!revokes(&replaced(pair, dead, new_tokens()).await), "there is nothing left to revoke");
}

#[tokio::test(start_paused = true)]
async fn the_refresh_token_of_a_grant_that_waits_for_the_person_stays_where_there_is_no_other() {
    let grant = GrantState::Dead { reason: "invalid_rapt".to_owned() };
    let waiting = Authorization { grant, ..authorization() };
    let tokens = TokenSet { refresh_token: None, ..new_tokens() };
    let commits = replaced(None, waiting.clone(), tokens).await;
    let now = row!(commits.last(), Update(Authorization));
    assert_eq!((now.grant, now.refresh_token), (GrantState::Live, waiting.refresh_token));
}

#[tokio::test(start_paused = true)]
async fn orphans_are_forgotten_where_a_revocation_would_take_what_others_have() {
    let untrusted = UpstreamError::Untrusted { reason: "id_token_nonce" };
    for (scope, error, expected) in [
        (RevocationScope::Pair, down(), true),
        (RevocationScope::Grant, untrusted.clone(), true),
        (RevocationScope::Grant, down(), false),
        (RevocationScope::Project, untrusted, false),
    ] {
        let commits = Commits::default();
        let grants =
            KeepGrant { clients: crate::fixtures::revoking(Some(scope)), ..keeping(commits.store()) };
        let orphaned = Answered::Orphaned(Box::new(new_tokens()), error.clone());
        keep(&grants, &orphaned).await.unwrap();
        assert_eq!(revokes(&commits), expected, "{scope:?}");
    }
}
