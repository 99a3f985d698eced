//! The one who writes page after page, and finds what the store refuses among what it takes.

use std::sync::Arc;
use std::time::Duration;

use super::page::Turned;
use super::{HandOutRecord, RecordUses};
use crate::StoreError;
use crate::tokens::Uses;

/// How long a page stays open for more; what is left of 100 ms is for writing it.
const OPEN_FOR: Duration = Duration::from_millis(40);
/// How long to wait before what could not be written is written again.
const REST: Duration = Duration::from_secs(1);
/// So many tries in vain beyond those that it takes to find one among many: then the store is away, and not one refused.
const MORE_TRIES: u32 = 4;

/// The one who writes. One that ends before it is done, by a panic or with its runtime, leaves its place to another.
pub(super) struct Writer {
    record: Arc<RecordUses>,
    is_done: bool,
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_done {
            self.record.page().lose_writer();
        }
    }
}

impl Writer {
    pub(super) fn of(record: &Arc<RecordUses>) -> Self {
        Self { record: Arc::clone(record), is_done: false }
    }

    /// Writes page after page until there is none.
    pub(super) async fn write(mut self) {
        let record = Arc::clone(&self.record);
        loop {
            if record.promise == HandOutRecord::Within100Ms {
                record.clock.sleep(OPEN_FOR).await;
            }
            let Some(turned) = record.page().turn_over() else {
                self.is_done = true;
                return;
            };
            if !record.write_turned(turned).await {
                record.clock.sleep(REST).await;
            }
        }
    }
}

impl RecordUses {
    /// Whether nothing is left for another try.
    async fn write_turned(&self, Turned { page, written, left, refused }: Turned) -> bool {
        let mut sieve = Sieve::with(self, refused);
        let is_written = page == Uses::default() || sieve.note_page(&page).await;
        if let Some(written) = written {
            let _ = written.send(Some(is_written));
        }
        if is_written {
            sieve.sift(left).await;
            sieve.try_refused().await;
            sieve.drop_refused().await;
        } else {
            let mut kept = self.page();
            kept.take_back(page);
            kept.take_back(left);
        }
        sieve.leave()
    }
}

/// Parts what the store takes from what it refuses.
///
/// A store that is away refuses everything, and its error does not tell. So something is given up only after it was refused
/// alone, then something else went through, and then it was refused again.
struct Sieve<'a> {
    record: &'a RecordUses,
    /// Refused alone in an earlier round in which others went through; nothing has gone through since.
    refused: Vec<Uses>,
    /// Refused alone in this round; nothing has gone through since.
    alone: Vec<Uses>,
    /// Refused alone before something went through.
    again: Vec<Uses>,
    /// Something has gone through in this round.
    is_store_there: bool,
}

impl<'a> Sieve<'a> {
    fn with(record: &'a RecordUses, refused: Vec<Uses>) -> Self {
        Self { record, refused, alone: Vec::new(), again: Vec::new(), is_store_there: false }
    }

    async fn note_page(&mut self, page: &Uses) -> bool {
        let noted = self.note(page).await;
        if let Err(error) = &noted {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, hand_outs = page.hand_outs.len(), "hand-outs cannot be written down yet");
        }
        noted.is_ok()
    }

    async fn note(&mut self, uses: &Uses) -> Result<(), StoreError> {
        self.record.log.note_uses(uses).await?;
        self.is_store_there = true;
        self.again.append(&mut self.refused);
        self.again.append(&mut self.alone);
        Ok(())
    }

    /// Writes what is left by halves, until what is refused stands alone.
    async fn sift(&mut self, left: Uses) {
        let Some(depth) = left.len().checked_ilog2() else {
            return;
        };
        let (mut parts, mut in_vain) = (vec![left], 0);
        while let Some(part) = parts.pop() {
            if in_vain > depth + MORE_TRIES {
                self.record.page().take_back(part);
            } else if self.note(&part).await.is_ok() {
                in_vain = 0;
            } else {
                in_vain += 1;
                if part.len() == 1 {
                    self.alone.push(part);
                } else {
                    parts.extend(part.halves());
                }
            }
        }
    }

    /// Where nothing new has come: perhaps the store was away when these were refused.
    async fn try_refused(&mut self) {
        for use_of in std::mem::take(&mut self.refused) {
            if self.note(&use_of).await.is_err() {
                self.refused.push(use_of);
            }
        }
    }

    /// Gives up what is refused alone while others go through: waiting for it would hold up the record for ever.
    async fn drop_refused(&mut self) {
        for use_of in std::mem::take(&mut self.again) {
            if let Err(error) = self.record.log.note_uses(&use_of).await {
                use_of.log_as_lost(&error);
            }
        }
    }

    /// Keeps what is for another round; whether that is nothing.
    fn leave(self) -> bool {
        let mut page = self.record.page();
        page.keep_refused(self.refused);
        if self.is_store_there {
            page.keep_refused(self.alone);
        } else {
            self.alone.into_iter().for_each(|use_of| page.take_back(use_of));
        }
        page.has_tried()
    }
}

impl Uses {
    fn len(&self) -> usize {
        self.hand_outs.len() + self.api_tokens.len() + self.authorizations.len()
    }

    fn halves(mut self) -> [Self; 2] {
        let mut most = self.len() / 2;
        let first = Self {
            hand_outs: take_up_to(&mut most, &mut self.hand_outs),
            api_tokens: take_up_to(&mut most, &mut self.api_tokens),
            authorizations: take_up_to(&mut most, &mut self.authorizations),
        };
        [first, self]
    }

    /// What it was of is all that is told.
    fn log_as_lost(&self, error: &StoreError) {
        let error = error as &dyn std::error::Error;
        let hand_out = self.hand_outs.first();
        let authorization = self.authorizations.first().map(|used| used.id);
        tracing::error!(
            error,
            audit_entry = hand_out.map(|entry| tracing::field::display(entry.id)),
            authorization = hand_out
                .and_then(|entry| entry.authorization_id)
                .or(authorization)
                .map(tracing::field::display),
            api_token = self.api_tokens.first().map(|(id, _)| tracing::field::display(*id)),
            "a use that the store refuses is left out of the record"
        );
    }
}

fn take_up_to<T>(most: &mut usize, from: &mut Vec<T>) -> Vec<T> {
    let taken = from.len().min(*most);
    *most -= taken;
    from.drain(..taken).collect()
}
