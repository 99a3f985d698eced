//! Listing an account's API tokens.

use std::sync::Arc;

use super::{ApiToken, ApiTokenStore, Caller, TokenPurpose};
use crate::StoreError;
use crate::ids::AccountId;

/// Lists the API tokens of an account, revoked and expired ones too, and the browsers that have signed in at a provider;
/// sessions that were opened with one of the tokens end with it, and are not among them.
pub struct ListApiTokens {
    /// Reads them.
    pub tokens: Arc<dyn ApiTokenStore>,
}

impl ListApiTokens {
    /// Oldest first.
    pub async fn run(&self, account: AccountId) -> Result<Vec<ApiToken>, StoreError> {
        let mut tokens = self.tokens.tokens_of(account).await?;
        tokens.retain(|token| match token.purpose {
            TokenPurpose::Api | TokenPurpose::Agent => true,
            TokenPurpose::Session { opened_with } => opened_with == token.id,
        });
        Ok(tokens)
    }

    /// The token that a caller called with; `None` where it has just been removed.
    pub async fn current(&self, caller: &Caller) -> Result<Option<ApiToken>, StoreError> {
        self.tokens.token(caller.token_id).await
    }
}

#[cfg(test)]
mod tests;
