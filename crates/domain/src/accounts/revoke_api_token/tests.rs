use super::*;
use crate::accounts::MockApiTokenStore;
use crate::fixtures::{Commits, CountingRandom, START, VirtualClock, caller, hash, uuid};
use crate::{MockUnitOfWork, Row, Version};

fn token(number: u128, purpose: TokenPurpose) -> ApiToken {
    ApiToken {
        id: ApiTokenId::from_uuid(uuid(number)),
        account_id: caller().account_id,
        organization_id: caller().organization_id,
        hash: hash(number),
        purpose,
        created_at: START,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: Version::FIRST,
    }
}

/// Token 1, its sessions 2 and 3 (which has expired), and token 4 with its session 5.
fn revoking(store: Arc<MockUnitOfWork>) -> RevokeApiToken {
    let opened_with = |number| TokenPurpose::Session { opened_with: ApiTokenId::from_uuid(uuid(number)) };
    let all = vec![
        token(1, TokenPurpose::Api),
        token(2, opened_with(1)),
        ApiToken { expires_at: Some(START), ..token(3, opened_with(1)) },
        token(4, TokenPurpose::Api),
        token(5, opened_with(4)),
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
async fn an_unknown_token_and_a_race_are_told_apart() {
    let commits = Commits::default();
    let unknown = revoking(commits.store()).run(ApiTokenId::from_uuid(uuid(9))).await;
    assert!(matches!(unknown, Err(RevokeApiTokenError::NotFound)));
    let store = commits.answering(|_| Err(CommitError::Conflict));
    let raced = revoking(store).run(ApiTokenId::from_uuid(uuid(1))).await;
    assert!(matches!(raced, Err(RevokeApiTokenError::Conflict)));
}
