//! Who there is, by number: everything about the authorization with a number can be told from the number.

use grantkeeper_domain::ids::AuthorizationId;
use uuid::Uuid;

/// When everything was made, in milliseconds since 1970: 2026-01-01.
pub(crate) const SEEDED_AT: i64 = 1_767_225_600_000;

/// So many authorizations, spread evenly over accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Population {
    /// How many authorizations there are.
    pub(crate) authorizations: u64,
    /// How long an access token is, in characters.
    pub(crate) access_token: u16,
    /// How many accounts they belong to, each with an API token: at most a thousand.
    pub(crate) accounts: u64,
    /// Whether somebody has had a token of each just before. Where not, the first hand-out of each is also noted with it, once in
    /// the better part of a day.
    pub(crate) in_use: bool,
}

/// A JWT with a handful of claims.
pub(crate) const JWT: u16 = 1_024;
/// A reference, as providers give that keep their claims to themselves.
pub(crate) const REFERENCE: u16 = 256;

impl Population {
    /// A hundred authorizations an account, as far as there are accounts.
    pub(crate) fn of(authorizations: u64, access_token: u16) -> Self {
        let accounts = (authorizations / 100).clamp(1, MOST_ACCOUNTS);
        Self { authorizations, access_token, accounts, in_use: true }
    }

    /// As many accounts whatever the number of authorizations, so that the size of one table is all that grows.
    pub(crate) fn of_same_accounts(authorizations: u64, access_token: u16) -> Self {
        Self { accounts: authorizations.clamp(1, MOST_ACCOUNTS), ..Self::of(authorizations, access_token) }
    }

    /// The same people, none of whom has used anything for months.
    pub(crate) fn long_unused(self) -> Self {
        Self { in_use: false, ..self }
    }

    /// The account whose authorization it is. Neighbours belong to different ones, as they do where people come one
    /// after the other.
    pub(crate) fn account_of(self, authorization: u64) -> usize {
        usize::try_from(authorization % self.accounts).expect("there are at most a thousand accounts")
    }
}

/// The most accounts that there are.
const MOST_ACCOUNTS: u64 = 1_000;

/// The id of an authorization: a UUID version 7 that counts, so that SQL can make it from the number as well.
pub(crate) fn authorization_id(authorization: u64) -> AuthorizationId {
    AuthorizationId::from_uuid(counted(authorization))
}

/// What every id of an authorization begins with; its number follows as twelve hexadecimal digits.
pub(crate) fn authorization_id_head() -> String {
    let mut id = counted(0).to_string();
    id.truncate(id.len() - 12);
    id
}

fn counted(number: u64) -> Uuid {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(SEEDED_AT.unsigned_abs(), &random).into_uuid()
}

/// What the access token of an authorization begins with: an answer can be checked to hold the right one.
pub(crate) fn token_head(authorization: u64) -> String {
    format!("{}.", authorization_id(authorization))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_be_made_of_its_number() {
        for number in [0, 1, 0xabc_def, (1 << 40) - 1] {
            let id = authorization_id(number);
            assert_eq!(id.to_string(), format!("{}{number:012x}", authorization_id_head()));
            assert_eq!(id.as_uuid().get_version_num(), 7);
        }
    }

    #[test]
    fn only_authorizations_grow_without_end() {
        let accounts = |authorizations| Population::of(authorizations, JWT).accounts;
        assert_eq!([1, 50, 1_000, 100_000, 5_000_000].map(accounts), [1, 1, 10, 1_000, 1_000]);
        let accounts = |authorizations| Population::of_same_accounts(authorizations, JWT).accounts;
        assert_eq!([50, 1_000, 5_000_000].map(accounts), [50, 1_000, 1_000]);
    }
}
