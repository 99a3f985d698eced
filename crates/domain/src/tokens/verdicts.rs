//! What providers have said about access tokens.
//!
//! Nothing is stored: a provider that refuses a token at one moment may take it at the next, and a grant must not die of that.
//! What it has said last stands until it says something else.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::authorizations::Authorization;
use crate::ids::AuthorizationId;
use crate::providers::UpstreamError;

/// Remembers what providers have said about the tokens of authorizations, for all of one process: each process finds it out for
/// itself.
pub(crate) struct Verdicts {
    said: Cache<AuthorizationId, Said>,
    renewed_at: Cache<AuthorizationId, Duration>,
    turns: Cache<AuthorizationId, Arc<Mutex<()>>>,
    digests: RandomState,
}

/// What a provider takes a token for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It takes it, as far as anybody knows.
    Taken,
    /// It does not.
    Refused,
    /// It does not, and no other has come in its place yet. The token is good for nothing, but the grant may live.
    NotRenewed {
        /// Why none has come, as a code.
        reason: Arc<str>,
        /// Whether the link held before: as far as anybody knows it still does.
        holds: bool,
    },
}

#[derive(Clone)]
struct Said {
    about: Digest,
    verdict: Verdict,
    asked_at: Duration,
}

/// Of a token as it rests, which is like no other.
type Digest = u64;

/// Of how many authorizations.
const REMEMBERED: usize = 100_000;
/// How many may be asked about at once, each by one.
const TURNS: usize = 4_096;

/// For how long a token is not asked about again: a machine that wants one at each step of its work must not cost the provider
/// a call each time, nor itself the wait for one that is slow.
const RECENT: Duration = Duration::from_secs(60);

/// The reason while a refresh is under way.
const SLOW: &str = "slow";

impl Default for Verdicts {
    fn default() -> Self {
        Self {
            said: Cache::new(REMEMBERED),
            renewed_at: Cache::new(REMEMBERED),
            turns: Cache::new(TURNS),
            digests: RandomState::new(),
        }
    }
}

impl Verdict {
    /// Whether the link holds, as far as anybody knows.
    pub(crate) fn holds(&self) -> bool {
        match self {
            Self::Taken => true,
            Self::Refused => false,
            Self::NotRenewed { holds, .. } => *holds,
        }
    }
}

impl Verdicts {
    /// The provider was asked about the access token of this authorization. Only a definite answer changes what is known.
    pub(crate) fn hear<T>(
        &self,
        authorization: &Authorization,
        answer: &Result<T, UpstreamError>,
        now: Duration,
    ) {
        let verdict = match answer {
            Ok(_) => Verdict::Taken,
            Err(UpstreamError::TokenRefused) => Verdict::Refused,
            Err(_) => self.known(authorization),
        };
        self.note(authorization, verdict, now);
    }

    /// What the provider takes the access token of this authorization for, as far as anybody knows.
    pub(crate) fn known(&self, authorization: &Authorization) -> Verdict {
        self.about(authorization).map_or(Verdict::Taken, |said| said.verdict)
    }

    /// The same, where the provider was asked a moment ago.
    pub(crate) fn recent(&self, authorization: &Authorization, now: Duration) -> Option<Verdict> {
        let said = self.about(authorization)?;
        is_recent(said.asked_at, now).then_some(said.verdict)
    }

    /// Whether the token that the provider has just refused is to be refreshed; whoever asks does it then, and says so where
    /// that fails. Where the provider refuses the next one too, it is not the token: none is refreshed for that reason again
    /// within a minute.
    pub(crate) fn wants_renewal(&self, authorization: &Authorization, now: Duration) -> bool {
        let id = authorization.id;
        let is_renewed = self.renewed_at.get(&id).is_some_and(|renewed_at| is_recent(renewed_at, now));
        if authorization.refresh_token.is_none() || is_renewed {
            return false;
        }
        self.renewed_at.insert(id, now);
        // From now on, for whoever refreshes may leave before that ends.
        self.not_renewed(authorization, SLOW, now);
        true
    }

    /// No other token has come in the place of this one, which the provider has refused.
    pub(crate) fn not_renewed(&self, authorization: &Authorization, reason: &str, now: Duration) {
        let holds = self.known(authorization).holds();
        self.note(authorization, Verdict::NotRenewed { reason: reason.into(), holds }, now);
    }

    /// Waits for the right to ask: one asks, and those who come meanwhile find out what was said.
    pub(crate) async fn turn(&self, id: AuthorizationId) -> OwnedMutexGuard<()> {
        let turn = self.turns.get_or_insert_with(&id, || Ok::<_, Infallible>(Arc::default()));
        let Ok(turn) = turn;
        turn.lock_owned().await
    }

    fn about(&self, authorization: &Authorization) -> Option<Said> {
        self.said.get(&authorization.id).filter(|said| said.about == self.digest(authorization))
    }

    fn note(&self, authorization: &Authorization, verdict: Verdict, asked_at: Duration) {
        let said = Said { about: self.digest(authorization), verdict, asked_at };
        self.said.insert(authorization.id, said);
    }

    fn digest(&self, authorization: &Authorization) -> Digest {
        self.digests.hash_one(authorization.access_token.as_bytes())
    }
}

fn is_recent(at: Duration, now: Duration) -> bool {
    now.saturating_sub(at) < RECENT
}

#[cfg(test)]
mod tests;
