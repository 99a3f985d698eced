//! Browser sessions.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use grantkeeper_domain::StoreError;
use grantkeeper_domain::accounts::{ApiTokenSecret, Caller, SESSION_LIFETIME};
use grantkeeper_domain::secret::SecretHash;

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
        // An agent is no person, and has no pages to look at.
        Err(Unauthenticated::NoToken | Unauthenticated::OnlyReadsTokens) => Ok(None),
        Err(Unauthenticated::Refused(refused)) => Err(SessionError::Refused(refused)),
        Err(Unauthenticated::Store(error)) => Err(SessionError::Store(error)),
    }
}

/// Only a page that the browser loaded from us knows it: a hash of the secret in one of its cookies.
pub(crate) fn form_token(cookie: &str) -> String {
    SecretHash::of(&format!("grantkeeper form {cookie}")).as_str().to_owned()
}

/// The cookie of a new session. `SameSite=Lax`: the person comes back to it from the provider's site.
pub(crate) fn session_cookie(api: &Api, secret: &ApiTokenSecret) -> Cookie<'static> {
    cookie(api, secret.expose().to_owned())
}

fn cookie(api: &Api, value: String) -> Cookie<'static> {
    Cookie::build(api.settings.session_cookie.clone(), value)
        .path("/")
        .http_only(true)
        .secure(api.is_secure())
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(SESSION_LIFETIME.num_seconds()))
        .finish()
}

/// Takes the cookie of a session away.
pub(crate) fn ended_session_cookie(api: &Api) -> Cookie<'static> {
    let mut cookie = cookie(api, String::new());
    cookie.make_removal();
    cookie
}
