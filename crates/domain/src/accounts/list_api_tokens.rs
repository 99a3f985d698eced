//! Listing an account's API tokens: an operator's command.

use std::sync::Arc;

use super::{ApiToken, ApiTokenStore, TokenPurpose};
use crate::StoreError;
use crate::ids::AccountId;

/// Lists the API tokens of an account, revoked and expired ones too; browser sessions are not among them.
pub struct ListApiTokens {
    /// Reads them.
    pub tokens: Arc<dyn ApiTokenStore>,
}

impl ListApiTokens {
    /// Oldest first.
    pub async fn run(&self, account: AccountId) -> Result<Vec<ApiToken>, StoreError> {
        let mut tokens = self.tokens.tokens_of(account).await?;
        tokens.retain(|token| token.purpose == TokenPurpose::Api);
        Ok(tokens)
    }
}
