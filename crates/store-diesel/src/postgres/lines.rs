//! Connections that many callers share at a time: PostgreSQL answers what was sent in its order, and nobody waits for a
//! connection, nor for another's answer before asking.
//!
//! Each runtime has lines of its own, so that an answer wakes its caller without crossing to another thread (a web
//! server has a runtime per worker). A line that broke is replaced by whoever finds it so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use super::reading::read;
use super::server::{Line, Server};
use super::waiting::{ANSWER_LIMIT, CONNECT_LIMIT, within};
use crate::connection::{self, Query};
use crate::failure::Failure;
use crate::per_runtime::{InUse, PerRuntime};

/// How many lines a runtime has: while one of them sends, another receives.
const LINES: usize = 2;

/// The lines of all runtimes.
pub(crate) struct Lines {
    server: Arc<Server>,
    lines: PerRuntime<LinesOfOne>,
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
        Self { server, lines: PerRuntime::default() }
    }

    /// The rows of a query that is quick: others wait behind it.
    pub(crate) async fn load<R: Send + 'static>(
        &self,
        query: impl Query<R> + Clone,
    ) -> Result<Vec<R>, Failure> {
        read(query, |query| self.load_once(query)).await
    }

    async fn load_once<R: Send + 'static>(&self, query: impl Query<R>) -> Result<Vec<R>, Failure> {
        let lines = self.lines.here();
        let line = lines.line(&self.server).await?;
        let answer = within(ANSWER_LIMIT, connection::load(query, &line.connection)).await;
        // One that does not answer is as good as broken.
        if let Err(Failure::NoAnswer) | Ok(Err(Failure::Disconnected(_))) = &answer {
            lines.slots.iter().for_each(|slot| slot.give_up(&line));
        }
        answer?
    }
}

impl LinesOfOne {
    /// The line whose turn it is, or else another one that is open: nobody waits for a second line.
    async fn line(self: &Arc<Self>, server: &Arc<Server>) -> Result<Arc<Line>, Failure> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % LINES;
        if let Some(line) = self.slots[turn].open_line() {
            return Ok(line);
        }
        if let Some(other) = self.slots.iter().find_map(Slot::open_line) {
            self.connect_behind(turn, server);
            return Ok(other);
        }
        // Those who come while one connects wait for that one, and together no longer than it may take.
        within(CONNECT_LIMIT, self.slots[0].line(server)).await?
    }

    fn connect_behind(self: &Arc<Self>, turn: usize, server: &Arc<Server>) {
        if self.slots[turn].connecting.try_lock().is_err() {
            return;
        }
        let (lines, server) = (Arc::clone(self), Arc::clone(server));
        // Whoever comes next tries again.
        tokio::spawn(async move { drop(within(CONNECT_LIMIT, lines.slots[turn].line(&server)).await) });
    }
}

impl InUse for LinesOfOne {
    /// A runtime that has ended took the drivers of its lines along.
    fn is_in_use(&self) -> bool {
        self.slots.iter().any(Slot::may_be_used)
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
        let line = Arc::new(server.connect_for_reads().await?);
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
