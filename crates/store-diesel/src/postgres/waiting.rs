//! How long a database is waited for.

use std::time::Duration;

use crate::failure::Failure;

/// How long the server may take for a statement before it gives it up by itself (`statement_timeout`).
pub(super) const STATEMENT_LIMIT: Duration = Duration::from_secs(10);

/// How long a read on a shared line waits for a table that somebody has locked, which happens when a schema is changed:
/// all that is asked on the line waits behind it.
pub(super) const LOCK_LIMIT_OF_LINES: Duration = Duration::from_secs(1);

/// How long an answer is waited for: the server's own limit and some for the way. A server that does not even say that
/// it gave up is gone.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(12);

/// How long a commit is made again whose answer was lost: a server restarts in less.
pub(crate) const OUTCOME_LIMIT: Duration = Duration::from_secs(30);

/// How long a connection may take to be made.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Waits for an answer, but no longer than `limit`.
#[expect(
    clippy::disallowed_methods,
    reason = "what limits a socket is real time, whatever the clock of the domain says"
)]
pub(crate) async fn within<F: Future>(limit: Duration, answer: F) -> Result<F::Output, Failure> {
    tokio::time::timeout(limit, answer).await.map_err(|_| Failure::NoAnswer)
}

/// Lets the server come back before it is asked again.
#[expect(clippy::disallowed_methods, reason = "a server restarts in real time")]
pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}
