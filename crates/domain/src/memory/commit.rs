//! Commits: all of the changes or none.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use async_trait::async_trait;

use super::leases::{AskedSince, RefreshRow};
use super::noun::{Keyed, Noun};
use super::{MemoryStore, State};
use crate::audit::AuditEntry;
use crate::ids::AuthorizationId;
use crate::{Change, CommitError, Row, StoreError, Unique, UnitOfWork, Version};

/// Runs an expression with the row of whatever noun.
macro_rules! with_noun {
    ($row:expr, $noun:ident => $run:expr) => {
        match $row {
            Row::Organization($noun) => $run,
            Row::Account($noun) => $run,
            Row::ApiToken($noun) => $run,
            Row::Provider(boxed) => with_noun!(@unboxed boxed, $noun => $run),
            Row::Authorization(boxed) => with_noun!(@unboxed boxed, $noun => $run),
            Row::Flow(boxed) => with_noun!(@unboxed boxed, $noun => $run),
            Row::DeviceFlow(boxed) => with_noun!(@unboxed boxed, $noun => $run),
            Row::Login(boxed) => with_noun!(@unboxed boxed, $noun => $run),
            Row::LoginIdentity($noun) => $run,
            Row::Job(boxed) => with_noun!(@unboxed boxed, $noun => $run),
            Row::Revocation(boxed) => with_noun!(@unboxed boxed, $noun => $run),
        }
    };
    (@unboxed $boxed:ident, $noun:ident => $run:expr) => {{
        let $noun = *$boxed;
        $run
    }};
}

#[async_trait]
impl UnitOfWork for MemoryStore {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut state = self.state();
        let mut transaction = Transaction { state: &mut state, undo: Vec::new() };
        for change in changes {
            transaction.apply(change)?;
        }
        transaction.keep();
        Ok(())
    }
}

type Undo = Box<dyn FnOnce(&mut State)>;

/// Changes that are taken back when they are dropped before [`Transaction::keep`].
pub(super) struct Transaction<'a> {
    state: &'a mut State,
    undo: Vec<Undo>,
}

impl Transaction<'_> {
    fn keep(mut self) {
        self.undo.clear();
    }

    fn apply(&mut self, change: Change) -> Result<(), CommitError> {
        match change {
            Change::Insert(row) => with_noun!(row, row => self.insert(row)),
            Change::Update(row) => with_noun!(row, row => self.update(row)),
            Change::Delete(row) => with_noun!(row, row => self.delete(&row)),
            Change::Audit(entry) => self.append(entry),
            Change::ForgetRequests(id) => {
                self.change_refresh(id, RefreshRow::forget_requests);
                Ok(())
            }
            Change::ScheduleRefresh(id, due_at) => {
                self.change_refresh(id, |row| row.due_at = due_at);
                Ok(())
            }
            Change::EndRefresh(end) => {
                let ended = self.change_refresh(end.authorization_id, |row| row.end(&end));
                ended.unwrap_or(Ok(())).map_err(|AskedSince| CommitError::Conflict)
            }
        }
    }

    fn insert<N: Noun>(&mut self, mut row: N) -> Result<(), CommitError> {
        if self.state.row::<N>(row.id()).is_some() {
            return Err(CommitError::Duplicate(Unique::Id));
        }
        row.set_version(Version::FIRST);
        self.write(row.clone())?;
        row.bring_along(self);
        Ok(())
    }

    fn update<N: Noun>(&mut self, mut row: N) -> Result<(), CommitError> {
        self.expect_version(&row)?;
        row.set_version(row.version().next());
        self.write(row)
    }

    fn delete<N: Noun>(&mut self, row: &N) -> Result<(), CommitError> {
        self.expect_version(row)?;
        row.take_along(self);
        if let Some(child) = row.needed_in(self.state) {
            return Err(unexpected(format!("the row is still needed by {child}")));
        }
        self.remove::<N>(row.id());
        Ok(())
    }

    fn append(&mut self, entry: AuditEntry) -> Result<(), CommitError> {
        let id = entry.id;
        match self.state.audit.entry(id) {
            Entry::Occupied(_) => return Err(CommitError::Duplicate(Unique::Id)),
            Entry::Vacant(place) => place.insert(entry),
        };
        self.undo.push(Box::new(move |state| {
            state.audit.remove(&id);
        }));
        Ok(())
    }

    fn expect_version<N: Noun>(&self, row: &N) -> Result<(), CommitError> {
        match self.state.row::<N>(row.id()) {
            Some(stored) if stored.version() == row.version() => Ok(()),
            Some(_) | None => Err(CommitError::Conflict),
        }
    }

    fn write<N: Noun>(&mut self, row: N) -> Result<(), CommitError> {
        if let Some(rule) = row.duplicate_in(self.state) {
            return Err(CommitError::Duplicate(rule));
        }
        if let Some(parent) = row.missing_in(self.state) {
            return Err(unexpected(format!("the row refers to an unknown {parent}")));
        }
        let id = row.id();
        let before = N::table_mut(self.state).insert(id, row);
        self.undo.push(restore(id, before));
        Ok(())
    }

    pub(super) fn remove<N: Noun>(&mut self, id: N::Id) {
        let before = N::table_mut(self.state).remove(&id);
        self.undo.push(restore(id, before));
    }

    /// Changes the row of an authorization's refreshes, where there is one.
    fn change_refresh<T>(
        &mut self,
        id: AuthorizationId,
        change: impl FnOnce(&mut RefreshRow) -> T,
    ) -> Option<T> {
        let mut row = self.state.refreshes.get(&id)?.clone();
        let changed = change(&mut row);
        self.set_refresh(id, Some(row));
        Some(changed)
    }

    /// Puts the row of an authorization's refreshes in its place, or takes it away.
    pub(super) fn set_refresh(&mut self, id: AuthorizationId, row: Option<RefreshRow>) {
        let before = set(&mut self.state.refreshes, id, row);
        self.undo.push(Box::new(move |state| {
            set(&mut state.refreshes, id, before);
        }));
    }

    /// The ids of the rows that match.
    pub(super) fn ids<N: Noun>(&self, matches: impl Fn(&N) -> bool) -> Vec<N::Id> {
        N::table(self.state).values().filter(|row| matches(row)).map(Keyed::id).collect()
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        while let Some(undo) = self.undo.pop() {
            undo(self.state);
        }
    }
}

/// Puts a place of a table back to what it was.
fn restore<N: Noun>(id: N::Id, before: Option<N>) -> Undo {
    Box::new(move |state| {
        set(N::table_mut(state), id, before);
    })
}

/// Puts a value in its place, or takes away what is there; gives back what was there.
fn set<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => table.insert(key, value),
        None => table.remove(&key),
    }
}

fn unexpected(message: String) -> CommitError {
    CommitError::Store(StoreError::Unexpected(message.into()))
}
