//! Device flows: one run of the device authorization grant (RFC 8628), from the codes to the person's decision.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{EXCHANGE_LIMIT, FlowOutcome, Scopes};
use crate::Version;
use crate::ids::{AccountId, DeviceFlowId, OrganizationId, ProviderId};
use crate::sealing::{SealedSecret, SecretColumn, SecretPlace};
use crate::secret::SecretHash;
use crate::tokens::time_delta;

/// How long the codes of a device flow live at most, whatever the provider says.
pub const LONGEST_DEVICE_FLOW: TimeDelta = TimeDelta::hours(1);

/// Of those that an account has begun at one provider and left, so many are polled in its place: the newest. Whoever begins a
/// hundred makes nobody poll for all of them.
pub const MOST_UNATTENDED: u32 = 3;

/// How much too early a poll may come: the clocks of those who count seconds are not ours. Such a poll waits for its time.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(250);

/// What `slow_down` adds to the interval where the provider names no new one (RFC 8628, 3.5).
const SLOW_DOWN: TimeDelta = TimeDelta::seconds(5);

/// The longest wait between two polls that a provider may ask for.
const LONGEST_INTERVAL: TimeDelta = TimeDelta::minutes(5);

/// The longest interval that a provider gets because it could not be reached.
const LONGEST_BACK_OFF: TimeDelta = TimeDelta::minutes(1);

/// How often a provider may be asked whether somebody has decided (RFC 8628, 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollPace {
    /// How long to wait between two polls. It grows when the provider says `slow_down`.
    pub interval: TimeDelta,
    /// When the provider may be asked again.
    pub next_poll_at: DateTime<Utc>,
}

/// One run of the device authorization grant. The caller has a random handle in the place of the device code.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceFlow {
    /// Its id.
    pub id: DeviceFlowId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Who started it.
    pub account_id: AccountId,
    /// At which provider.
    pub provider_id: ProviderId,
    /// The hash of the caller's handle.
    pub handle_hash: SecretHash,
    /// The provider's device code.
    pub device_code: SealedSecret,
    /// The scopes that are asked for.
    pub scopes: Scopes,
    /// The digest of the provider's endpoints at the start.
    pub endpoints: SecretHash,
    /// How long to wait between two polls. It grows when the provider says `slow_down`.
    pub interval: TimeDelta,
    /// When the provider may be asked again.
    pub next_poll_at: DateTime<Utc>,
    /// How far it has come.
    pub stage: DeviceStage,
    /// Whether it was this service that asked the provider last, since nobody polled.
    pub unattended: bool,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When the codes are no longer good.
    pub expires_at: DateTime<Utc>,
    /// How often it was written.
    pub version: Version,
}

/// How far a device flow has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceStage {
    /// The person has not decided, as far as the last poll knows.
    Pending,
    /// The provider is being asked.
    Polling {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It is over.
    Finished {
        /// How it ended.
        outcome: FlowOutcome,
        /// When.
        at: DateTime<Utc>,
    },
}

/// Who has the provider asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poller {
    /// Whoever began the flow.
    Caller,
    /// This service, since nobody else does.
    Service,
}

impl DeviceFlow {
    /// Where its device code rests.
    pub fn device_code_place(organization_id: OrganizationId, id: DeviceFlowId) -> SecretPlace {
        SecretPlace { organization_id, column: SecretColumn::DeviceCode, row: id.as_uuid() }
    }

    /// Whether a poll now comes before the interval is over.
    pub fn is_too_early(&self, now: DateTime<Utc>) -> bool {
        self.pace().is_too_early(now)
    }

    /// How long a poll that [`Self::is_too_early`] lets through has to wait, so that it is not too early for the provider.
    pub fn time_to_wait(&self, now: DateTime<Utc>) -> Duration {
        self.pace().time_to_wait(now)
    }

    /// Whether somebody is asking the provider just now. A poll that is "running" for longer than any may take died with
    /// its process.
    pub fn is_being_polled(&self, now: DateTime<Utc>) -> bool {
        matches!(self.stage, DeviceStage::Polling { since } if now < since + EXCHANGE_LIMIT)
    }

