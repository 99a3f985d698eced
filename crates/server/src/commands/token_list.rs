//! `token list`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::accounts::ListApiTokens;
use serde::Serialize;

use super::named::Whose;
use super::shown::{ShownToken, or_dash};
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::report::write_table;
use crate::wiring::Administration;

/// List the API tokens of all accounts or of some, oldest first in each, those that are expired or revoked included, those of
/// agents, which read access tokens and no more, and the browsers that have signed in at a provider.
#[derive(Debug, Args)]
pub(crate) struct TokenList {
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Serialize)]
pub(crate) struct Tokens {
    tokens: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    token: ShownToken,
    /// The account's e-mail address.
    email: String,
    /// The organization's name.
    organization: String,
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tokens.is_empty() {
            return f.write_str("there are no API tokens; `grantkeeper token create` makes one");
        }
        let row = |Listed { token, email, organization }: &Listed| {
            [
                token.id.clone(),
                email.clone(),
                organization.clone(),
                token.kind.to_owned(),
                token.status.to_owned(),
                token.created_at.to_string(),
                or_dash(token.expires_at),
                or_dash(token.last_used_at),
            ]
        };
        let rows: Vec<_> = self.tokens.iter().map(row).collect();
        let head = ["ID", "EMAIL", "ORGANIZATION", "KIND", "STATUS", "CREATED", "EXPIRES", "LAST USED"];
        write_table(f, head, &rows)
    }
}

impl TokenList {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Tokens, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let now = with.clock.now();
        let list = ListApiTokens { tokens: with.store.clone() };
        let mut tokens = Vec::new();
        for (organization, account) in self.whose.accounts(&*with.store).await? {
            let found = list.run(account.id).await?;
            tokens.extend(found.iter().map(|token| Listed {
                token: ShownToken::of(token, now),
                email: account.email.as_str().to_owned(),
                organization: organization.name.as_str().to_owned(),
            }));
        }
        Ok(Tokens { tokens })
    }
}
