//! What is to be written next, and what of it could not be written yet.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::{HandOut, TOKEN_STEP};
use crate::audit::AuditEntry;
use crate::ids::{ApiTokenId, AuditId, AuthorizationId};
use crate::services::Random;
use crate::tokens::{UsedAuthorization, Uses};

/// How exact the last use of an authorization is.
const AUTHORIZATION_STEP: TimeDelta = TimeDelta::hours(1);
/// A refresh may take that long from its claim to its end, which says when the next one is due: a use that was noted meanwhile
/// may have been of no avail.
const REFRESH_TAKES: TimeDelta = TimeDelta::minutes(1);
/// The uses of more things than this are not remembered at a time: those beyond it are noted once more.
const MOST_KNOWN: usize = 100_000;
/// The uses of so many authorizations are written at once: whoever wants one of these rows waits for as long.
pub(super) const MOST_AT_ONCE: usize = 5_000;
/// After so many pages in a row that could not be written, what is left of them is written apart from what is new: it may be
/// something among it that the store refuses.
const FEW: u32 = 3;

/// Who got a token of what. Two of these in one second are equal where it was the same token too, or refused for the same
/// reason.
type Pair = (ApiTokenId, AuthorizationId);

/// Tells how it went.
pub(super) type Written = watch::Sender<Option<bool>>;

/// What is to be written next.
#[derive(Default)]
pub(super) struct Page {
    /// The second of `entries`, since the epoch.
    second: i64,
    /// The hand-outs of that second with their counts so far, and whether they are to be written.
    entries: Vec<(AuditEntry, bool)>,
    /// Where the hand-outs of a pair are in `entries`.
    of_pair: HashMap<Pair, Vec<usize>>,
    /// Those in `entries` that are to be written, and those of earlier seconds.
    changed: Vec<usize>,
    closed: Vec<AuditEntry>,
    /// When API tokens and authorizations were used: those that are held back, and those that are to be written.
    held: UsesById,
    released: UsesById,
    /// Somebody holds uses back, and will release them.
    has_holder: bool,
    noted_tokens: Noted<ApiTokenId>,
    noted_authorizations: Noted<AuthorizationId>,
    /// What could not be written.
    left: UsesById,
    /// What could not be written alone either while others went through, one by one.
    refused: Vec<Uses>,
    /// How often in a row something could not be written.
    failures: u32,
    /// Tells those who wait for this page how it went; there is one from the first of them on.
    written: Option<Written>,
    /// Somebody writes, and will come back for this page.
    has_writer: bool,
}

/// What a writer is to write.
pub(super) struct Turned {
    /// This first.
    pub(super) page: Uses,
    /// For those who wait for it.
    pub(super) written: Option<Written>,
    /// What is left of pages that failed several times.
    pub(super) left: Uses,
    /// What was refused alone while others went through.
    pub(super) refused: Vec<Uses>,
}

/// Uses, each thing once.
#[derive(Default)]
struct UsesById {
    hand_outs: HashMap<AuditId, AuditEntry>,
    api_tokens: BTreeMap<ApiTokenId, DateTime<Utc>>,
    authorizations: BTreeMap<AuthorizationId, UsedAuthorization>,
}

/// When things were last noted.
struct Noted<K>(HashMap<K, DateTime<Utc>>);

impl Page {
    /// Notes the use of an API token, where it is time to; whether it is.
    pub(super) fn note_api_token(&mut self, id: ApiTokenId, now: DateTime<Utc>) -> bool {
        let is_news =
            self.held.api_tokens.len() < MOST_KNOWN && self.noted_tokens.is_news(id, now, TOKEN_STEP);
        if is_news {
            self.held.api_token(id, now);
        }
        is_news
    }

    /// Notes the use of an authorization whose token was refreshed at that time, where it is time to; whether it is.
    pub(super) fn note_authorization(
        &mut self,
        id: AuthorizationId,
        refreshed_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        due_at: impl FnOnce() -> Option<DateTime<Utc>>,
    ) -> bool {
        if self.held.authorizations.len() >= MOST_KNOWN {
            return false;
        }
        if let Some(refreshed_at) = refreshed_at {
            self.noted_authorizations.forget_between(&id, refreshed_at - REFRESH_TAKES, refreshed_at);
        }
        if !self.noted_authorizations.is_news(id, now, AUTHORIZATION_STEP) {
            return false;
        }
        // What cannot be refreshed ahead of its expiry is kept as it is, in use or not.
        let due_at = due_at();
        if due_at.is_some() {
            self.held.authorization(UsedAuthorization { id, at: now, due_at });
        }
        due_at.is_some()
    }

    /// Whether nobody holds uses back; whoever asks sees to it that somebody does from now on.
    pub(super) fn wants_holder(&mut self) -> bool {
        !std::mem::replace(&mut self.has_holder, true)
    }

    /// What was held back is to be written now.
    pub(super) fn release(&mut self) {
        self.has_holder = false;
        let released = std::mem::take(&mut self.held).into_uses();
        self.released.take_in(released);
    }

    /// Counts a hand-out.
    pub(super) fn count(&mut self, hand_out: HandOut<'_>, random: &dyn Random, now: DateTime<Utc>) {
        if now.timestamp() != self.second {
            self.close();
            self.second = now.timestamp();
        }
        let places = self.of_pair.entry((hand_out.caller.token_id, hand_out.authorization_id)).or_default();
        let Some(place) = places.iter().copied().find(|place| hand_out.equals(&self.entries[*place].0))
        else {
            places.push(self.entries.len());
            self.changed.push(self.entries.len());
            self.entries.push((hand_out.entry(random, now), true));
            return;
        };
        let (entry, is_changed) = &mut self.entries[place];
        entry.count = entry.count.saturating_add(1);
        // Callers come here in another order than they looked at the clock.
        entry.last_at = Some(entry.last_at.unwrap_or(entry.at).max(now));
        if !std::mem::replace(is_changed, true) {
            self.changed.push(place);
        }
    }

