//! Work that outlives the caller who asked for it: exchanges and refreshes that must be saved even when nobody waits.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// Runs detached work on one runtime and can wait for all of it to end.
#[derive(Clone)]
pub struct BackgroundTasks {
    runtime: Handle,
    tracker: TaskTracker,
    /// Somebody waits for all work to end.
    is_awaited: Arc<watch::Sender<bool>>,
}

impl BackgroundTasks {
    /// Detached work will run on the runtime that calls this, wherever it is asked for later:
    /// a web worker's own runtime ends with the worker, and a rotated token must not end with it.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub fn on_current_runtime() -> Self {
        Self { runtime: Handle::current(), tracker: TaskTracker::new(), is_awaited: Arc::default() }
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
        self.is_awaited.send_replace(true);
        self.tracker.close();
        self.tracker.wait().await;
        self.tracker.reopen();
        self.is_awaited.send_replace(false);
    }

    /// Completes when somebody waits for all work to end: for work that rests before it goes on.
    pub(crate) fn hurry(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut is_awaited = self.is_awaited.subscribe();
        // The one who sends is here for as long as there is work.
        async move { drop(is_awaited.wait_for(|is_awaited| *is_awaited).await) }
    }
}

#[cfg(test)]
mod tests;
