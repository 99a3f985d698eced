//! Cookies that tie a run of a flow, or of signing in, to the one browser that it is for.

use std::fmt::Display;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::FLOW_LIFETIME;
use grantkeeper_domain::login::LOGIN_LIFETIME;

use crate::Api;

/// A cookie for each run, under a name of its own, so that parallel runs do not clobber each other.
pub(crate) struct RunCookie {
    /// What the names begin with; the id of the run follows.
    name: &'static str,
    /// Where browsers show it. A cookie with the prefix is shown everywhere.
    path: &'static str,
    lifetime: TimeDelta,
}

/// What a flow's browser has to show at the callback.
pub(crate) const FLOW: RunCookie =
    RunCookie { name: "grantkeeper_flow_", path: "/callback", lifetime: FLOW_LIFETIME };

/// What a login's browser has to show: at the callback where it started on our sign-in page, and on the login's own page.
pub(crate) const LOGIN: RunCookie =
    RunCookie { name: "grantkeeper_login_", path: "/", lifetime: LOGIN_LIFETIME };

/// Where https is spoken: a name with this prefix cannot be planted by a neighbouring subdomain (RFC 6265bis, 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// Gives a browser a cookie, or takes one away.
pub(crate) fn set_cookie(response: &mut HttpResponse, cookie: &Cookie<'_>) {
    if let Err(error) = response.add_cookie(cookie) {
        tracing::error!(%error, "a cookie does not fit into a header");
    }
}

impl RunCookie {
    /// The cookie of a run. `SameSite=Lax`: the person comes back to it from the provider's site.
    pub(crate) fn of(&self, api: &Api, id: impl Display, secret: &Secret) -> Cookie<'static> {
        let path = if api.is_secure() { "/" } else { self.path };
        Cookie::build(self.name_of(api, id), secret.expose().to_owned())
            .path(path)
            .http_only(true)
            .secure(api.is_secure())
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(self.lifetime.num_seconds()))
            .finish()
    }

    /// Takes the cookie of a run away.
    pub(crate) fn spent(&self, api: &Api, id: impl Display) -> Cookie<'static> {
        let mut cookie = self.of(api, id, &Secret::new(String::new()));
        cookie.make_removal();
        cookie
    }

    /// What the browser shows for a run.
    pub(crate) fn shown_for(&self, api: &Api, request: &HttpRequest, id: impl Display) -> Option<Secret> {
        let cookie = request.cookie(&self.name_of(api, id))?;
        Some(Secret::new(cookie.value().to_owned()))
    }

    /// What the browser shows for whichever run.
    pub(crate) fn shown(&self, api: &Api, request: &HttpRequest) -> Vec<Secret> {
        // Cookies that do not parse are not ours.
        let Ok(cookies) = request.cookies() else {
            return Vec::new();
        };
        let beginning = self.name_of(api, "");
        let ours = cookies.iter().filter(|cookie| cookie.name().starts_with(&beginning));
        ours.map(|cookie| Secret::new(cookie.value().to_owned())).collect()
    }

    fn name_of(&self, api: &Api, id: impl Display) -> String {
        let prefix = if api.is_secure() { HOST_PREFIX } else { "" };
        format!("{prefix}{}{id}", self.name)
    }
}
