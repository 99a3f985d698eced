//! All loops of one process.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::UseCases;
use grantkeeper_domain::services::{Clock, within};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::chore::Chore;
use crate::chores::{Cleaning, DeviceFlows, Jobs, LinkNews, Refreshes, Revocations};
use crate::rounds::Rounds;

/// How the background works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSettings {
    /// How long a loop that found nothing that is due waits before it looks again.
    pub poll_interval: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(500) }
    }
}

/// How often what has had its time is removed.
const CLEANING_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How often it is looked what other processes have linked, where somebody waits for a link: a person who has just come back
/// from a provider does not notice it.
const LINK_NEWS_INTERVAL: Duration = Duration::from_secs(3);

/// How long the loops leave a process alone that has just been started: each opens a connection to the database, and whoever asks
/// first is not to wait behind them all.
const FIRST_REST: Duration = Duration::from_millis(100);

/// The running loops. They go on until [`Workers::stop`]; dropping this aborts them.
pub struct Workers {
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    loops: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts the loops on the runtime that calls this.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub fn start(use_cases: &UseCases, clock: Arc<dyn Clock>, settings: WorkerSettings) -> Self {
        let poll = settings.poll_interval;
        let chores: [(&'static str, Arc<dyn Chore>, Duration); 6] = [
            ("refreshes", Arc::new(Refreshes(use_cases.refresh_due_tokens.clone())), poll),
            ("jobs", Arc::new(Jobs(use_cases.run_next_job.clone())), poll),
            ("revocations", Arc::new(Revocations(use_cases.run_due_revocations.clone())), poll),
            ("device flows", Arc::new(DeviceFlows(use_cases.finish_device_flows.clone())), poll),
            ("link news", Arc::new(LinkNews(use_cases.wake_link_waiters.clone())), LINK_NEWS_INTERVAL),
            ("clean-up", Arc::new(Cleaning(use_cases.clean_up.clone())), CLEANING_INTERVAL),
        ];
        let stop = CancellationToken::new();
        let loops = chores
            .into_iter()
            .map(|(name, chore, rest)| {
                let rounds = Rounds { name, chore, rest, clock: clock.clone(), stop: stop.clone() };
                tokio::spawn(async move {
                    rounds.wait(FIRST_REST).await;
                    rounds.go().await;
                })
            })
            .collect();
        Self { clock, stop, loops }
    }

    /// Tells the loops to stop and waits for the runs under way to end, at most for `limit`. Returns whether they
    /// did; those that did not are aborted, and their leases lapse.
    pub async fn stop(mut self, limit: Duration) -> bool {
        self.stop.cancel();
        let clock = self.clock.clone();
        let ended = async {
            for rounds in &mut self.loops {
                // A loop ends or is aborted, and nobody aborts it before this.
                let _ = rounds.await;
            }
        };
        within(&clock, limit, ended).await.is_some()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for rounds in &self.loops {
            rounds.abort();
        }
    }
}

#[cfg(test)]
mod tests;
