//! Signing in: a person proves at a provider who they are, and gets an API token or a browser session of ours.
//!
//! Three ways lead in. A client opens the provider's page in a browser and polls ([`StartWebLogin`], [`CompleteWebLogin`],
//! [`ConfirmLogin`], [`PollLogin`]); a client without a browser shows a code ([`BeginDeviceLogin`],
//! [`CompleteDeviceLogin`]); a client brings an access token that it has already ([`SignInWithToken`]). The browser of our own
//! pages takes the first way and polls nothing.
//!
//! Whoever signs in is known by (issuer, subject) and by nothing else (OpenID Connect Core, 5.7): never by a login name, which
//! providers give to somebody else, and never by an e-mail address.

mod admit_person;
mod begin_device_login;
mod complete_device_login;
mod complete_web_login;
mod confirm_login;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
mod identity;
mod link_identity;
#[expect(clippy::module_inception, reason = "the noun of this folder")]
mod login;
mod login_providers;
mod outcome;
mod person;
mod poll_login;
mod ports;
mod redirects;
mod release_token;
mod settings;
mod sign_in_with_token;
mod start_web_login;

pub use admit_person::AdmitPerson;
pub use begin_device_login::{BeginDeviceLogin, BegunDeviceLogin};
pub(crate) use complete_device_login::Waits;
pub use complete_device_login::{Awaited, CompleteDeviceLogin};
pub use complete_web_login::{CompleteWebLogin, ReturnedLogin};
pub use confirm_login::{ConfirmLogin, LoginPage, LoginSummary};
pub use error::LoginError;
pub use identity::LoginIdentity;
pub use link_identity::{LinkIdentity, LinkIdentityError};
pub use login::{
    AskingClient, CodeGrant, DevicePoll, LOGIN_LIFETIME, Login, LoginEnd, LoginRoute, LoginStage,
};
pub use login_providers::{LoginProviders, Offered};
pub(crate) use outcome::LoginOutcomes;
pub use person::Person;
pub use poll_login::{LoginPoll, PollLogin};
pub use ports::*;
pub use redirects::{LoginRedirects, RedirectOrigin};
pub(crate) use release_token::ReleaseToken;
pub use settings::{LoginProviderSettings, LoginSettings, NewAccounts};
pub use sign_in_with_token::SignInWithToken;
pub use start_web_login::{StartWebLogin, StartedBrowserLogin, StartedWebLogin, WebLoginRequest};
