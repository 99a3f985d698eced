//! Browser sessions and the cookies of flows.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use grantkeeper_domain::accounts::{ApiTokenSecret, Caller, SESSION_LIFETIME};
use grantkeeper_domain::authorizations::FLOW_LIFETIME;
use grantkeeper_domain::ids::FlowId;
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::{Secret, StoreError};

use crate::Api;
use crate::authentication::{Unauthenticated, caller_with};
use crate::limits::Refused;

/// A person who is signed in, and what proves that a form came from one of our pages.
pub(crate) struct Session {
    pub(crate) caller: Caller,
    pub(crate) form_token: String,
}

/// Why it cannot be said whether a browser has a session.
pub(crate) enum SessionError {
    /// Too many wrong ones came from its address.
    Refused(Refused),
    /// The store failed.
    Store(StoreError),
}

/// The session of a browser; `None` where nobody is signed in.
pub(crate) async fn session(api: &Api, request: &HttpRequest) -> Result<Option<Session>, SessionError> {
    let Some(cookie) = request.cookie(&api.settings.session_cookie) else {
        return Ok(None);
    };
    match caller_with(api, request, cookie.value()).await {
        Ok(caller) => Ok(Some(Session { caller, form_token: form_token(cookie.value()) })),
        Err(Unauthenticated::NoToken) => Ok(None),
        Err(Unauthenticated::Refused(refused)) => Err(SessionError::Refused(refused)),
        Err(Unauthenticated::Store(error)) => Err(SessionError::Store(error)),
    }
}

/// Only a page that the session's browser loaded from us knows it: a hash of the session's secret.
fn form_token(session: &str) -> String {
    SecretHash::of(&format!("grantkeeper form {session}")).as_str().to_owned()
}

/// The cookie of a new session. `SameSite=Lax`: the person comes back to it from the provider's site.
pub(crate) fn session_cookie(api: &Api, secret: &ApiTokenSecret) -> Cookie<'static> {
    Cookie::build(api.settings.session_cookie.clone(), secret.expose().to_owned())
        .path("/")
        .http_only(true)
        .secure(api.is_secure())
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(SESSION_LIFETIME.num_seconds()))
        .finish()
}

const FLOW_COOKIE: &str = "grantkeeper_flow_";
/// Where https is spoken: a name with this prefix cannot be planted by a neighbouring subdomain (RFC 6265bis, 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// The cookie that a flow's browser has to show at the callback; a name of its own for each flow, so that parallel
/// flows do not clobber each other.
pub(crate) fn flow_cookie(api: &Api, id: FlowId, secret: &Secret) -> Cookie<'static> {
    let (prefix, path) = if api.is_secure() { (HOST_PREFIX, "/") } else { ("", "/callback") };
    Cookie::build(format!("{prefix}{FLOW_COOKIE}{id}"), secret.expose().to_owned())
        .path(path)
        .http_only(true)
        .secure(api.is_secure())
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(FLOW_LIFETIME.num_seconds()))
        .finish()
}

/// Takes a flow's cookie away.
pub(crate) fn spent_flow_cookie(api: &Api, id: FlowId) -> Cookie<'static> {
    let mut cookie = flow_cookie(api, id, &Secret::new(String::new()));
    cookie.make_removal();
    cookie
}

/// Every flow cookie that the browser shows.
pub(crate) fn flow_cookies(api: &Api, request: &HttpRequest) -> Vec<Secret> {
    let prefix = if api.is_secure() { HOST_PREFIX } else { "" };
    // Cookies that do not parse are not ours.
    let Ok(cookies) = request.cookies() else {
        return Vec::new();
    };
    let is_ours = |name: &str| name.strip_prefix(prefix).is_some_and(|name| name.starts_with(FLOW_COOKIE));
    let ours = cookies.iter().filter(|cookie| is_ours(cookie.name()));
    ours.map(|cookie| Secret::new(cookie.value().to_owned())).collect()
}
