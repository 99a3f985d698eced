//! Tokens: handing out a valid one, and refreshing each exactly once.

mod freshness;
mod lend_access_token;
mod ports;
mod refresh;

pub(crate) use freshness::time_delta;
pub use freshness::{Freshness, TokenSettings};
pub(crate) use lend_access_token::Lendable;
pub use lend_access_token::{LendAccessToken, LendError, LentToken};
pub use ports::*;
pub use refresh::{InFlight, RefreshOutcome, RefreshTokensOnce};
