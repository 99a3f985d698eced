//! A provider by the book: what it does with refresh tokens is its [`RefreshModel`], and it remembers all of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{RefreshModel, TokenSet, UpstreamError};

/// How the provider is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    pub(crate) model: RefreshModel,
    /// Whether a token that comes a second time ends the whole grant (RFC 9700, 4.14.2).
    pub(crate) revokes_family: bool,
}

/// The provider's books about one grant. Tokens are `access-N` and `refresh-N`.
pub(crate) struct Books {
    manners: Manners,
    issued: u32,
    /// Refresh tokens that are good, or were until they were used.
    good: HashSet<String>,
    /// When those were used that are no good any more.
    used: HashMap<String, Duration>,
    /// Requests that it served.
    pub(crate) served: usize,
    /// Tokens that were not good.
    pub(crate) refused: usize,
    /// Whether a token was redeemed again that had been redeemed.
    pub(crate) asked_twice: bool,
}

impl Books {
    pub(crate) fn new(manners: Manners) -> Self {
        let good = HashSet::from(["refresh-0".to_owned()]);
        let used = HashMap::new();
        Self { manners, issued: 0, good, used, served: 0, refused: 0, asked_twice: false }
    }

    /// Serves a refresh.
    pub(crate) fn refresh(&mut self, token: &str, now: Duration) -> Result<TokenSet, UpstreamError> {
        self.asked_twice |= self.used.contains_key(token);
        if !self.takes(token, now) {
            self.refused += 1;
            if self.manners.revokes_family && self.used.contains_key(token) {
                self.good.clear();
            }
            return Err(UpstreamError::GrantRefused { code: "invalid_grant".to_owned() });
        }
        self.served += 1;
        self.issued += 1;
        if self.manners.model != RefreshModel::Reusable {
            self.good.insert(format!("refresh-{}", self.issued));
            self.used.entry(token.to_owned()).or_insert(now);
        }
        if matches!(self.manners.model, RefreshModel::Rotating | RefreshModel::RotatingWithGrace(_)) {
            self.good.remove(token);
        }
        Ok(self.tokens())
    }

    /// Whether a refresh token is worth anything.
    pub(crate) fn takes(&self, token: &str, now: Duration) -> bool {
        self.good.contains(token) || (!self.good.is_empty() && self.is_in_grace(token, now))
    }

    fn is_in_grace(&self, token: &str, now: Duration) -> bool {
        match (self.manners.model, self.used.get(token)) {
            (RefreshModel::RotatingWithGrace(grace), Some(used)) => now < *used + grace,
            _ => false,
        }
    }

    fn tokens(&self) -> TokenSet {
        let rotates = self.manners.model != RefreshModel::Reusable;
        TokenSet {
            access_token: Secret::new(format!("access-{}", self.issued)),
            expires_in: Some(Duration::from_secs(3600)),
            refresh_token: rotates.then(|| Secret::new(format!("refresh-{}", self.issued))),
            refresh_token_expires_in: None,
            scopes: None,
            identity: None,
            distrust: None,
        }
    }
}
