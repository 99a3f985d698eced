//! What each runtime has of its own, so that an answer wakes its caller without crossing to another thread: a web server
//! has a runtime per worker.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::{Handle, Id};

/// A value for each runtime that asks.
pub(crate) struct PerRuntime<T> {
    by_runtime: RwLock<HashMap<Id, Arc<T>>>,
}

/// Whether somebody may still need it.
pub(crate) trait InUse {
    fn is_in_use(&self) -> bool;
}

impl<T> Default for PerRuntime<T> {
    fn default() -> Self {
        Self { by_runtime: RwLock::default() }
    }
}

impl<T: Default + InUse> PerRuntime<T> {
    /// That of the calling runtime.
    pub(crate) fn here(&self) -> Arc<T> {
        let runtime = Handle::current().id();
        let known = self.by_runtime.read().unwrap_or_else(PoisonError::into_inner).get(&runtime).cloned();
        known.unwrap_or_else(|| {
            let mut all = self.by_runtime.write().unwrap_or_else(PoisonError::into_inner);
            // Runtimes end without a word. Those that are merely idle get a new one.
            all.retain(|_, value| value.is_in_use());
            Arc::clone(all.entry(runtime).or_default())
        })
    }
}
