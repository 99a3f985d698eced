//! Connections that many callers share at a time: PostgreSQL answers what was sent in its order, and nobody waits for a
//! connection, nor for another's answer before asking.
//!
//! Each runtime has lines of its own, so that an answer wakes its caller without crossing to another thread (a web
//! server has a runtime per worker). A line that broke is replaced by whoever finds it so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::{Handle, Id};
use tokio::sync::Mutex;

use super::server::{Line, Server};
use super::waiting::{ANSWER_LIMIT, CONNECT_LIMIT, LOCK_LIMIT_OF_LINES as LOCK_LIMIT, within};
use crate::connection::{self, Query};
use crate::failure::Failure;

/// How many lines a runtime has: while one of them sends, another receives.
const LINES: usize = 2;

/// The lines of all runtimes.
pub(crate) struct Lines {
    server: Arc<Server>,
    by_runtime: RwLock<HashMap<Id, Arc<LinesOfOne>>>,
}

/// The lines of one runtime.
#[derive(Default)]
struct LinesOfOne {
    slots: [Slot; LINES],
    next: AtomicUsize,
}

/// A place for a line.
#[derive(Default)]
struct Slot {
    line: RwLock<Option<Arc<Line>>>,
    /// Held by the one who connects, so that nobody else does meanwhile.
    connecting: Mutex<()>,
}

impl Lines {
    pub(crate) fn to(server: Arc<Server>) -> Self {
        Self { server, by_runtime: RwLock::default() }
    }

    /// The rows of a query.
    pub(crate) async fn load<R: Send + 'static>(&self, query: impl Query<R>) -> Result<Vec<R>, Failure> {
        let lines = self.of_this_runtime();
        let slot = &lines.slots[lines.next.fetch_add(1, Ordering::Relaxed) % LINES];
        // Those who come while one connects wait for that one, and together no longer than it may take.
        let line = within(CONNECT_LIMIT, slot.line(&self.server)).await??;
        let answer = within(ANSWER_LIMIT, connection::load(query, &line.connection)).await;
        // One that does not answer is as good as broken.
        if let Err(Failure::NoAnswer) | Ok(Err(Failure::Disconnected(_))) = &answer {
            slot.give_up(&line);
        }
        answer?
    }

    fn of_this_runtime(&self) -> Arc<LinesOfOne> {
        let runtime = Handle::current().id();
        let known = self.by_runtime.read().unwrap_or_else(PoisonError::into_inner).get(&runtime).cloned();
        known.unwrap_or_else(|| {
            let mut all = self.by_runtime.write().unwrap_or_else(PoisonError::into_inner);
            // A runtime that has ended took the drivers of its lines along.
            all.retain(|_, lines| lines.slots.iter().any(Slot::may_be_used));
            Arc::clone(all.entry(runtime).or_default())
        })
    }
}

impl Slot {
    async fn line(&self, server: &Server) -> Result<Arc<Line>, Failure> {
        if let Some(line) = self.open_line() {
            return Ok(line);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(line) = self.open_line() {
            return Ok(line);
        }
        let line = Arc::new(server.connect_to_wait(LOCK_LIMIT).await?);
        *self.line.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&line));
        Ok(line)
    }

    fn open_line(&self) -> Option<Arc<Line>> {
        let line = self.line.read().unwrap_or_else(PoisonError::into_inner);
        line.as_ref().filter(|line| line.is_open()).cloned()
    }

    fn may_be_used(&self) -> bool {
        self.open_line().is_some() || self.connecting.try_lock().is_err()
    }

    /// Forgets a line, unless it was replaced already.
    fn give_up(&self, lost: &Arc<Line>) {
        let mut line = self.line.write().unwrap_or_else(PoisonError::into_inner);
        if line.as_ref().is_some_and(|line| Arc::ptr_eq(line, lost)) {
            *line = None;
        }
    }
}
