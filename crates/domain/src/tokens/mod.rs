//! Tokens: handing out a valid one, and refreshing each exactly once.
//!
//! - `lend_access_token` hands out; `recent_reads` and `use_record` keep the store out of its way,
//!   `verdicts` what providers have said about tokens. `refused_tokens` gets others in the place of those that they refuse.
//! - `refresh` sees to it that one refresh of an authorization runs at a time, `refresh_turn` runs it, `keep_refresh` keeps
//!   what came of it; `silence` tells when whoever had the lease is dead, `awaited_answers` how long to wait for what it asked.
//! - `refresh_due_tokens` refreshes ahead of expiry, when the `schedule` says so, at the pace of the `provider_gates`.

mod awaited_answers;
mod freshness;
mod keep_refresh;
mod lend_access_token;
mod ports;
mod provider_gates;
mod recent_reads;
mod refresh;
mod refresh_due_tokens;
#[cfg(test)]
mod refresh_fixtures;
mod refresh_turn;
mod refused_tokens;
mod schedule;
mod silence;
mod use_record;
mod verdicts;

pub use awaited_answers::AwaitedAnswers;
pub(crate) use freshness::time_delta;
pub use freshness::{Freshness, TokenSettings};
pub(crate) use lend_access_token::Lendable;
pub use lend_access_token::{LendAccessToken, LendError, LentToken};
pub use ports::*;
pub use provider_gates::ProviderGates;
pub(crate) use recent_reads::Linked;
pub use recent_reads::{OLDEST_READ, RecentReads};
pub use refresh::{InFlight, RefreshOutcome, RefreshTokensOnce};
pub use refresh_due_tokens::{RefreshDueTokens, UnderWay};
pub use refresh_turn::RefreshTurn;
pub(crate) use refused_tokens::{RefusedTokens, Renewed};
pub(crate) use schedule::Schedule;
pub(crate) use silence::Silence;
pub use use_record::{HandOutRecord, RecordUses};
pub(crate) use verdicts::{Verdict, Verdicts};
