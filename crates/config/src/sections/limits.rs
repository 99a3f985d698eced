//! `[limits]`: how often an account and an address may do what costs something.

use crate::reader::Reader;

/// What one process admits. Each rate is a number of requests a minute, all at once if need be; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Flows that one account may start.
    pub flows_per_caller: u32,
    /// Flows that may be started from one address.
    pub flows_per_address: u32,
    /// Answers of providers that one account may bring back.
    pub callbacks_per_caller: u32,
    /// Answers of providers, and calls of the pages around them, that may come from one address.
    pub callbacks_per_address: u32,
    /// Access tokens that one account may read.
    pub token_reads_per_caller: u32,
    /// Access tokens that may be read from one address.
    pub token_reads_per_address: u32,
    /// Wrong API tokens and sessions that one address may present.
    pub wrong_tokens_per_address: u32,
    /// Connections that are open at a time.
    pub connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows_per_caller: 600,
            flows_per_address: 6_000,
            callbacks_per_caller: 1_200,
            callbacks_per_address: 12_000,
            token_reads_per_caller: 60_000,
            token_reads_per_address: 300_000,
            wrong_tokens_per_address: 3_000,
            connections: 10_000,
        }
    }
}

/// Beyond, a request has less than ten microseconds, and a limit means nothing.
const MOST: u32 = 6_000_000;
/// Beyond, a process has no file descriptors.
const MOST_CONNECTIONS: u32 = 1_000_000;

impl Limits {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        let range = 1..=u64::from(MOST_CONNECTIONS);
        let connections = reader.number("limits.connections", &range, "the number of connections");
        let mut rate = |name: &str, default: u32| {
            let key = format!("limits.{name}");
            let given = reader.number(&key, &(0..=u64::from(MOST)), "requests a minute, or 0 for no limit");
            given.and_then(|rate| u32::try_from(rate).ok()).unwrap_or(default)
        };
        Self {
            flows_per_caller: rate("flows_per_caller", default.flows_per_caller),
            flows_per_address: rate("flows_per_address", default.flows_per_address),
            callbacks_per_caller: rate("callbacks_per_caller", default.callbacks_per_caller),
            callbacks_per_address: rate("callbacks_per_address", default.callbacks_per_address),
            token_reads_per_caller: rate("token_reads_per_caller", default.token_reads_per_caller),
            token_reads_per_address: rate("token_reads_per_address", default.token_reads_per_address),
            wrong_tokens_per_address: rate("wrong_tokens_per_address", default.wrong_tokens_per_address),
            connections: connections
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(default.connections),
        }
    }
}
