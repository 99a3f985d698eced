//! How rivals are set against each other.

use std::sync::Arc;

use grantkeeper_domain::{Change, Store};
use tokio::sync::Barrier;

use crate::store_contract::tenant::Refusal;

/// How many try at once.
pub(super) const RIVALS: usize = 16;
/// How often.
pub(super) const ROUNDS: usize = 8;

/// Starts the same work many times, all at the same moment, and gathers the results.
pub(super) async fn race<T, W>(store: &Arc<dyn Store>, work: impl Fn(Arc<dyn Store>, usize) -> W) -> Vec<T>
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(RIVALS));
    let spawn = |rival| {
        let (start, work) = (start.clone(), work(store.clone(), rival));
        tokio::spawn(async move {
            start.wait().await;
            work.await
        })
    };
    let mut results = Vec::new();
    for task in (0..RIVALS).map(spawn).collect::<Vec<_>>() {
        results.push(task.await.expect("no rival panics"));
    }
    results
}

/// Each rival commits its own changes.
pub(super) async fn race_commits(
    store: &Arc<dyn Store>,
    changes: impl Fn(usize) -> Vec<Change>,
) -> Vec<Result<(), Refusal>> {
    race(store, |store, rival| {
        let changes = changes(rival);
        async move { store.commit(changes).await.map_err(Refusal::from) }
    })
    .await
}

/// One commit was made, and all others were refused like that.
pub(super) fn expect_one_winner(results: &[Result<(), Refusal>], losers: Refusal) {
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| **result == Err(losers)).count(), RIVALS - 1, "{results:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "[Ok(()), Ok(())")]
    fn two_winners_are_one_too_many() {
        expect_one_winner(&[Ok(()); RIVALS], Refusal::Conflict);
    }
}
