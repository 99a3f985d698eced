//! What reads leave behind.

use std::collections::btree_map::Entry;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemoryStore, State};
use crate::StoreError;
use crate::audit::AuditEntry;
use crate::tokens::{UseLog, UsedAuthorization, Uses};

#[async_trait]
impl UseLog for MemoryStore {
    async fn note_uses(&self, uses: &Uses) -> Result<(), StoreError> {
        let mut state = self.state();
        for entry in &uses.hand_outs {
            state.count(entry);
        }
        for (token, at) in &uses.api_tokens {
            if let Some(token) = state.api_tokens.get_mut(token) {
                raise(&mut token.last_used_at, *at);
            }
        }
        for used in &uses.authorizations {
            state.use_authorization(used);
        }
        Ok(())
    }
}

impl State {
    fn count(&mut self, entry: &AuditEntry) {
        match self.audit.entry(entry.id) {
            Entry::Vacant(place) => {
                place.insert(entry.clone());
            }
            Entry::Occupied(mut known) if known.get().count < entry.count => {
                let known = known.get_mut();
                known.count = entry.count;
                known.last_at = known.last_at.max(entry.last_at).max(Some(known.at));
            }
            Entry::Occupied(_) => {}
        }
    }

    fn use_authorization(&mut self, used: &UsedAuthorization) {
        if let Some(row) = self.refreshes.get_mut(&used.id) {
            raise(&mut row.last_used_at, used.at);
            row.due_at = row.due_at.into_iter().chain(used.due_at).min();
        }
    }
}

fn raise(time: &mut Option<DateTime<Utc>>, to: DateTime<Utc>) {
    // `None` is less than any time.
    *time = (*time).max(Some(to));
}
