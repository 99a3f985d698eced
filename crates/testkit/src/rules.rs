//! How a list of rules becomes tests, and a rule gets its store.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;

use grantkeeper_domain::Store;

/// A store made for one rule. A pair of a store and anything else makes one too: the other thing (a temporary folder,
/// a guard that drops a schema) is dropped after the store.
pub struct StoreUnderTest {
    store: Arc<dyn Store>,
    _keep: Option<Box<dyn Any>>,
}

impl From<Arc<dyn Store>> for StoreUnderTest {
    fn from(store: Arc<dyn Store>) -> Self {
        Self { store, _keep: None }
    }
}

impl<K: 'static> From<(Arc<dyn Store>, K)> for StoreUnderTest {
    fn from((store, keep): (Arc<dyn Store>, K)) -> Self {
        Self { store, _keep: Some(Box::new(keep)) }
    }
}

/// A rule while it runs.
pub type RunningRule<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Runs one rule on a fresh store, on a runtime of several threads of its own.
///
/// # Panics
/// When the store breaks the rule.
pub fn run_rule<S: Into<StoreUnderTest>>(
    make_store: impl Future<Output = S>,
    rule: impl FnOnce(&Arc<dyn Store>) -> RunningRule<'_>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("threads can be started");
    runtime.block_on(async {
        let subject = make_store.await.into();
        rule(&subject.store).await;
    });
}

/// Makes the rules of a suite public. A rule that is missing in the list stays unreachable, and the compiler says so.
macro_rules! reexport_rules {
    ({} $($module:ident: $($rule:ident),+;)+) => { $(pub use $module::{$($rule),+};)+ };
}

/// Makes a test of every rule of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! rule_tests {
    ({ $suite:ident ($make_store:expr) } $($module:ident: $($rule:ident),+;)+) => {
        $($(
            #[test]
            fn $rule() {
                $crate::run_rule($make_store, |store| Box::pin($crate::$suite::$rule(store)));
            }
        )+)+
    };
}
