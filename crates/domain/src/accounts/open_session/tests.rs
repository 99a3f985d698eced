use super::*;
use crate::accounts::{Account, AuthenticateError, Role, TokenReach};
use crate::audit::AuditOutcome;
use crate::fixtures::{START, account};
use crate::login::fixtures::Installation;

/// An installation with one administrator.
async fn installation() -> Installation {
    let at = Installation::new().await;
    let admin = Account { role: Role::Admin, ..account() };
    at.store.commit(vec![Change::insert(admin)]).await.unwrap();
    at
}

/// A token of the administrator's.
async fn issued(at: &Installation, reach: TokenReach) -> IssuedToken {
    at.cases.issue_api_token.run(account().id, reach, None).await.ok().unwrap()
}

async fn open(at: &Installation, token: &IssuedToken) -> Result<(Caller, IssuedToken), OpenSessionError> {
    at.cases.open_session.run(token.secret.expose(), None).await
}

#[tokio::test(start_paused = true)]
async fn a_session_is_opened_with_a_token_of_the_account() {
    let at = installation().await;
    let token = issued(&at, TokenReach::Account).await;
    let (caller, session) = open(&at, &token).await.ok().unwrap();
    assert_eq!((caller.token_id, caller.role), (token.token.id, Role::Admin));
    assert_eq!(session.token.purpose, TokenPurpose::Session { opened_with: token.token.id });
    assert_eq!(session.token.expires_at, Some(START + SESSION_LIFETIME));
    assert!(at.opens(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_session_cannot_be_opened_with_an_agents_token_or_with_a_session() {
    let at = installation().await;
    let token = issued(&at, TokenReach::Account).await;
    let (_, session) = open(&at, &token).await.ok().unwrap();
    let agent = issued(&at, TokenReach::Agent).await;
    for other in [&session, &agent] {
        assert!(matches!(open(&at, other).await, Err(OpenSessionError::Refused)));
    }
    assert_eq!(at.audited(AuditAction::SessionOpened).await, [(AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn an_agents_token_is_issued_listed_and_revoked_like_any_other() {
    let at = installation().await;
    let agent = issued(&at, TokenReach::Agent).await;
    assert_eq!(agent.token.purpose, TokenPurpose::Agent);
    assert!(!at.opens(&agent).await, "what takes every token takes no agent's");
    let read = async || at.cases.authenticate.token_reader(agent.secret.expose(), None).await;
    assert_eq!(read().await.unwrap().role, Role::Member, "an administrator's agent is a member");
    let listed = at.cases.list_api_tokens.run(account().id).await.unwrap();
    assert_eq!(listed.iter().map(|token| token.id).collect::<Vec<_>>(), [agent.token.id]);
    at.cases.revoke_api_token.run(agent.token.id).await.unwrap();
    assert!(matches!(read().await, Err(AuthenticateError::Unauthenticated)));
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_the_token_that_opened_it() {
    let at = installation().await;
    let token = at
        .cases
        .issue_api_token
        .run(account().id, TokenReach::Account, Some(std::time::Duration::from_secs(60)))
        .await;
    let token = token.ok().unwrap();
    let (_, session) = open(&at, &token).await.ok().unwrap();
    at.sleep(60).await;
    assert!(!at.opens(&session).await);
}
