//! `token list`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::accounts::ListApiTokens;
use serde::Serialize;

use super::named;
use super::shown::{ShownToken, or_dash};
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::report::write_table;
use crate::wiring::Administration;

/// List the API tokens of an account, oldest first, those that are expired or revoked included.
#[derive(Debug, Args)]
pub(crate) struct TokenList {
    /// The account, by id or e-mail address.
    #[arg(long)]
    account: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Tokens {
    tokens: Vec<ShownToken>,
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tokens.is_empty() {
            return f.write_str("the account has no API tokens");
        }
        let row = |token: &ShownToken| {
            [
                token.id.clone(),
                token.status.to_owned(),
                token.created_at.to_string(),
                or_dash(token.expires_at),
                or_dash(token.last_used_at),
            ]
        };
        let rows: Vec<_> = self.tokens.iter().map(row).collect();
        write_table(f, ["ID", "STATUS", "CREATED", "EXPIRES", "LAST USED"], &rows)
    }
}

impl TokenList {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Tokens, Failure> {
        let with = Administration::open(&options.settings(&[])?)?;
        let account = named::account(&*with.store, &self.account).await?;
        let now = with.clock.now();
        let tokens = ListApiTokens { tokens: with.store }.run(account.id).await?;
        Ok(Tokens { tokens: tokens.iter().map(|token| ShownToken::of(token, now)).collect() })
    }
}
