//! A simulated OAuth 2.0 and OpenID provider: it plays the documented behaviour of real ones, and their nastier moods.
//!
//! One simulator is many providers at once: a plain OpenID provider as the RFCs have it, and GitHub, GitLab, Bitbucket,
//! Google, Box and Microsoft with their own paths, parameters, answers, errors, lifetimes and rotation. It has no
//! registrations: **every client id is known**, every client secret is right unless it begins with `wrong-`, and
//! redirects go to loopback addresses only. It keeps everything in memory and **listens on loopback only**: it is for
//! tests and demonstrations.
//!
//! # In a test
//!
//! Start one per test, point the client under test at it, and let the provider misbehave:
//!
//! ```
//! use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace, Simulator, SimulatorOptions};
//!
//! # fn main() -> std::io::Result<()> {
//! let options = SimulatorOptions { auto_consent: true, ..SimulatorOptions::default() };
//! let simulator = Simulator::start(options)?;
//!
//! // A plain OpenID provider: `simulator.url()` is its issuer.
//! simulator.update_settings(|settings| settings.access_token_lifetime = 5); // seconds
//!
//! // GitHub: for `https://github.com` take `github.url()`, for `https://api.github.com` take `api`.
//! let github = simulator.site("github").ok_or(std::io::ErrorKind::NotFound)?;
//! let api = format!("{}/api.github.com", simulator.url());
//! # assert!(github.mounts().contains(&api));
//! // ... sign somebody in: `GET {github.url()}/login/oauth/authorize?...&login=1002` redirects back with a code ...
//!
//! // Its next refresh is done in full, and the answer gets lost.
//! github.set_faults([Fault::once(FaultPlace::Token, FaultEffect::LoseAnswer)]);
//! // ... see what the client makes of that ...
//! assert!(github.stats().token_calls.is_empty());
//! assert_eq!(github.subject("1002"), "1002"); // who will come back
//! # Ok(())
//! # }
//! ```
//!
//! `cargo run -p grantkeeper-provider-simulator --example standalone` runs it alone, for tests in other languages.
//!
//! # Sites
//!
//! Each provider is a *site* with its own grants, settings, faults, calls and keys. The first part of a path is the
//! real host name, what follows is the real path.
//!
//! | site | where |
//! |---|---|
//! | `oidc` | `/` |
//! | `github` | `/github.com`, `/api.github.com` |
//! | `github-residency` | `/octo.ghe.com`, `/api.octo.ghe.com` |
//! | `github-enterprise` | `/self-managed/github`, its API below `/api/v3` there |
//! | `gitlab` | `/gitlab.com` |
//! | `gitlab-self-managed` | `/self-managed/gitlab` |
//! | `bitbucket` | `/bitbucket.org`, `/api.bitbucket.org` |
//! | `bitbucket-data-center` | `/self-managed/bitbucket` |
//! | `google` | `/accounts.google.com`, `/oauth2.googleapis.com`, `/openidconnect.googleapis.com`, `/www.googleapis.com`, `/www.google.com` |
//! | `box` | `/account.box.com`, `/api.box.com` |
//! | `microsoft` | `/login.microsoftonline.com/{tenant}`, `/graph.microsoft.com`, `/microsoft.com` |
//! | `microsoft-us-government` | `/login.microsoftonline.us/{tenant}`, `/graph.microsoft.us` |
//! | `microsoft-china` | `/login.partner.microsoftonline.cn/{tenant}`, `/microsoftgraph.chinacloudapi.cn` |
//!
//! What a site says about itself is what the real one says: the issuer of `google` is `https://accounts.google.com`.
//! Where a client or a person goes next is here: endpoints in metadata, `verification_uri`, the links to more pages.
//! Self-managed sites are really here and say so. The tenants of Microsoft are `common`, `organizations`, `consumers`
//! and one directory, `8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f` or `kumo.example`.
//!
//! The endpoints of the plain provider:
//!
//! | path | what |
//! |---|---|
//! | `GET /.well-known/openid-configuration` | metadata, also as `/.well-known/oauth-authorization-server` |
//! | `GET /jwks` | the RS256 keys |
//! | `GET`, `POST /authorize` | the consent page and its answer |
//! | `POST /token` | `authorization_code`, `refresh_token`, device code |
//! | `GET`, `POST /userinfo` | claims by scope |
//! | `POST /revoke` | a refresh token takes its family along, an access token nothing but itself |
//! | `POST /introspect` | which client a token was issued to, whatever client asks |
//! | `POST /device_authorization` | begins the device grant |
//! | `GET`, `POST /device` | the page where people type the user code |
//!
//! # People
//!
//! With automatic consent nobody is asked: the `login_hint` of the authorization request (or `login`, as GitHub calls
//! it) says who agrees, else the setting `account` does, else it is Ada Example with the `sub` 1001. Any value becomes
//! that user's `sub`, and `deny` refuses. Devices are approved after their first poll. Without automatic consent there
//! are pages to decide on, at each provider's own address.
//!
//! User identifiers have the shape that the site gives them, and [`site_subject`] tells which it will be.
//!
//! # Settings
//!
//! Every habit that a client could trip over is one of the [`Settings`], and each site begins with those of its
//! provider. To name some of them, in their JSON form:
//!
//! | setting | what it reproduces |
//! |---|---|
//! | `rotation`: `immediate`, `none`, `grace`, `tolerant` | what becomes of a used refresh token; `reuseKillsFamily` and `oldAccessTokenDies` go with it |
//! | `refreshOmitsRefreshToken`, `alwaysRefreshToken`, `deviceRefreshToken` | answers without a refresh token |
//! | `accessTokenLifetime`, `accessTokensExpire`, `toldLifetime`, `refreshTokenLifetime`, `codeLifetime` | when things end, and lies about it |
//! | `maxGrantsPerUser` | the oldest grant dies silently |
//! | `errorsStatus`, `tokenFormat`, `scopeField`, `scopeSeparator`, `expiresIn`, `tokenLength` | the form of answers |
//! | `grantedScopes` | partial consent |
//! | `account`, `userinfoSub` | another account than expected, an answer about somebody else |
//! | `callbackIss`, `announceIss` | the parameter `iss` (RFC 9207): absent, wrong, twice |
//! | `idToken` | forged ID tokens |
//! | `clockSkew`, `replicaLag` | a wrong clock, a token that not all servers know yet |
//! | `rateLimit`: `retryAfter`, `github403`, `bare429` | too many calls |
//! | `slowDownPolls`, `deviceInterval`, `deviceCodeLifetime`, `deviceGrant` | the device grant |
//! | `revokeScope`, `revokeUnsupportedTokenType` | what a revocation ends |
//! | `githubApp`, `installations` | a GitHub App in the place of an OAuth App |
//!
//! # Control plane
//!
//! | path | what |
//! |---|---|
//! | `GET /control/sites` | the sites and where they are |
//! | `GET /control/stats` | the calls so far, see [`Stats`] |
//! | `POST /control/faults` | sets a fault; `{}` clears all |
//! | `POST /control/grants` | `{"clientId":"…","scope":"profile","count":1}`: so many grants at once without their flows, of Ada unless there is a `"sub"`; answers with their tokens. With another client's id they are tokens that a client under test must not take |
//! | `POST /control/personal-tokens` | `{"scope":"read:user"}`: a token that Ada, or a `"sub"`, made by hand for no client, at `github*` and `gitlab*`; answers with its `accessToken` |
//! | `GET`, `POST /control/settings` | reads or changes some of the [`Settings`] |
//! | `POST /control/keys/rotate` | a new key; `{"dropOld":true}` unpublishes the old ones |
//! | `POST /control/reset` | forgets calls and faults, returns to the first settings; what was issued stays |
//! | `POST /control/device` | `{"userCode":"…","decision":"approve"}` or `"deny"`, and `"sub"` if not Ada; at whatever site the device waits |
//! | `GET /control/secrets` | every secret issued or received at any site, to search logs and files for |
//!
//! These are about the plain provider unless they say otherwise. `/control/sites/{site}/` has `stats`, `faults`,
//! `grants`, `personal-tokens`, `settings`, `keys/rotate`, `reset` and `secrets` of each site. A body that makes no sense is refused with 422 and a
//! message.
//!
//! A fault is `{"where":"token","status":503,"delayMs":0,"drop":false,"loseAnswer":false,"times":1}`; all but `where`
//! (`token`, `userinfo`, `revoke`, `device`, `discovery` or `all`) can be left out. `userinfo` is every call with an
//! access token. `status` answers with an HTML page, 200 too; `"body"` and `"retryAfter"` in seconds go with it, and a
//! body in JSON is sent as such, for errors that have no switch. `drop` closes the connection before the call is
//! handled, `loseAnswer` after it was handled in full, a `delayMs` alone is a late but normal answer. `times` -1 lasts
//! until cleared.
//!
//! The stats tell the outcome of a call in the words of the RFCs, whatever the provider calls it.
//!
//! # Time
//!
//! What expires does so by the [`Clock`] in the options, so a test can let an hour pass at once. Only delays by faults
//! are real ones.

mod clock;
mod control;
mod dialect;
mod faults;
mod id_token;
mod params;
mod place;
mod randomness;
mod routes;
mod secrets;
mod server;
mod settings;
mod shared;
mod simulator;
mod site;
mod sites;
mod state;
mod stats;
mod subjects;

pub use clock::{Clock, SystemClock};
pub use faults::{Fault, FaultEffect, FaultPlace, FaultTimes};
pub use settings::{
    AccessTokensExpire, CallbackIss, ClientAuthentication, ErrorsStatus, ExpiresIn, IdTokenForgery, Pkce,
    RateLimit, RevokeScope, Rotation, ScopeField, ScopeSeparator, Settings, TokenFormat,
};
pub use simulator::{Simulator, SimulatorOptions};
pub use site::Site;
pub use stats::{AuthorizeCall, FamilyStats, RevokeCall, Stats, TokenCall, UserinfoCall};
pub use subjects::site_subject;
