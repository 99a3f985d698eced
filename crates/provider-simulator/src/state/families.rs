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
    /// `None`: the user made the token by hand, for no client.
    pub(super) client_id: Option<String>,
    /// Whether the client has no secret, as those on devices.
    pub(super) public_client: bool,
    pub(super) user: User,
    /// What the client asked for.
    pub(super) asked: Vec<String>,
    /// What it got.
    pub(super) scopes: Vec<String>,
    /// The `nonce` of the authorization request (OpenID Connect Core section 3.1.2.1).
    pub(super) nonce: Option<String>,
    /// When the user agreed.
    pub(super) authenticated_at: DateTime<Utc>,
    /// Whether a refresh token was asked for, where one has to ask.
    pub(super) offline: bool,
    /// Where the code was sent to.
    pub(super) redirect_uri: Option<String>,
    /// The directory of the account, where a provider has several.
    pub(super) directory: Option<&'static str>,
}

impl Authorization {
    /// Whether it is what this client was allowed.
    pub(super) fn is_of(&self, client_id: &str) -> bool {
        self.client_id.as_deref() == Some(client_id)
    }
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
    /// All its access tokens.
    access_tokens: Vec<String>,
}

struct AccessToken {
    family: FamilyId,
    scopes: Vec<String>,
    issued_at: DateTime<Utc>,
    /// `None` when it never expires.
    expires_at: Option<DateTime<Utc>>,
    revoked: bool,
    /// How many calls are refused before it is known everywhere.
    lag: u32,
}

/// What is known of an access token.
pub(super) struct IssuedToken<'a> {
    pub(super) authorization: &'a Authorization,
    pub(super) scopes: &'a [String],
    pub(super) issued_at: DateTime<Utc>,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// What is known of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub(super) family: FamilyId,
    /// 1 is the first of its family.
    pub(super) generation: u32,
    /// When another one replaced it.
    pub(super) replaced_at: Option<DateTime<Utc>>,
    /// When it was issued or last used.
    pub(super) last_used_at: DateTime<Utc>,
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
        self.all.push(Family {
            authorization,
            alive: true,
            refresh_token: None,
            generations: 0,
            access_tokens: Vec::new(),
        });
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

    /// Ends all families of a kind.
    pub(super) fn kill_all(&mut self, of_kind: impl Fn(&Authorization) -> bool) {
        self.all
            .iter_mut()
            .filter(|family| of_kind(&family.authorization))
            .for_each(|family| family.alive = false);
    }

    /// Ends the oldest families of a kind, so that only so many of them live.
    pub(super) fn keep_newest(&mut self, most: usize, of_kind: impl Fn(&Authorization) -> bool) {
        let alive = self.all.iter_mut().rev().filter(|family| family.alive && of_kind(&family.authorization));
        alive.skip(most).for_each(|family| family.alive = false);
    }

    /// Adds an access token that was issued now.
    pub(super) fn add_access_token(
        &mut self,
        family: FamilyId,
        token: &str,
        scopes: Vec<String>,
        issued_at: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
        lag: u32,
    ) {
        let token_is = AccessToken { family, scopes, issued_at, expires_at, revoked: false, lag };
        self.access_tokens.insert(token.to_owned(), token_is);
        self.all[family.0].access_tokens.push(token.to_owned());
    }

    /// Lets the access tokens of a family end by then.
    pub(super) fn end_access_tokens(&mut self, id: FamilyId, by: DateTime<Utc>) {
        for token in &self.all[id.0].access_tokens {
            if let Some(token) = self.access_tokens.get_mut(token) {
                token.expires_at = Some(token.expires_at.map_or(by, |at| at.min(by)));
            }
        }
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
        self.refresh_tokens.insert(
            token.to_owned(),
            RefreshToken { family: id, generation, replaced_at: None, last_used_at: now },
        );
    }

    /// What is known of a refresh token, dead or alive.
    pub(super) fn refresh_token(&self, token: &str) -> Option<RefreshToken> {
        self.refresh_tokens.get(token).copied()
    }

    /// Notes that a refresh token was used.
    pub(super) fn touch_refresh_token(&mut self, token: &str, now: DateTime<Utc>) {
        if let Some(token) = self.refresh_tokens.get_mut(token) {
            token.last_used_at = now;
        }
    }

    /// The family of any token, dead or alive.
    pub(super) fn of_token(&self, token: &str) -> Option<FamilyId> {
        let refresh = self.refresh_token(token).map(|token| token.family);
        refresh.or_else(|| self.access_tokens.get(token).map(|token| token.family))
    }

    /// What is known of an access token that works now.
    pub(super) fn live(&self, access_token: &str, now: DateTime<Utc>) -> Option<IssuedToken<'_>> {
        let token = self.access_tokens.get(access_token)?;
        let alive = self.get(token.family).alive && !token.revoked;
        (alive && token.expires_at.is_none_or(|at| now < at)).then(|| self.issued(token))
    }

    /// What is known of an access token, dead or alive.
    pub(super) fn access_token(&self, access_token: &str) -> Option<IssuedToken<'_>> {
        self.access_tokens.get(access_token).map(|token| self.issued(token))
    }

    fn issued<'a>(&'a self, token: &'a AccessToken) -> IssuedToken<'a> {
        IssuedToken {
            authorization: &self.get(token.family).authorization,
            scopes: &token.scopes,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
        }
    }

    /// Whether a call with the token reaches a server that does not know it yet.
    pub(super) fn lags(&mut self, access_token: &str) -> bool {
        let lag = self.access_tokens.get_mut(access_token).map(|token| &mut token.lag);
        lag.is_some_and(|lag| {
            let lags = *lag > 0;
            *lag = lag.saturating_sub(1);
            lags
        })
    }

    /// Ends one access token, nothing else.
    pub(super) fn revoke_access_token(&mut self, token: &str) {
        if let Some(token) = self.access_tokens.get_mut(token) {
            token.revoked = true;
        }
    }
}
