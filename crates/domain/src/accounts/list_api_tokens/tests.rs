use super::*;
use crate::accounts::MockApiTokenStore;
use crate::fixtures::{START, api_token, caller, uuid};
use crate::ids::ApiTokenId;

#[tokio::test]
async fn browsers_that_signed_in_at_a_provider_are_listed_and_sessions_of_listed_tokens_are_not() {
    let opened_with = |number| TokenPurpose::Session { opened_with: ApiTokenId::from_uuid(uuid(number)) };
    let mut tokens = MockApiTokenStore::new();
    tokens.expect_tokens_of().withf(|account| *account == caller().account_id).returning(move |_| {
        let dead = ApiToken { revoked_at: Some(START), ..api_token(3, TokenPurpose::Api) };
        Ok(vec![
            api_token(1, TokenPurpose::Api),
            api_token(2, opened_with(1)),
            dead,
            api_token(4, opened_with(4)),
        ])
    });
    let listed = ListApiTokens { tokens: Arc::new(tokens) }.run(caller().account_id).await.unwrap();
    let numbers = listed.iter().map(|token| token.id.as_uuid().as_u128()).collect::<Vec<_>>();
    assert_eq!(numbers, [1, 3, 4]);
}

#[tokio::test]
async fn the_current_token_is_the_one_that_the_caller_called_with() {
    let mut tokens = MockApiTokenStore::new();
    tokens
        .expect_token()
        .times(1)
        .returning(|id| Ok(Some(ApiToken { id, ..api_token(3, TokenPurpose::Api) })));
    let current = ListApiTokens { tokens: Arc::new(tokens) }.current(&caller()).await.unwrap();
    assert_eq!(current.map(|token| token.id), Some(caller().token_id));
}