    /// Whether its caller seems to have left: the provider might have been asked since `overdue`, and nobody has.
    pub fn is_unattended(&self, overdue: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let is_open = match self.stage {
            DeviceStage::Pending => true,
            DeviceStage::Polling { .. } => !self.is_being_polled(now),
            DeviceStage::Finished { .. } => false,
        };
        is_open && self.next_poll_at <= overdue && now < self.expires_at
    }

    /// The provider is asked now: by the caller, or by this service in the caller's place.
    #[must_use]
    pub fn polling(self, by: Poller, now: DateTime<Utc>) -> Self {
        let pace = self.pace().after_asking(now);
        let unattended = by == Poller::Service;
        Self { stage: DeviceStage::Polling { since: now }, unattended, ..self.at_pace(pace) }
    }

    /// The person has not decided, and this is when to ask again.
    #[must_use]
    pub fn pending(self, pace: PollPace) -> Self {
        Self { stage: DeviceStage::Pending, ..self.at_pace(pace) }
    }

    /// How often the provider may be asked.
    pub fn pace(&self) -> PollPace {
        PollPace { interval: self.interval, next_poll_at: self.next_poll_at }
    }

    fn at_pace(self, PollPace { interval, next_poll_at }: PollPace) -> Self {
        Self { interval, next_poll_at, ..self }
    }

    /// Ends it.
    #[must_use]
    pub fn finished(self, outcome: FlowOutcome, now: DateTime<Utc>) -> Self {
        Self { stage: DeviceStage::Finished { outcome, at: now }, ..self }
    }
}

impl PollPace {
    /// The pace that a provider names at the beginning.
    pub(crate) fn named(interval: Duration, now: DateTime<Utc>) -> Self {
        let interval = time_delta(interval).min(LONGEST_INTERVAL);
        Self { interval, next_poll_at: now + interval }
    }

    /// Whether a poll now comes before the interval is over.
    pub(crate) fn is_too_early(self, now: DateTime<Utc>) -> bool {
        now + TOLERANCE < self.next_poll_at
    }

    /// How long until the next poll.
    pub(crate) fn time_to_wait(self, now: DateTime<Utc>) -> Duration {
        (self.next_poll_at - now).to_std().unwrap_or_default()
    }

    /// The provider is asked now.
    #[must_use]
    pub(crate) fn after_asking(self, now: DateTime<Utc>) -> Self {
        Self { next_poll_at: now + self.interval, ..self }
    }

    /// The provider has answered. It counts from when it sees a request, which is between the question and the answer; so the
    /// next one is put off a little, but by no more than a caller's poll that counts from the question waits anyway.
    #[must_use]
    pub(crate) fn after_answer(self, now: DateTime<Utc>) -> Self {
        let from_answer = (now + self.interval).min(self.next_poll_at + TOLERANCE);
        Self { next_poll_at: self.next_poll_at.max(from_answer), ..self }
    }

    /// Nobody asks again before that wait is over; but the codes are good until `end`.
    #[must_use]
    pub(crate) fn after_waiting(self, wait: TimeDelta, now: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let not_before = now.checked_add_signed(wait).unwrap_or(end).min(end);
        Self { next_poll_at: self.next_poll_at.max(not_before), ..self }
    }

    /// The provider cannot be reached: polls become half as frequent (RFC 8628, 3.5), but never so rare that the person's
    /// answer is not seen in time.
    #[must_use]
    pub(crate) fn backed_off(self, now: DateTime<Utc>) -> Self {
        let interval = self.interval.max((self.interval * 2).min(LONGEST_BACK_OFF));
        Self { interval, next_poll_at: now + interval }
    }

    /// The provider wants fewer polls (RFC 8628, 3.5): for good.
    #[must_use]
    pub(crate) fn slowed_down(self, named: Option<TimeDelta>, now: DateTime<Utc>) -> Self {
        let longer = self.interval + SLOW_DOWN;
        let interval = named.map_or(longer, |named| named.max(longer)).min(LONGEST_INTERVAL);
        Self { interval, next_poll_at: now + interval }
    }
}

#[cfg(test)]
mod tests;
