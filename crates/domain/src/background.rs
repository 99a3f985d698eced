//! Work that outlives the caller who asked for it: exchanges and refreshes that must be saved even when nobody waits.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// Runs detached work on one runtime and can wait for all of it to end.
#[derive(Clone)]
pub struct BackgroundTasks {
    runtime: Handle,
    tracker: TaskTracker,
}

impl BackgroundTasks {
    /// Detached work will run on the runtime that calls this, wherever it is asked for later:
    /// a web worker's own runtime ends with the worker, and a rotated token must not end with it.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub fn on_current_runtime() -> Self {
        Self { runtime: Handle::current(), tracker: TaskTracker::new() }
    }

    /// Starts `work`. The receiver gets its result, or an error when the work panicked.
    pub fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (done, result) = oneshot::channel();
        self.tracker.spawn_on(
            async move {
                // Nobody waits any more: that is what detached means.
                let _ = done.send(work.await);
            }
            .in_current_span(),
            &self.runtime,
        );
        result
    }

    /// Waits until all work that was started has ended.
    pub async fn drain(&self) {
        self.tracker.close();
        self.tracker.wait().await;
        self.tracker.reopen();
    }
}

#[cfg(test)]
mod tests;
