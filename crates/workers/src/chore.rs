//! What a loop does, one piece at a time.

use async_trait::async_trait;
use grantkeeper_domain::StoreError;

/// Work that comes in pieces.
#[async_trait]
pub(crate) trait Chore: Send + Sync + 'static {
    /// Does the next piece.
    async fn run(&self) -> Result<Progress, StoreError>;
}

/// What a run came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Something was done, and there may be more of it.
    More,
    /// There was nothing (more) to do.
    Rest,
}
