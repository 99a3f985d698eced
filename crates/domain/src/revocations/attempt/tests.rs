use super::*;
use crate::MockUnitOfWork;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, VirtualClock, endpoints, offering, provider, revocation, row,
    sharing, unavailable,
};
use crate::providers::{MockProviderCatalog, MockProviderClient, MockRevokeTokens, Provider, RevokeTokens};

/// A provider that must be shown both tokens and answers like this.
fn answering(answer: Result<(), UpstreamError>) -> MockProviderClient {
    let mut revoke = MockRevokeTokens::new();
    revoke.expect_scope().return_const(RevocationScope::Token);
    revoke
        .expect_revoke_token()
        .withf(|connection, tokens| {
            let text = |token: &Option<Secret>| token.as_ref().map(|token| token.expose().to_owned());
            connection.client_secret.expose() == "client secret"
                && text(&tokens.access_token).as_deref() == Some("old access")
                && text(&tokens.refresh_token).as_deref() == Some("old refresh")
        })
        .times(1)
        .returning(move |_, _| answer.clone());
    let revoke: Arc<dyn RevokeTokens> = Arc::new(revoke);
    let mut client = MockProviderClient::new();
    client.expect_revoke().returning(move |_| Some(Arc::clone(&revoke)));
    client
}

fn attempting(
    at: Result<Option<Provider>, ()>,
    client: MockProviderClient,
    store: Arc<MockUnitOfWork>,
) -> RevocationAttempt {
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(move |_, _| at.clone().map_err(|()| unavailable()));
    RevocationAttempt {
        catalog: Arc::new(catalog),
        grants: sharing(false),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
        settings: TokenSettings::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn each_answer_has_its_receipt() {
    use AuditOutcome::{Done, Failed, Refused};
    use RevocationStatus::{NotSupported, Pending, Revoked};
    let code = |code: &str| code.to_owned();
    for (answer, status, outcome, reason) in [
        (Ok(()), Revoked, Done, None),
        (Err(UpstreamError::TokenRefused), Revoked, Done, None),
        (Err(UpstreamError::GrantRefused { code: code("invalid_token") }), Revoked, Done, None),
        (
            Err(UpstreamError::GrantRefused { code: code("unsupported_token_type") }),
            NotSupported,
            Refused,
            Some("not_supported"),
        ),
        (
            Err(UpstreamError::ClientRefused { code: code("invalid_client") }),
            Pending,
            Failed,
            Some("invalid_client"),
        ),
        (Err(UpstreamError::RateLimited { retry_after: None }), Pending, Failed, Some("rate_limited")),
    ] {
        let commits = Commits::default();
        let attempting = attempting(Ok(Some(provider())), answering(answer.clone()), commits.store());
        assert_eq!(attempting.run(revocation()).await.unwrap(), status, "{answer:?}");
        let written = row!(commits.last(), Update(Revocation));
        assert_eq!((written.status, written.attempts), (status, 1), "{answer:?}");
        let entry = (AuditAction::TokenRevoked, outcome, reason.map(str::to_owned));
        assert_eq!(commits.last_audited(), [entry], "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_provider_or_its_way_to_revoke_there_is_nothing_to_try() {
    let mut cannot = MockProviderClient::new();
    cannot.expect_revoke().returning(|_| None::<Arc<dyn RevokeTokens>>);
    for (at, client) in [(None, MockProviderClient::new()), (Some(provider()), cannot)] {
        let commits = Commits::default();
        let status = attempting(Ok(at), client, commits.store()).run(revocation()).await.unwrap();
        assert_eq!(status, RevocationStatus::NotSupported);
        assert!(row!(commits.last(), Update(Revocation)).access_token.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_overtaken_leaves_the_receipt_to_the_other() {
    let store = Commits::default().answering(|_| Err(CommitError::Conflict));
    let attempting = attempting(Ok(Some(provider())), answering(Ok(())), store);
    assert!(attempting.run(revocation()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_no_attempt() {
    let commits = Commits::default();
    let attempted = attempting(Err(()), MockProviderClient::new(), commits.store()).run(revocation()).await;
    assert!(matches!(attempted, Err(StoreError::Unavailable(_))));
    assert_eq!(commits.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_do_not_open_are_an_attempt_that_failed() {
    let commits = Commits::default();
    let mut client = MockProviderClient::new();
    client.expect_revoke().returning(|_| Some(Arc::new(MockRevokeTokens::new())));
    let swapped = Revocation { access_token: revocation().refresh_token, ..revocation() };
    let status = attempting(Ok(Some(provider())), client, commits.store()).run(swapped).await.unwrap();
    assert_eq!(status, RevocationStatus::Pending);
    assert_eq!(row!(commits.last(), Update(Revocation)).last_error.as_deref(), Some("secret_rejected"));
}

/// A provider whose revocations take that away, and which is asked so often.
fn taking(scope: RevocationScope, times: usize) -> MockProviderClient {
    let mut revoke = MockRevokeTokens::new();
    revoke.expect_scope().return_const(scope);
    revoke.expect_revoke_token().times(times).returning(|_, _| Ok(()));
    let revoke: Arc<dyn RevokeTokens> = Arc::new(revoke);
    let mut client = MockProviderClient::new();
    client.expect_revoke().returning(move |_| Some(Arc::clone(&revoke)));
    client
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_somebody_else_lives_by_is_not_ended() {
    use RevocationScope::{Grant, Pair, Project, Token};
    for (scope, is_shared, is_spared) in [
        (Token, true, false),
        (Pair, true, false),
        (Grant, true, true),
        (Project, true, true),
        (Grant, false, false),
        (Project, false, false),
    ] {
        let commits = Commits::default();
        let attempting = RevocationAttempt {
            grants: sharing(is_shared),
            ..attempting(Ok(Some(provider())), taking(scope, usize::from(!is_spared)), commits.store())
        };
        attempting.run(revocation()).await.unwrap();
        let written = row!(commits.last(), Update(Revocation));
        let (status, reason, outcome) = if is_spared {
            (RevocationStatus::NotSupported, Some("shared_grant".to_owned()), AuditOutcome::Refused)
        } else {
            (RevocationStatus::Revoked, None, AuditOutcome::Done)
        };
        assert_eq!((written.status, &written.last_error), (status, &reason), "{scope:?}");
        assert_eq!((written.access_token, written.refresh_token), (None, None), "{scope:?}");
        assert_eq!(commits.last_audited(), [(AuditAction::TokenRevoked, outcome, reason)], "{scope:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_nobody_knows_whom_share_nothing_that_is_known() {
    let commits = Commits::default();
    let mut grants = crate::revocations::MockSharedGrants::new();
    grants.expect_has_live_authorization().never();
    let attempting = RevocationAttempt {
        grants: Arc::new(grants),
        ..attempting(Ok(Some(provider())), taking(RevocationScope::Grant, 1), commits.store())
    };
    let nobodys = Revocation { resource_owner: None, ..revocation() };
    assert_eq!(attempting.run(nobodys).await.unwrap(), RevocationStatus::Revoked);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_knows_where_the_person_can_look_when_the_provider_is_gone() {
    let settings_url = Some(endpoints().authorization);
    let mut known = provider();
    known.endpoints.settings_url.clone_from(&settings_url);
    let mut cannot = MockProviderClient::new();
    cannot.expect_revoke().returning(|_| None::<Arc<dyn RevokeTokens>>);
    let commits = Commits::default();
    attempting(Ok(Some(known)), cannot, commits.store()).run(revocation()).await.unwrap();
    let receipt = row!(commits.last(), Update(Revocation));
    assert_eq!(receipt.settings_url, settings_url);

    let commits = Commits::default();
    attempting(Ok(None), MockProviderClient::new(), commits.store()).run(*receipt).await.unwrap();
    assert_eq!(row!(commits.last(), Update(Revocation)).settings_url, settings_url);
}
