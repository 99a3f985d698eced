//! When the refresh of an authorization is due: ahead of its token's expiry while it is in use, and while it is not, in
//! time to keep its refresh token from dying of idleness.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{NextRefresh, TokenSettings, time_delta};
use crate::authorizations::{Authorization, GrantState};
use crate::providers::{Provider, ProviderClients};
use crate::services::Random;

/// Decides when refreshes are due.
pub(crate) struct Schedule<'a> {
    pub(crate) clients: &'a dyn ProviderClients,
    pub(crate) random: &'a dyn Random,
    pub(crate) settings: &'a TokenSettings,
}

impl Schedule<'_> {
    /// When the next refresh of this authorization is due, which was last used at `last_used`.
    pub(crate) fn next(
        &self,
        authorization: &Authorization,
        provider: &Provider,
        last_used: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> NextRefresh {
        match self.due(authorization, provider, last_used, now, self.jitter()) {
            Some(due) => NextRefresh::At(due),
            None => NextRefresh::Never,
        }
    }

    /// Whether a refresh is due by now.
    pub(crate) fn is_due(
        &self,
        authorization: &Authorization,
        provider: &Provider,
        last_used: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> bool {
        self.due(authorization, provider, last_used, now, LARGEST_LEAD).is_some_and(|due| due <= now)
    }

    /// When a token that is in use is to be refreshed.
    pub(crate) fn ahead_of_expiry(&self, authorization: &Authorization) -> Option<DateTime<Utc>> {
        let live = authorization.refresh_token.is_some() && authorization.grant == GrantState::Live;
        if live { self.ahead(authorization, self.jitter()) } else { None }
    }

    fn due(
        &self,
        authorization: &Authorization,
        provider: &Provider,
        last_used: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        jitter: Jitter,
    ) -> Option<DateTime<Utc>> {
        if authorization.refresh_token.is_none() || authorization.grant != GrantState::Live {
            return None;
        }
        // Being authorized is a use: somebody is about to want the token.
        let known = authorization.used_at.max(authorization.grant_since);
        let used = last_used.map_or(known, |used| used.max(known));
        let is_in_use = now - used < self.settings.kept_fresh_for();
        let ahead = if is_in_use { self.ahead(authorization, jitter) } else { None };
        let due = earlier(ahead, self.before_it_dies(authorization, provider, jitter))?;
        // Not before the provider may be asked again after a failure.
        Some(authorization.next_attempt_at.map_or(due, |at| due.max(at)))
    }

    /// Before callers begin to wait for it, at a time of its own: tokens that were issued together do not all come due
    /// together.
    fn ahead(&self, authorization: &Authorization, jitter: Jitter) -> Option<DateTime<Utc>> {
        let end = authorization.expires_at?;
        let life = end - authorization.issued_at;
        if life < SHORTEST_LIFE {
            return None;
        }
        let margin = time_delta(self.settings.freshness_margin).min(life / 5);
        let lead = margin * 2 + jitter.share_of(margin * 2);
        end.checked_sub_signed(lead.min(life / 2))
    }

    /// After two thirds of the time in which an unused refresh token lives, or a little later.
    fn before_it_dies(
        &self,
        authorization: &Authorization,
        provider: &Provider,
        jitter: Jitter,
    ) -> Option<DateTime<Utc>> {
        if !provider.keep_alive {
            return None;
        }
        // A refresh from before the user authorized again was another refresh token's.
        let granted = authorization.grant_since;
        let begin = authorization.last_refreshed_at.map_or(granted, |refreshed| refreshed.max(granted));
        let idle =
            self.clients.client(provider.kind).and_then(|client| client.idle_limit(&provider.endpoints));
        let idle_end = idle.and_then(|limit| begin.checked_add_signed(time_delta(limit)));
        let end = earlier(idle_end, authorization.refresh_token_expires_at)?;
        let life = end - begin;
        if life < SHORTEST_UNUSED_LIFE {
            return None;
        }
        end.checked_sub_signed(life / 4 + jitter.share_of(life / 12))
    }

    fn jitter(&self) -> Jitter {
        let mut bytes = [0; 2];
        self.random.fill(&mut bytes);
        Jitter(u16::from_be_bytes(bytes))
    }
}

/// Tokens that live shorter than this have no life to be ahead of: they are refreshed when somebody wants one, else there
/// would be no end of it. So no refresh is due earlier than two seconds after the one before.
const SHORTEST_LIFE: TimeDelta = TimeDelta::seconds(4);
/// A refresh token whose end is that near to its last refresh has an end that no refresh moves: the pauses up to it would
/// become ever shorter.
const SHORTEST_UNUSED_LIFE: TimeDelta = TimeDelta::minutes(1);

/// How much earlier than it must be, as an even share in 65,536 parts.
#[derive(Clone, Copy)]
struct Jitter(u16);

const LARGEST_LEAD: Jitter = Jitter(u16::MAX);

impl Jitter {
    fn share_of(self, whole: TimeDelta) -> TimeDelta {
        whole / 65_536 * i32::from(self.0)
    }
}

fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How long a refresh rests that has failed: as long as it has been failing already, within limits, so that the pauses
/// double. What the provider asks for comes first.
pub(crate) fn rest_after_failure(failing_for: TimeDelta, retry_after: Option<Duration>) -> TimeDelta {
    let pause = failing_for.clamp(FIRST_REST, LONGEST_REST);
    retry_after.map_or(pause, |wish| time_delta(wish).max(FIRST_REST))
}

/// The rest after the first failure.
const FIRST_REST: TimeDelta = TimeDelta::seconds(15);
/// A provider that comes back is noticed within this time.
const LONGEST_REST: TimeDelta = TimeDelta::minutes(15);

#[cfg(test)]
mod tests;
