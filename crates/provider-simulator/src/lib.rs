//! A simulated OAuth 2.0 and OpenID provider: it plays the documented behaviour of real ones, and their nastier moods.
//!
//! It serves the authorization code grant with PKCE, refresh tokens with rotation and reuse detection, the device
//! grant, revocation, userinfo, discovery and keys. It has no registrations: **every client id is known**, every
//! client secret is right unless it begins with `wrong-`, and redirects go to loopback addresses only. It keeps
//! everything in memory and **listens on loopback only**: it is for tests and demonstrations.
//!
//! ```
//! use grantkeeper_provider_simulator::{Fault, FaultPlace, Simulator, SimulatorOptions};
//!
//! # fn main() -> std::io::Result<()> {
//! let options = SimulatorOptions { auto_consent: true, ..SimulatorOptions::default() };
//! let simulator = Simulator::start(options)?;
//! println!("the issuer is {}", simulator.url());
//!
//! simulator.set_faults([Fault::status(FaultPlace::Token, 503)]); // the next token request fails
//! simulator.update_settings(|settings| settings.access_token_lifetime = 5); // seconds
//! assert!(simulator.stats().token_calls.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! `cargo run -p grantkeeper-provider-simulator --example standalone` runs it alone.
//!
//! # Endpoints
//!
//! | path | what |
//! |---|---|
//! | `GET /.well-known/openid-configuration` | metadata, also as `/.well-known/oauth-authorization-server` |
//! | `GET /jwks` | the RS256 keys |
//! | `GET`, `POST /authorize` | the consent page and its answer |
//! | `POST /token` | `authorization_code`, `refresh_token`, device code |
//! | `GET`, `POST /userinfo` | claims by scope |
//! | `POST /revoke` | a refresh token takes its family along, an access token nothing but itself |
//! | `POST /device_authorization` | begins the device grant |
//! | `GET`, `POST /device` | the page where people type the user code |
//!
//! With automatic consent nobody is asked: the `login_hint` of the authorization request says who agrees (any value
//! becomes that user's `sub`, none means Ada Example with `sub` 1001), and `login_hint=deny` refuses. Devices poll
//! every second and are approved after their first poll.
//!
//! # Control plane
//!
//! | path | what |
//! |---|---|
//! | `GET /control/stats` | the calls so far, see [`Stats`] |
//! | `POST /control/faults` | sets a fault; `{}` clears all |
//! | `GET`, `POST /control/settings` | reads or changes some of the [`Settings`] |
//! | `POST /control/device` | `{"userCode":"…","decision":"approve"}` or `"deny"`, and `"sub"` if not Ada |
//! | `POST /control/keys/rotate` | a new key; `{"dropOld":true}` unpublishes the old ones |
//! | `POST /control/reset` | forgets calls and faults, returns to the first settings; what was issued stays |
//! | `GET /control/secrets` | every secret issued or received, to search logs and files for |
//!
//! A fault is `{"where":"token","status":503,"delayMs":0,"drop":false,"loseAnswer":false,"times":1}`; all but `where`
//! (`token`, `userinfo`, `revoke`, `device`, `discovery` or `all`) can be left out. `status` answers with an HTML page
//! (`"body"` and `"retryAfter"` in seconds go with it), `drop` closes the connection before the call is handled,
//! `loseAnswer` after it was handled in full, a `delayMs` alone is a late but normal answer. `times` -1 lasts until
//! cleared. A body that makes no sense is refused with 422 and a message.
//!
//! # Time
//!
//! What expires does so by the [`Clock`] in the options, so a test can let an hour pass at once. Only delays by faults
//! are real ones.

mod clock;
mod control;
mod faults;
mod id_token;
mod params;
mod randomness;
mod routes;
mod secrets;
mod server;
mod settings;
mod shared;
mod simulator;
mod state;
mod stats;

pub use clock::{Clock, SystemClock};
pub use faults::{Fault, FaultEffect, FaultPlace, FaultTimes};
pub use settings::{
    CallbackIss, ErrorsStatus, ExpiresIn, IdTokenForgery, Rotation, ScopeSeparator, Settings, TokenFormat,
};
pub use simulator::{Simulator, SimulatorOptions};
pub use stats::{AuthorizeCall, FamilyStats, RevokeCall, Stats, TokenCall, UserinfoCall};
