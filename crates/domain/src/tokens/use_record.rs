//! The record of what reads leave behind: hand-outs in the audit log, and when API tokens and authorizations were used last.
//!
//! Reads do not write one by one. What happens in a moment is written together, and equal hand-outs of one second are one
//! entry whose count goes up. When something was used last is no promise to anybody: it is held back a little longer, so that
//! more of it is written at once, and in the order in which it is stored.

mod holder;
mod page;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use holder::Holder;
use page::Page;
use writer::Writer;

use super::UseLog;
use crate::accounts::Caller;
use crate::audit::{AuditAction, AuditEntry, AuditOutcome};
use crate::ids::{ApiTokenId, AuthorizationId, ProviderId};
use crate::secret::Fingerprint;
use crate::services::{Clock, Random};
use crate::{BackgroundTasks, StoreError};

/// When a hand-out is in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandOutRecord {
    /// Within 100 ms after the caller has the token: a crash may lose that much of the record.
    #[default]
    Within100Ms,
    /// Before the caller has the token.
    BeforeRelease,
}

/// A hand-out, or a refusal of one.
pub(crate) struct HandOut<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) authorization_id: AuthorizationId,
    pub(crate) end: HandOutEnd<'a>,
}

/// How a hand-out ended.
pub(crate) enum HandOutEnd<'a> {
    /// This token was handed out.
    Done(HandedOut<'a>),
    /// None was, for this reason.
    Refused(&'a str),
}

/// A token that was handed out.
pub(crate) struct HandedOut<'a> {
    pub(crate) provider_id: ProviderId,
    pub(crate) token: &'a Fingerprint,
    /// When it was stored, if by a refresh.
    pub(crate) refreshed_at: Option<DateTime<Utc>>,
    /// Whether the store knows of a use that is not long ago: another one makes no difference.
    pub(crate) is_known_in_use: bool,
}

/// Records uses.
pub struct RecordUses {
    log: Arc<dyn UseLog>,
    tasks: BackgroundTasks,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    promise: HandOutRecord,
    page: Mutex<Page>,
}

/// Who is to be started for a page.
#[derive(Clone, Copy)]
struct Wanted {
    holder: bool,
    writer: bool,
}

/// So many entries may wait for a store that is away; then no more tokens are handed out.
const MOST_WAITING: usize = 100_000;
/// How exact the last use of an API token is. Noting every use would make every read a write.
const TOKEN_STEP: TimeDelta = TimeDelta::minutes(1);

impl RecordUses {
    /// A record that keeps that promise.
    pub fn new(
        log: Arc<dyn UseLog>,
        tasks: BackgroundTasks,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        promise: HandOutRecord,
    ) -> Arc<Self> {
        Arc::new(Self { log, tasks, clock, random, promise, page: Mutex::default() })
    }

    /// Records a hand-out; when this returns, the caller may have the token. `due_at` is when the authorization is to be
    /// refreshed, now that it is in use.
    pub(crate) async fn hand_out(
        self: &Arc<Self>,
        hand_out: HandOut<'_>,
        due_at: impl FnOnce() -> Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let (written, wanted) = {
            let mut page = self.page();
            if page.waiting() >= MOST_WAITING {
                return Err(StoreError::Unavailable("too many hand-outs wait to be written down".into()));
            }
            let mut is_noted = false;
            if let HandOutEnd::Done(handed_out) = &hand_out.end
                && !handed_out.is_known_in_use
            {
                is_noted =
                    page.note_authorization(hand_out.authorization_id, handed_out.refreshed_at, now, due_at);
            }
            page.count(hand_out, &*self.random, now);
            let wanted = Wanted { holder: is_noted && page.wants_holder(), writer: page.wants_writer() };
            let written = (self.promise == HandOutRecord::BeforeRelease).then(|| page.subscribe());
            (written, wanted)
        };
        self.start(wanted);
        match written {
            None => Ok(()),
            Some(written) => wait_for(written).await,
        }
    }

    /// Records the use of an API token, where it was not a moment ago that it was `last_used`.
    pub(crate) fn api_token(self: &Arc<Self>, id: ApiTokenId, last_used: Option<DateTime<Utc>>) {
        let now = self.clock.now();
        if last_used.is_some_and(|used| now - used < TOKEN_STEP) {
            return;
        }
        let wanted = {
            let mut page = self.page();
            Wanted { holder: page.note_api_token(id, now) && page.wants_holder(), writer: false }
        };
        self.start(wanted);
    }

    fn see_that_it_is_written(self: &Arc<Self>) {
        let wanted = Wanted { holder: false, writer: self.page().wants_writer() };
        self.start(wanted);
    }

    /// Nobody may have locked the page: on a runtime that has ended both are gone before this returns, and see to the page as
    /// they go.
    fn start(self: &Arc<Self>, wanted: Wanted) {
        if wanted.holder {
            drop(self.tasks.start(Holder::of(self).hold()));
        }
        if wanted.writer {
            drop(self.tasks.start(Writer::of(self).write()));
        }
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        // What is behind the lock is whole after each line.
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait_for(mut written: watch::Receiver<Option<bool>>) -> Result<(), StoreError> {
    match written.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(true)) => Ok(()),
        _ => Err(StoreError::Unavailable("the hand-out could not be written down".into())),
    }
}

impl HandOut<'_> {
    /// Whether the entry of another one tells of the same token, or of the same refusal.
    fn equals(&self, entry: &AuditEntry) -> bool {
        match &self.end {
            HandOutEnd::Done(handed_out) => entry.token.as_ref() == Some(handed_out.token),
            HandOutEnd::Refused(reason) => entry.token.is_none() && entry.reason.as_deref() == Some(reason),
        }
    }

    fn entry(self, random: &dyn Random, now: DateTime<Utc>) -> AuditEntry {
        let entry = AuditEntry::by(self.caller, AuditAction::TokenHandedOut, random, now)
            .about_authorization(self.authorization_id);
        match self.end {
            HandOutEnd::Done(HandedOut { provider_id, token, .. }) => {
                entry.about_provider(provider_id).about_token(token.clone())
            }
            HandOutEnd::Refused(reason) => entry.ending(AuditOutcome::Refused, reason),
        }
    }
}

#[cfg(test)]
mod tests;
