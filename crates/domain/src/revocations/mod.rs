//! Durable revocations: the tokens of a deleted authorization live on here alone, until the provider has revoked
//! them or seven days are over.

mod attempt;
mod ports;
mod revocation;
mod run_due_revocations;
mod view_revocations;

pub use attempt::RevocationAttempt;
pub use ports::*;
pub use revocation::{REVOCATION_PERIOD, ResourceOwner, Revocation, RevocationStatus, SHARED_GRANT};
pub use run_due_revocations::RunDueRevocations;
pub use view_revocations::{LONGEST_LIST, ViewRevocationError, ViewRevocations};
