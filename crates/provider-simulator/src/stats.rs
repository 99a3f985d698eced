//! What the simulator was asked and what came of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The calls so far, in the order in which they were decided, and the families of tokens.
///
/// A *family* is all that came of one authorization: its code, its refresh tokens and its access tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Calls of the token endpoint.
    pub token_calls: Vec<TokenCall>,
    /// The most calls of the token endpoint that were in flight at once, delays by faults included.
    pub max_in_flight: usize,
    /// Every family by its id.
    pub families: BTreeMap<String, FamilyStats>,
    /// Calls of the authorization endpoint.
    pub authorize_calls: Vec<AuthorizeCall>,
    /// Calls of the userinfo endpoint, and of whatever else takes an access token.
    pub userinfo_calls: Vec<UserinfoCall>,
    /// Calls of the revocation endpoint.
    pub revoke_calls: Vec<RevokeCall>,
    /// How many times metadata were asked for.
    pub discovery_calls: usize,
    /// How many times the key set was asked for.
    pub jwks_calls: usize,
    /// How many calls were handled in full while their answer got lost by a fault.
    pub answers_lost: usize,
}

/// A call of the token endpoint.
///
/// `generation` counts the credentials of a family: 0 is its authorization code or device code, 1 its first refresh
/// token, 2 the one that replaced it, and so on. So the pair of `family` and `generation` is the credential that was
/// presented, and a pair that comes twice is a credential that was sent twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCall {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The `grant_type`, as sent.
    pub grant: Option<String>,
    /// The family of the credential presented; none when it has none (yet).
    pub family: Option<String>,
    /// The generation of the credential presented.
    pub generation: Option<u32>,
    /// `ok`, the OAuth error in the words of the RFCs, or `fault` when a fault or a rate limit kept it from being
    /// handled.
    pub outcome: String,
}

/// A family of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyStats {
    /// Whether its refresh token still works.
    pub alive: bool,
}

/// A call of the authorization endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeCall {
    /// When it came.
    pub at: DateTime<Utc>,
    /// Its parameters but `state`, which is the client's secret.
    pub params: BTreeMap<String, String>,
}

/// A call of the userinfo endpoint or of another one that takes an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserinfoCall {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// `ok`, `invalid_request` without a token, `invalid_token`, `insufficient_scope`, or `fault`.
    pub outcome: String,
}

/// A call of the revocation endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevokeCall {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The `token_type_hint`, as sent.
    pub token_type_hint: Option<String>,
    /// The family of the token, when it is known.
    pub family: Option<String>,
    /// `ok`, the OAuth error, or `fault`.
    pub outcome: String,
}

/// Counts the calls in flight.
#[derive(Default)]
pub(crate) struct InFlight {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl InFlight {
    /// Counts a call until the guard is dropped.
    pub(crate) fn enter(&self) -> InFlightGuard<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        InFlightGuard { calls: self }
    }

    /// The most calls in flight at once so far.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Forgets the past, not the calls in flight now.
    pub(crate) fn reset(&self) {
        self.most.store(self.now.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

/// One call in flight.
pub(crate) struct InFlightGuard<'a> {
    calls: &'a InFlight,
}

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        self.calls.now.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_calls_at_once_are_remembered() {
        let calls = InFlight::default();
        let first = calls.enter();
        drop(calls.enter());
        assert_eq!(calls.most(), 2);
        calls.reset();
        assert_eq!(calls.most(), 1);
        drop(first);
        drop(calls.enter());
        assert_eq!(calls.most(), 1);
    }
}
