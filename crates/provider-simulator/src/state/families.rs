//! Families of tokens: all that came of one authorization lives and dies together.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};

use super::User;

/// Names a family in the stats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FamilyId(usize);

impl fmt::Display for FamilyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "family-{}", self.0 + 1)
    }
}

/// What a user has allowed a client.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    pub(super) client_id: String,
    /// Whether the client has no secret, as those on devices.
    pub(super) public_client: bool,
    pub(super) user: User,
    pub(super) scopes: Vec<String>,
    /// The `nonce` of the authorization request (OpenID Connect Core section 3.1.2.1).
    pub(super) nonce: Option<String>,
    /// When the user agreed.
    pub(super) authenticated_at: DateTime<Utc>,
}

/// The tokens of one authorization.
pub(super) struct Family {
    pub(super) authorization: Authorization,
    /// Once dead it never lives again, and none of its tokens works.
    pub(super) alive: bool,
    /// The refresh token in use.
    pub(super) refresh_token: Option<String>,
    /// How many refresh tokens it had.
    generations: u32,
}

struct AccessToken {
    family: FamilyId,
    scopes: Vec<String>,
    expires_at: DateTime<Utc>,
    revoked: bool,
}

/// What is known of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub(super) family: FamilyId,
    /// 1 is the first of its family.
    pub(super) generation: u32,
    /// When another one replaced it.
    pub(super) replaced_at: Option<DateTime<Utc>>,
}

/// All families and their tokens. Dead ones are kept, so that a token of theirs is still recognized.
#[derive(Default)]
pub(super) struct Families {
    /// A family is where its id says.
    all: Vec<Family>,
    access_tokens: HashMap<String, AccessToken>,
    refresh_tokens: HashMap<String, RefreshToken>,
}

impl Families {
    /// Begins a family without tokens.
    pub(super) fn begin(&mut self, authorization: Authorization) -> FamilyId {
        self.all.push(Family { authorization, alive: true, refresh_token: None, generations: 0 });
        FamilyId(self.all.len() - 1)
    }

    /// The family; ids come from [`Self::begin`] only, and families are never removed.
    pub(super) fn get(&self, id: FamilyId) -> &Family {
        &self.all[id.0]
    }

    /// All families.
    pub(super) fn iter(&self) -> impl Iterator<Item = (FamilyId, &Family)> {
        self.all.iter().enumerate().map(|(index, family)| (FamilyId(index), family))
    }

    /// Ends a family with all its tokens.
    pub(super) fn kill(&mut self, id: FamilyId) {
        self.all[id.0].alive = false;
    }

    /// Adds an access token.
    pub(super) fn add_access_token(
        &mut self,
        family: FamilyId,
        token: &str,
        scopes: Vec<String>,
        expires_at: DateTime<Utc>,
    ) {
        let token_is = AccessToken { family, scopes, expires_at, revoked: false };
        self.access_tokens.insert(token.to_owned(), token_is);
    }

    /// Adds a refresh token; the one in use so far counts as replaced from now on.
    pub(super) fn add_refresh_token(&mut self, id: FamilyId, token: &str, now: DateTime<Utc>) {
        let family = &mut self.all[id.0];
        family.generations += 1;
        let generation = family.generations;
        let replaced = family.refresh_token.replace(token.to_owned());
        if let Some(replaced) = replaced.and_then(|replaced| self.refresh_tokens.get_mut(&replaced)) {
            replaced.replaced_at = Some(now);
        }
        self.refresh_tokens
            .insert(token.to_owned(), RefreshToken { family: id, generation, replaced_at: None });
    }

    /// What is known of a refresh token, dead or alive.
    pub(super) fn refresh_token(&self, token: &str) -> Option<RefreshToken> {
        self.refresh_tokens.get(token).copied()
    }

    /// The family of any token, dead or alive.
    pub(super) fn of_token(&self, token: &str) -> Option<FamilyId> {
        let refresh = self.refresh_token(token).map(|token| token.family);
        refresh.or_else(|| self.access_tokens.get(token).map(|token| token.family))
    }

    /// The authorization and the scopes behind an access token that works now.
    pub(super) fn live(&self, access_token: &str, now: DateTime<Utc>) -> Option<(&Authorization, &[String])> {
        let token = self.access_tokens.get(access_token)?;
        let family = self.get(token.family);
        let works = family.alive && !token.revoked && now < token.expires_at;
        works.then_some((&family.authorization, &token.scopes))
    }

    /// Ends one access token, nothing else.
    pub(super) fn revoke_access_token(&mut self, token: &str) {
        if let Some(token) = self.access_tokens.get_mut(token) {
            token.revoked = true;
        }
    }
}
