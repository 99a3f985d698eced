//! Reads that wait go together.
//!
//! The first who asks is read for at once. Who asks while that read is under way waits for it to end, and is then read for
//! together with all others who wait: a query for many rows costs much less than as many queries for one. Nobody gets an
//! answer from a read that began before they asked.
//!
//! The reading is done by a task that ends when nobody waits any more, and not by one of the callers: a caller may be left
//! alone in the middle of a read, by whoever polls it, for as long as others would have to wait for it.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::per_runtime::InUse;

/// How many are read for together at most, so that the first does not wait long for the last.
const LARGEST_READ: usize = 64;

/// Those who ask for values by their keys.
pub(crate) struct Gathering<K, V> {
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    waiting: VecDeque<Caller<K, V>>,
    /// Whether there is a task that reads.
    is_reading: bool,
}

/// One who waits.
struct Caller<K, V> {
    key: K,
    reply: oneshot::Sender<Result<Option<V>, Failure>>,
}

impl<K, V> Default for Gathering<K, V> {
    fn default() -> Self {
        Self { state: Mutex::new(State { waiting: VecDeque::new(), is_reading: false }) }
    }
}

impl<K, V> Gathering<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    /// The value of a key, where there is one. `read` gives the values of the keys that have one.
    pub(crate) async fn ask<R>(
        self: &Arc<Self>,
        key: K,
        read: impl Fn(Vec<K>) -> R + Send + 'static,
    ) -> Result<Option<V>, Failure>
    where
        R: Future<Output = Result<HashMap<K, V>, Failure>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let is_first = {
            let mut state = self.state();
            state.waiting.push_back(Caller { key, reply });
            !mem::replace(&mut state.is_reading, true)
        };
        if is_first {
            tokio::spawn(read_for_all(Turn { gathering: Arc::clone(self), is_over: false }, read));
        }
        answer.await.unwrap_or(Err(Failure::Stopped))
    }
}

impl<K, V> Gathering<K, V> {
    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> InUse for Gathering<K, V> {
    fn is_in_use(&self) -> bool {
        self.state().is_reading
    }
}

/// Reads until nobody waits.
async fn read_for_all<K, V, R>(mut turn: Turn<K, V>, read: impl Fn(Vec<K>) -> R)
where
    K: Clone + Eq + Hash,
    V: Clone,
    R: Future<Output = Result<HashMap<K, V>, Failure>>,
{
    while let Some(batch) = turn.batch() {
        // A bug costs those an error who are read for, and nobody else.
        let values = AssertUnwindSafe(read(keys(&batch))).catch_unwind().await;
        match values.unwrap_or(Err(Failure::Panicked)) {
            Ok(values) => hand_out(batch, values),
            Err(failure) => {
                // Where the database is away, each further read would have those who wait by now wait as long again.
                let others = if failure.is_passing() { turn.all_others() } else { VecDeque::new() };
                refuse(batch.into_iter().chain(others), failure);
            }
        }
    }
}

/// The right to read. Its task may be dropped in the middle of a read, with the runtime of all who wait.
struct Turn<K, V> {
    gathering: Arc<Gathering<K, V>>,
    is_over: bool,
}

impl<K, V> Turn<K, V> {
    /// Those who are read for next: who has waited longest, and has not gone away. The turn is over where nobody waits.
    fn batch(&mut self) -> Option<VecDeque<Caller<K, V>>> {
        let mut state = self.gathering.state();
        let mut batch = VecDeque::new();
        while batch.len() < LARGEST_READ {
            match state.waiting.pop_front() {
                Some(caller) if caller.reply.is_closed() => {}
                Some(caller) => batch.push_back(caller),
                None => break,
            }
        }
        // Under the same lock, so that nobody comes in between.
        state.is_reading = !batch.is_empty();
        self.is_over = batch.is_empty();
        state.is_reading.then_some(batch)
    }

    /// Whoever has come since.
    fn all_others(&self) -> VecDeque<Caller<K, V>> {
        mem::take(&mut self.gathering.state().waiting)
    }
}

impl<K, V> Drop for Turn<K, V> {
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.gathering.state();
            state.is_reading = false;
            state.waiting.clear();
        }
    }
}

/// The keys that are asked for, each once.
fn keys<K: Clone + Eq, V>(batch: &VecDeque<Caller<K, V>>) -> Vec<K> {
    let mut keys = Vec::with_capacity(batch.len());
    for caller in batch {
        if !keys.contains(&caller.key) {
            keys.push(caller.key.clone());
        }
    }
    keys
}

/// Gives everybody their value.
fn hand_out<K: Eq + Hash, V: Clone>(mut batch: VecDeque<Caller<K, V>>, mut values: HashMap<K, V>) {
    while let Some(Caller { key, reply }) = batch.pop_front() {
        let is_last = batch.iter().all(|other| other.key != key);
        let value = if is_last { values.remove(&key) } else { values.get(&key).cloned() };
        let _ = reply.send(Ok(value));
    }
}

/// Tells everybody why there is no answer.
fn refuse<K, V>(batch: impl Iterator<Item = Caller<K, V>>, failure: Failure) {
    let failure = Arc::new(failure);
    for Caller { reply, .. } in batch {
        let _ = reply.send(Err(Failure::Shared(Arc::clone(&failure))));
    }
}

#[cfg(test)]
mod tests;
