//! Limits: how often an account, and an address, may do what costs something, and how long a body may take to come.
//!
//! Every route says in the table of its API what it is limited as. [`behind`] puts its handler behind that limit, before
//! its arguments are read; what is refused is answered in the API's own form, which is made [`From`] a [`Refused`].
//! [`Attempt`] does the same for wrong tokens, states and sessions, [`Naming`] for wrong ids, and [`Waiter`] for calls that
//! wait. Each process counts for itself.

mod address;
mod admission;
mod attempt;
mod limiter;
mod patience;
mod purpose;
mod quota;
mod recognized;
mod refused;
mod settings;
mod waiting;

use grantkeeper_domain::ids::AccountId;

pub(crate) use self::address::Address;
pub(crate) use self::admission::{admit, admit_caller, behind};
pub(crate) use self::attempt::{Attempt, Naming, recognize};
pub(crate) use self::patience::in_time;
pub use self::purpose::Purpose;
pub(crate) use self::purpose::{
    Callback, Limit, PollDeviceFlow, StartDeviceFlow, StartDeviceLogin, StartFlow, StartLogin, TokenRead,
    Unlimited,
};
pub(crate) use self::refused::Refused;
pub use self::settings::{LimitSettings, PerMinute};
pub(crate) use self::waiting::Waiter;

use self::limiter::Limiter;
use self::recognized::Recognized;
use self::settings::POLLS;
use self::waiting::Waits;

/// All limiters of one process.
pub(crate) struct Limits {
    flows: Limiters,
    device_flows: Limiters,
    device_polls: Limiters,
    logins: Limiters,
    device_logins: Limiters,
    callbacks: Limiters,
    token_reads: Limiters,
    wrong_tokens: Option<Limiter<Address>>,
    wrong_tokens_of_providers: Option<Limiter<Address>>,
    wrong_ids: Option<Limiter<AccountId>>,
    recognized: Recognized,
    /// States and sessions that are looked at though their address is over its limit: they may be of another process.
    late_looks: Option<Limiter<Address>>,
    waits: Waits,
}

/// Those of one purpose; `None` is no limit.
struct Limiters {
    caller: Option<Limiter<AccountId>>,
    address: Option<Limiter<Address>>,
}

impl Limits {
    pub(crate) fn new(settings: &LimitSettings) -> Self {
        Self {
            flows: Limiters::new(settings.flows),
            device_flows: Limiters::new(settings.device_flows()),
            device_polls: Limiters::new(settings.device_polls()),
            logins: Limiters::new(settings.flows),
            device_logins: Limiters::new(settings.device_flows()),
            callbacks: Limiters::new(settings.callbacks),
            token_reads: Limiters::new(settings.token_reads),
            wrong_tokens: Limiter::per_minute(settings.wrong_tokens_per_address),
            wrong_tokens_of_providers: Limiter::per_minute(settings.wrong_tokens_per_address),
            wrong_ids: Limiter::per_minute(settings.wrong_tokens_per_address),
            recognized: Recognized::default(),
            late_looks: Limiter::per_minute(POLLS),
            waits: Waits::new(settings.waits_per_address(), settings.waits_per_account()),
        }
    }

    fn of(&self, purpose: Purpose) -> &Limiters {
        match purpose {
            Purpose::StartFlow => &self.flows,
            Purpose::StartDeviceFlow => &self.device_flows,
            Purpose::PollDeviceFlow => &self.device_polls,
            Purpose::StartLogin => &self.logins,
            Purpose::StartDeviceLogin => &self.device_logins,
            Purpose::Callback => &self.callbacks,
            Purpose::TokenRead => &self.token_reads,
        }
    }
}

impl Limiters {
    fn new(PerMinute { caller, address }: PerMinute) -> Self {
        Self { caller: Limiter::per_minute(caller), address: Limiter::per_minute(address) }
    }

    fn are_off(&self) -> bool {
        self.caller.is_none() && self.address.is_none()
    }
}
