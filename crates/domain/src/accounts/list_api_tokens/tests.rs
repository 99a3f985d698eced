use super::*;
use crate::Version;
use crate::accounts::MockApiTokenStore;
use crate::fixtures::{START, caller, hash, uuid};
use crate::ids::ApiTokenId;

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

#[tokio::test]
async fn browsers_that_signed_in_at_a_provider_are_listed_and_sessions_of_listed_tokens_are_not() {
    let opened_with = |number| TokenPurpose::Session { opened_with: ApiTokenId::from_uuid(uuid(number)) };
    let mut tokens = MockApiTokenStore::new();
    tokens.expect_tokens_of().withf(|account| *account == caller().account_id).returning(move |_| {
        let dead = ApiToken { revoked_at: Some(START), ..token(3, TokenPurpose::Api) };
        Ok(vec![token(1, TokenPurpose::Api), token(2, opened_with(1)), dead, token(4, opened_with(4))])
    });
    let listed = ListApiTokens { tokens: Arc::new(tokens) }.run(caller().account_id).await.unwrap();
    let numbers = listed.iter().map(|token| token.id.as_uuid().as_u128()).collect::<Vec<_>>();
    assert_eq!(numbers, [1, 3, 4]);
}

#[tokio::test]
async fn the_current_token_is_the_one_that_the_caller_called_with() {
    let mut tokens = MockApiTokenStore::new();
    tokens.expect_token().times(1).returning(|id| Ok(Some(ApiToken { id, ..token(3, TokenPurpose::Api) })));
    let current = ListApiTokens { tokens: Arc::new(tokens) }.current(&caller()).await.unwrap();
    assert_eq!(current.map(|token| token.id), Some(caller().token_id));
}
