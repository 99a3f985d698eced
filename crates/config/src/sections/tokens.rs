//! `[tokens]`.

use std::time::Duration;

use crate::reader::Reader;

/// How access tokens are kept fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// An access token that lives less than this is refreshed.
    pub freshness_margin: Duration,
    /// How long a caller waits for a provider: published clients give up after 5 s.
    pub caller_wait: Duration,
    /// How long an exchange or a refresh may take at a provider, with nobody waiting.
    pub upstream_limit: Duration,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            freshness_margin: Duration::from_secs(60),
            caller_wait: Duration::from_secs(4),
            upstream_limit: Duration::from_secs(30),
        }
    }
}

impl Tokens {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            freshness_margin: reader
                .seconds("tokens.freshness_margin", &(0..=3_600))
                .unwrap_or(default.freshness_margin),
            caller_wait: reader.seconds("tokens.caller_wait", &(1..=4)).unwrap_or(default.caller_wait),
            upstream_limit: reader
                .seconds("tokens.upstream_limit", &(5..=30))
                .unwrap_or(default.upstream_limit),
        }
    }
}
