//! Who takes part.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::child::Server;
use crate::cpu_time;
use crate::failure::Failure;
use crate::figures::Round;
use crate::load::{Connections, HandOuts};
use crate::memory::Resident;

/// Somebody who can be measured for a while.
pub(crate) trait Contender {
    /// Who it is, in a word.
    fn name(&self) -> &'static str;

    /// Measures it. Rounds of one number ask all contenders for the same authorizations.
    fn round(&mut self, number: u32, length: Duration) -> Result<Round, Failure>;

    /// The most memory that its process ever had, in bytes; `None`: it has none of its own, or cannot be known.
    fn peak_memory(&self) -> Option<u64>;
}

/// A web server that is asked for tokens.
pub(crate) struct WebServer {
    /// Who it is.
    pub(crate) name: &'static str,
    /// Its process, which others may ask for something else.
    pub(crate) server: Rc<Server>,
    /// What it is asked.
    pub(crate) hand_outs: Arc<HandOuts>,
    /// Over which connections.
    pub(crate) connections: Connections,
    /// The first process of its database, where that has processes of its own.
    pub(crate) database: Option<u32>,
}

impl Contender for WebServer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn round(&mut self, number: u32, length: Duration) -> Result<Round, Failure> {
        let own = Usage::of(Some(self.server.id()));
        let database = Usage::of(self.database);
        let measured = self.hand_outs.round(self.connections, length, number.into());
        let measured =
            measured.map_err(|failure| format!("{}: {failure}\n{}", self.name, self.server.log()))?;
        Ok(Round {
            requests: measured.latencies.len(),
            elapsed: measured.elapsed,
            p50: Duration::from_micros(measured.latencies.value_at_quantile(0.5)),
            p99: Duration::from_micros(measured.latencies.value_at_quantile(0.99)),
            cpu: own.since(),
            database_cpu: database.since(),
        })
    }

    fn peak_memory(&self) -> Option<u64> {
        Resident::of(self.server.id()).map(|resident| resident.peak)
    }
}

/// The CPU time that processes had used at one moment.
pub(crate) struct Usage {
    root: Option<u32>,
    before: Option<Duration>,
}

impl Usage {
    /// Of a process and its descendants, at this moment.
    pub(crate) fn of(root: Option<u32>) -> Self {
        Self { root, before: root.and_then(cpu_time::of_tree) }
    }

    /// How much more it is by now.
    pub(crate) fn since(&self) -> Option<Duration> {
        Some(cpu_time::of_tree(self.root?)?.saturating_sub(self.before?))
    }
}
