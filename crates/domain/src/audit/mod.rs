//! The audit log: append-only, who did what to which thing, and how it ended.

mod entry;
mod ports;

pub use entry::{Actor, AuditAction, AuditEntry, AuditOutcome};
pub use ports::*;
