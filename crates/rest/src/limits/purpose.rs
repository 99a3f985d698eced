//! What requests are limited as.

/// What a route is limited as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It starts a flow: rows, an audit entry, and a page of a provider's.
    StartFlow,
    /// It starts a device flow: a call to the provider, and a row that lives as long as its codes.
    StartDeviceFlow,
    /// It asks how a device flow stands, as its clients do every few seconds.
    PollDeviceFlow,
    /// It starts a login, or signs somebody in at once: rows, an audit entry, and a page of a provider's or calls to it.
    StartLogin,
    /// It starts a login by device code: a call to the provider, and a row that lives as long as its codes.
    StartDeviceLogin,
    /// It belongs to the way back from a provider: a state, a code or a session can be guessed at.
    Callback,
    /// It hands a token out, or uses some: maybe an audit entry, and maybe calls to providers.
    TokenRead,
}

impl Purpose {
    /// What operators read in the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::StartFlow => "flows",
            Self::StartDeviceFlow => "device_flows",
            Self::PollDeviceFlow => "device_polls",
            Self::StartLogin => "logins",
            Self::StartDeviceLogin => "device_logins",
            Self::Callback => "callbacks",
            Self::TokenRead => "token_reads",
        }
    }
}

/// A purpose in the type of what it limits.
pub(crate) trait Limit: 'static {
    const PURPOSE: Option<Purpose>;
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $purpose:expr),+ $(,)?) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Limit for $name {
            const PURPOSE: Option<Purpose> = $purpose;
        }
    )+};
}

limits! {
    /// Not limited: it costs little, or is polled by design.
    Unlimited = None,
    /// [`Purpose::StartFlow`].
    StartFlow = Some(Purpose::StartFlow),
    /// [`Purpose::StartDeviceFlow`].
    StartDeviceFlow = Some(Purpose::StartDeviceFlow),
    /// [`Purpose::PollDeviceFlow`].
    PollDeviceFlow = Some(Purpose::PollDeviceFlow),
    /// [`Purpose::StartLogin`].
    StartLogin = Some(Purpose::StartLogin),
    /// [`Purpose::StartDeviceLogin`].
    StartDeviceLogin = Some(Purpose::StartDeviceLogin),
    /// [`Purpose::Callback`].
    Callback = Some(Purpose::Callback),
    /// [`Purpose::TokenRead`].
    TokenRead = Some(Purpose::TokenRead),
}
