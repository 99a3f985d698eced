//! One loop: a chore, again and again, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::StoreError;
use grantkeeper_domain::services::Clock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::causes::Causes;
use crate::chore::{Chore, Progress};
use crate::pace::Pace;

/// A loop to be run.
pub(crate) struct Rounds {
    /// What it is called in the log.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) chore: Arc<dyn Chore>,
    /// How long it rests when there is nothing to do.
    pub(crate) rest: Duration,
    /// What it waits by.
    pub(crate) clock: Arc<dyn Clock>,
    /// Tells it to stop.
    pub(crate) stop: CancellationToken,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("it panicked")]
    Panicked,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Rounds {
    /// Goes round until it is told to stop; a run that is under way then ends first.
    pub(crate) async fn go(self) {
        let mut pace = Pace::new(self.rest);
        while !self.stop.is_cancelled() {
            let pause = match self.attempt().await {
                Ok(progress) => pace.after(progress),
                Err(error) => {
                    let pause = pace.after_failure();
                    tracing::error!(
                        chore = self.name,
                        error = %Causes(&error),
                        again_in_ms = pause.as_millis(),
                        "background work failed"
                    );
                    Some(pause)
                }
            };
            if let Some(pause) = pause {
                self.wait(pause).await;
            }
        }
    }

    /// One run, in a task of its own, so that a panic stays there.
    async fn attempt(&self) -> Result<Progress, RunError> {
        let chore = Arc::clone(&self.chore);
        let run = tokio::spawn(async move { chore.run().await });
        match AbortOnDropHandle::new(run).await {
            Ok(result) => Ok(result?),
            // It is aborted only together with this loop: what is left is a panic, and the panic hook has told of it.
            Err(_) => Err(RunError::Panicked),
        }
    }

    /// Does nothing for so long, or until it is told to stop.
    pub(crate) async fn wait(&self, pause: Duration) {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            () = self.clock.sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use grantkeeper_testkit::FixedClock;
    use tokio::sync::mpsc;

    use super::*;

    enum Run {
        Goes(Progress),
        Fails,
        Panics,
    }

    /// Plays a script, rests when it is over, and tells of every run.
    struct Scripted {
        script: Mutex<VecDeque<Run>>,
        ran: mpsc::UnboundedSender<()>,
    }

    #[async_trait]
    impl Chore for Scripted {
        async fn run(&self) -> Result<Progress, StoreError> {
            self.ran.send(()).expect("the test listens");
            let run = self.script.lock().expect("no run panics here").pop_front();
            match run {
                None => Ok(Progress::Rest),
                Some(Run::Goes(progress)) => Ok(progress),
                Some(Run::Fails) => Err(StoreError::Unavailable("scripted".into())),
                Some(Run::Panics) => panic!("scripted"),
            }
        }
    }

    const REST: Duration = Duration::from_secs(1);

    struct Stage {
        clock: Arc<FixedClock>,
        ran: mpsc::UnboundedReceiver<()>,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    fn play(script: impl IntoIterator<Item = Run>) -> Stage {
        let clock = FixedClock::new();
        let (sender, ran) = mpsc::unbounded_channel();
        let script = Mutex::new(script.into_iter().collect());
        let stop = CancellationToken::new();
        let rounds = Rounds {
            name: "scripted",
            chore: Arc::new(Scripted { script, ran: sender }),
            rest: REST,
            clock: clock.clone(),
            stop: stop.clone(),
        };
        Stage { clock, ran, stop, task: tokio::spawn(rounds.go()) }
    }

    impl Stage {
        /// Waits for that many runs, and for the pause after them.
        async fn runs_then_pauses(&mut self, runs: usize) {
            for _ in 0..runs {
                self.ran.recv().await.expect("the loop runs");
            }
            self.clock.until_sleeping(1).await;
            assert!(self.ran.try_recv().is_err(), "no more than {runs} runs");
        }

        async fn stop(self) {
            self.stop.cancel();
            self.task.await.expect("the loop itself never panics");
        }
    }

    #[tokio::test]
    async fn it_works_while_there_is_work_and_then_rests() {
        let mut stage = play([Run::Goes(Progress::More), Run::Goes(Progress::More)]);
        stage.runs_then_pauses(3).await;
        stage.clock.advance(REST / 2);
        tokio::task::yield_now().await;
        assert!(stage.ran.try_recv().is_err(), "it rests");
        stage.clock.advance(REST / 2);
        stage.runs_then_pauses(1).await;
        stage.stop().await;
    }

    #[tokio::test]
    async fn failures_and_panics_slow_it_down_and_do_not_end_it() {
        let mut stage = play([Run::Fails, Run::Panics, Run::Fails, Run::Goes(Progress::More)]);
        stage.runs_then_pauses(1).await;
        for (pause, runs) in [(REST, 1), (REST, 1), (2 * REST, 2)] {
            stage.clock.advance(pause);
            stage.runs_then_pauses(runs).await;
        }
        stage.stop().await;
    }

    #[tokio::test]
    async fn it_stops_in_the_middle_of_a_rest() {
        let mut stage = play([]);
        stage.runs_then_pauses(1).await;
        stage.stop().await;
    }
}