    /// How many hand-outs wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.changed.len() + self.closed.len() + self.left.hand_outs.len() + self.refused.len()
    }

    /// For one who waits until this page is written, or is known not to be.
    pub(super) fn subscribe(&mut self) -> watch::Receiver<Option<bool>> {
        self.written.get_or_insert_default().subscribe()
    }

    /// Whether nobody writes; whoever asks sees to it that somebody does from now on.
    pub(super) fn wants_writer(&mut self) -> bool {
        !std::mem::replace(&mut self.has_writer, true)
    }

    /// The writer is gone.
    pub(super) fn lose_writer(&mut self) {
        self.has_writer = false;
    }

    /// Takes what is to be written; when there is nothing, whoever asks is not the writer any more.
    pub(super) fn turn_over(&mut self) -> Option<Turned> {
        let (mut page, left) = if self.failures < FEW {
            (std::mem::take(&mut self.left), UsesById::default())
        } else {
            (UsesById::default(), std::mem::take(&mut self.left))
        };
        let mut new = self.released.take_some().into_uses();
        new.hand_outs.extend(self.take_entries());
        page.take_in(new);
        let (page, left) = (page.into_uses(), left.into_uses());
        let refused = std::mem::take(&mut self.refused);
        if page == Uses::default() && left == Uses::default() && refused.is_empty() {
            self.has_writer = false;
            return None;
        }
        Some(Turned { page, written: self.written.take(), left, refused })
    }

    /// Keeps what could not be written for the next try.
    pub(super) fn take_back(&mut self, uses: Uses) {
        self.left.take_in(uses);
    }

    /// Keeps what was refused alone until something else goes through.
    pub(super) fn keep_refused(&mut self, refused: Vec<Uses>) {
        self.refused.extend(refused);
    }

    /// Takes note of a try; whether nothing is left of this one and those before.
    pub(super) fn has_tried(&mut self) -> bool {
        let is_done = self.left.is_empty() && self.refused.is_empty();
        self.failures = if is_done { 0 } else { self.failures.saturating_add(1) };
        is_done
    }

    /// The second is over: what is still to be written of it will not be counted up any more.
    fn close(&mut self) {
        let changed = self.entries.drain(..).filter(|(_, is_changed)| *is_changed);
        self.closed.extend(changed.map(|(entry, _)| entry));
        self.changed.clear();
        self.of_pair.clear();
    }

    fn take_entries(&mut self) -> Vec<AuditEntry> {
        let mut taken = std::mem::take(&mut self.closed);
        for place in self.changed.drain(..) {
            let (entry, is_changed) = &mut self.entries[place];
            *is_changed = false;
            taken.push(entry.clone());
        }
        taken
    }
}

impl UsesById {
    fn take_in(&mut self, uses: Uses) {
        for entry in uses.hand_outs {
            // A later count of one entry takes the place of an earlier one.
            if self.hand_outs.get(&entry.id).is_none_or(|known| known.count < entry.count) {
                self.hand_outs.insert(entry.id, entry);
            }
        }
        uses.api_tokens.into_iter().for_each(|(id, at)| self.api_token(id, at));
        uses.authorizations.into_iter().for_each(|used| self.authorization(used));
    }

    fn api_token(&mut self, id: ApiTokenId, at: DateTime<Utc>) {
        let known = self.api_tokens.entry(id).or_insert(at);
        *known = at.max(*known);
    }

    /// As two of them are written one after the other: used at the later time, due at the earlier.
    fn authorization(&mut self, used: UsedAuthorization) {
        let known = self.authorizations.entry(used.id).or_insert(used);
        known.at = used.at.max(known.at);
        known.due_at = used.due_at.into_iter().chain(known.due_at).min();
    }

    /// As many as may be written at once.
    fn take_some(&mut self) -> Self {
        let rest = self.authorizations.keys().nth(MOST_AT_ONCE).copied();
        let rest = rest.map(|first| self.authorizations.split_off(&first)).unwrap_or_default();
        std::mem::replace(self, Self { authorizations: rest, ..Self::default() })
    }

    fn into_uses(self) -> Uses {
        Uses {
            hand_outs: self.hand_outs.into_values().collect(),
            api_tokens: self.api_tokens.into_iter().collect(),
            authorizations: self.authorizations.into_values().collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.hand_outs.is_empty() && self.api_tokens.is_empty() && self.authorizations.is_empty()
    }
}

impl<K> Default for Noted<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Noted<K> {
    /// Whether it is time to note this use.
    fn is_news(&mut self, key: K, at: DateTime<Utc>, step: TimeDelta) -> bool {
        if self.0.get(&key).is_some_and(|noted| (at - *noted).abs() < step) {
            return false;
        }
        if self.0.len() >= MOST_KNOWN {
            self.0.clear();
        }
        self.0.insert(key, at);
        true
    }

    /// What was noted in that time is to be noted again.
    fn forget_between(&mut self, key: &K, begin: DateTime<Utc>, end: DateTime<Utc>) {
        if self.0.get(key).is_some_and(|noted| (begin..end).contains(noted)) {
            self.0.remove(key);
        }
    }
}
