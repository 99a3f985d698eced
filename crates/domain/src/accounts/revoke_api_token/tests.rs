use super::*;
use crate::accounts::MockApiTokenStore;
use crate::fixtures::{Commits, CountingRandom, START, VirtualClock, api_token, caller, uuid};
use crate::{MockUnitOfWork, Row};

/// Token 1, its sessions 2 and 3 (which has expired), token 4 with its session 5, and session 6, which was opened at a provider.
fn revoking(store: Arc<MockUnitOfWork>) -> RevokeApiToken {
    let opened_with = |number| TokenPurpose::Session { opened_with: ApiTokenId::from_uuid(uuid(number)) };
    let all = vec![
        api_token(1, TokenPurpose::Api),
        api_token(2, opened_with(1)),
        ApiToken { expires_at: Some(START), ..api_token(3, opened_with(1)) },
        api_token(4, TokenPurpose::Api),
        api_token(5, opened_with(4)),
        api_token(6, opened_with(6)),
    ];
    let mut tokens = MockApiTokenStore::new();
    let known = all.clone();
    tokens.expect_token().returning(move |id| Ok(known.iter().find(|token| token.id == id).cloned()));
    tokens.expect_tokens_of().returning(move |_| Ok(all.clone()));
    RevokeApiToken {
        tokens: Arc::new(tokens),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_takes_its_sessions_along() {
    let commits = Commits::default();
    revoking(commits.store()).run(ApiTokenId::from_uuid(uuid(1))).await.unwrap();
    let mut revoked: Vec<_> = commits
        .last()
        .into_iter()
        .filter_map(|change| match change {
            Change::Update(Row::ApiToken(token)) => Some((token.id.as_uuid().as_u128(), token.revoked_at)),
            _ => None,
        })
        .collect();
    revoked.sort();
    assert_eq!(revoked, [(1, Some(START)), (2, Some(START))]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_opened_at_a_provider_is_revoked_once() {
    let commits = Commits::default();
    revoking(commits.store()).run(ApiTokenId::from_uuid(uuid(6))).await.unwrap();
    let revoked = crate::fixtures::row!(commits.last(), Update(ApiToken));
    assert_eq!((revoked.id, revoked.revoked_at), (ApiTokenId::from_uuid(uuid(6)), Some(START)));
}

#[tokio::test(start_paused = true)]
async fn a_caller_revokes_what_is_theirs_and_the_record_names_them() {
    let commits = Commits::default();
    let id = ApiTokenId::from_uuid(uuid(4));
    let revoked = revoking(commits.store()).of_caller(&caller(), id).await.unwrap();
    assert_eq!((revoked.id, revoked.revoked_at), (id, Some(START)));
    let audited = commits.last().into_iter().find_map(|change| match change {
        Change::Audit(entry) => Some((entry.actor, entry.subject, entry.request_id)),
        _ => None,
    });
    let (account_id, token_id) = (caller().account_id, caller().token_id);
    let actor = Actor::Account { account_id, token_id };
    assert_eq!(audited, Some((actor, Some(id.to_string()), caller().request_id)));
}

#[tokio::test(start_paused = true)]
async fn a_caller_revokes_nothing_of_anybody_else_in_the_same_organization_or_another() {
    let commits = Commits::default();
    let stranger = Caller { account_id: crate::ids::AccountId::from_uuid(uuid(77)), ..caller() };
    for (who, token) in [(&stranger, 1), (&stranger, 4), (&caller(), 9)] {
        let revoked = revoking(commits.store()).of_caller(who, ApiTokenId::from_uuid(uuid(token))).await;
        assert!(matches!(revoked, Err(RevokeApiTokenError::NotFound)), "{token}");
    }
    assert_eq!(commits.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_revoked_already_stays_as_it_is() {
    let commits = Commits::default();
    let mut tokens = MockApiTokenStore::new();
    let before = START - chrono::TimeDelta::days(1);
    let dead = ApiToken { revoked_at: Some(before), ..api_token(1, TokenPurpose::Api) };
    tokens.expect_token().returning(move |_| Ok(Some(dead.clone())));
    let revoking = RevokeApiToken { tokens: Arc::new(tokens), ..revoking(commits.store()) };
    let id = ApiTokenId::from_uuid(uuid(1));
    assert_eq!(revoking.run(id).await.unwrap().revoked_at, Some(before));
    assert_eq!(revoking.of_caller(&caller(), id).await.unwrap().revoked_at, Some(before));
    assert_eq!(commits.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_token_and_a_race_are_told_apart() {
    let commits = Commits::default();
    let unknown = revoking(commits.store()).run(ApiTokenId::from_uuid(uuid(9))).await;
    assert!(matches!(unknown, Err(RevokeApiTokenError::NotFound)));
    let store = commits.answering(|_| Err(CommitError::Conflict));
    let raced = revoking(store).run(ApiTokenId::from_uuid(uuid(1))).await;
    assert!(matches!(raced, Err(RevokeApiTokenError::Conflict)));
}
