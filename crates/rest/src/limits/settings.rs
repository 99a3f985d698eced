//! How narrow the limits are.

/// The limits of one process. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitSettings {
    /// Flows that are started.
    pub flows: PerMinute,
    /// Answers of providers that are brought back, and calls of the pages around them.
    pub callbacks: PerMinute,
    /// Access tokens that are handed out, and calls that use one.
    pub token_reads: PerMinute,
    /// Wrong API tokens and sessions that an address may present a minute, all at once if need be; 0 is no limit.
    pub wrong_tokens_per_address: u32,
}

/// Requests a minute, all of them at once if need be; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerMinute {
    /// By one account, with whichever of its tokens.
    pub caller: u32,
    /// From one address: an IPv4 address, or the /64 of an IPv6 address.
    pub address: u32,
}
