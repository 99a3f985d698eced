//! How narrow the limits are.

/// The limits of one process. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitSettings {
    /// Flows that are started. Device flows are counted apart, and there may be a tenth as many. Logins are counted apart from
    /// flows, and those by device code from the others; there may be as many as of the flows of their kind.
    pub flows: PerMinute,
    /// Answers of providers that are brought back, and calls of the pages around them. Polls of device flows are counted
    /// apart, and there may be as many, or one a second.
    pub callbacks: PerMinute,
    /// Access tokens that are handed out, calls that use one, and those that ask providers whether links hold.
    pub token_reads: PerMinute,
    /// Wrong API tokens, sessions and states that an address may present a minute, all at once if need be, and wrong ids of
    /// tokens that an account may name; 0 is no limit.
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

/// Polls a minute: a client polls once in the seconds that the provider names, and no provider names less than one (RFC 8628, 3.5).
pub(super) const POLLS: u32 = 60;

/// Calls that may wait from one address however narrow the limits are: a small office behind one.
const FEWEST_WAITS: u32 = 60;

/// Calls of one account that may wait for links: all machines of a person who works on many projects.
const WAITS_PER_ACCOUNT: u32 = 200;

impl LimitSettings {
    /// Device flows that are started: a tenth of all flows, since each costs a call to the provider, which limits us for
    /// them more than for anything else.
    pub(super) fn device_flows(&self) -> PerMinute {
        self.flows.map(|flows| flows.div_ceil(10))
    }

    /// Calls that may wait from one address for people at once; 0 is no limit. As many as logins by device code may be started
    /// there in a minute: each holds a connection for as long as its codes live.
    pub(super) fn waits_per_address(&self) -> u32 {
        self.device_flows().map(|flows| flows.max(FEWEST_WAITS)).address
    }

    /// Calls of one account that may wait for links at once; 0 is no limit. However few tokens an account may have in a minute,
    /// its machines may wait for them.
    pub(super) fn waits_per_account(&self) -> u32 {
        self.token_reads.map(|_| WAITS_PER_ACCOUNT).caller
    }

    /// Polls of device flows: as many as answers of providers, which they bring as well, and never so few that one honest
    /// client would be refused.
    pub(super) fn device_polls(&self) -> PerMinute {
        self.callbacks.map(|callbacks| callbacks.max(POLLS))
    }
}

impl PerMinute {
    /// The rates made of these; what is not limited stays so.
    fn map(self, rate: impl Fn(u32) -> u32) -> Self {
        let map = |given| if given == 0 { 0 } else { rate(given) };
        Self { caller: map(self.caller), address: map(self.address) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_flows_a_tenth_may_be_device_flows() {
        for (flows, device_flows) in [(0, 0), (1, 1), (10, 1), (11, 2), (600, 60)] {
            let flows = PerMinute { caller: flows, address: 0 };
            let settings = LimitSettings { flows, ..LimitSettings::default() };
            assert_eq!(settings.device_flows(), PerMinute { caller: device_flows, address: 0 });
        }
    }

    #[test]
    fn as_many_wait_at_an_address_as_may_start_in_a_minute_and_never_too_few() {
        for (flows, waits) in [(0, 0), (1, 60), (600, 60), (6_000, 600)] {
            let flows = PerMinute { caller: 0, address: flows };
            let settings = LimitSettings { flows, ..LimitSettings::default() };
            assert_eq!(settings.waits_per_address(), waits);
        }
    }

    #[test]
    fn an_accounts_machines_may_wait_however_narrow_its_limit_is() {
        for (token_reads, waits) in [(0, 0), (1, 200), (100_000, 200)] {
            let token_reads = PerMinute { caller: token_reads, address: 0 };
            let settings = LimitSettings { token_reads, ..LimitSettings::default() };
            assert_eq!(settings.waits_per_account(), waits);
        }
    }

    #[test]
    fn no_limit_is_too_narrow_for_a_poll_a_second() {
        for (callbacks, polls) in [(0, 0), (1, 60), (60, 60), (1_200, 1_200)] {
            let callbacks = PerMinute { caller: callbacks, address: callbacks };
            let settings = LimitSettings { callbacks, ..LimitSettings::default() };
            assert_eq!(settings.device_polls(), PerMinute { caller: polls, address: polls });
        }
    }
}
