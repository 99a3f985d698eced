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
    source: Arc<Source>,
    lines: PerRuntime<LinesOfOne>,
}

/// Where lines come from.
struct Source {
    server: Arc<Server>,
    /// A line that was opened before anybody asked, for whoever is first: connecting takes longer than all else of a start. It
    /// goes when a runtime has one of its own.
    first: LineIfAny,
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
    line: LineIfAny,
    /// Held by the one who connects, so that nobody else does meanwhile.
    connecting: Mutex<()>,
}

impl Lines {
    pub(super) fn to(server: Arc<Server>, first: Option<Line>) -> Self {
        let source = Source { server, first: RwLock::new(first.map(Arc::new)) };
        Self { source: Arc::new(source), lines: PerRuntime::default() }
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
        let line = lines.line(&self.source).await?;
        let answer = within(ANSWER_LIMIT, connection::load(query, &line.connection)).await;
        // One that does not answer is as good as broken.
        if let Err(Failure::NoAnswer) | Ok(Err(Failure::Disconnected(_))) = &answer {
            lines.slots.iter().for_each(|slot| forget(&slot.line, &line));
            forget(&self.source.first, &line);
        }
        answer?
    }
}

impl LinesOfOne {
    /// The line whose turn it is, or else another one that is open: nobody waits for a second line.
    async fn line(self: &Arc<Self>, source: &Arc<Source>) -> Result<Arc<Line>, Failure> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % LINES;
        if let Some(line) = open_line(&self.slots[turn].line) {
            return Ok(line);
        }
        let other = self.slots.iter().find_map(|slot| open_line(&slot.line));
        if let Some(other) = other.or_else(|| open_line(&source.first)) {
            self.connect_behind(turn, source);
            return Ok(other);
        }
        // Those who come while one connects wait for that one, and together no longer than it may take.
        within(CONNECT_LIMIT, self.slots[0].line(source)).await?
    }

    fn connect_behind(self: &Arc<Self>, turn: usize, source: &Arc<Source>) {
        if self.slots[turn].connecting.try_lock().is_err() {
            return;
        }
        let (lines, source) = (Arc::clone(self), Arc::clone(source));
        // Whoever comes next tries again.
        tokio::spawn(async move { drop(within(CONNECT_LIMIT, lines.slots[turn].line(&source)).await) });
    }
}

impl InUse for LinesOfOne {
    /// A runtime that has ended took the drivers of its lines along.
    fn is_in_use(&self) -> bool {
        self.slots.iter().any(Slot::may_be_used)
    }
}

impl Slot {
    async fn line(&self, source: &Source) -> Result<Arc<Line>, Failure> {
        if let Some(line) = open_line(&self.line) {
            return Ok(line);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(line) = open_line(&self.line) {
            return Ok(line);
        }
        let line = Arc::new(source.server.connect_for_reads().await?);
        *self.line.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&line));
        *source.first.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(line)
    }

    fn may_be_used(&self) -> bool {
        open_line(&self.line).is_some() || self.connecting.try_lock().is_err()
    }
}

type LineIfAny = RwLock<Option<Arc<Line>>>;

fn open_line(line: &LineIfAny) -> Option<Arc<Line>> {
    let line = line.read().unwrap_or_else(PoisonError::into_inner);
    line.as_ref().filter(|line| line.is_open()).cloned()
}

/// Unless it was replaced already.
fn forget(line: &LineIfAny, lost: &Arc<Line>) {
    let mut line = line.write().unwrap_or_else(PoisonError::into_inner);
    if line.as_ref().is_some_and(|line| Arc::ptr_eq(line, lost)) {
        *line = None;
    }
}
