//! Reads, which may be made again.

use crate::failure::Failure;

/// The rows of a query. A connection that turns out to be closed had been so without a word: another one may do.
pub(super) async fn read<Q: Clone, R, F>(query: Q, over_one: impl Fn(Q) -> F) -> Result<Vec<R>, Failure>
where
    F: Future<Output = Result<Vec<R>, Failure>>,
{
    match over_one(query.clone()).await {
        Err(Failure::Disconnected(_)) => over_one(query).await,
        answer => answer,
    }
}
