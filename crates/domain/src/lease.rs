//! A worker's claim.

use chrono::{DateTime, Utc};

/// A worker's claim to a piece of work. Whoever holds it extends it while it works; one that has lapsed may be taken by
/// anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The worker, by a name that no other process has.
    pub holder: String,
    /// Until when the claim holds.
    pub until: DateTime<Utc>,
}
