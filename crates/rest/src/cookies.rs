//! Cookies that tie a run of a flow, or of signing in, to the one browser that it is for.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{FLOW_LIFETIME, LONGEST_DEVICE_FLOW};
use grantkeeper_domain::login::LOGIN_LIFETIME;

use crate::Api;

/// A cookie for each run, under a name of its own, so that parallel runs do not clobber each other.
pub(crate) struct RunCookie {
    /// What the names begin with; the id of the run follows.
    name: &'static str,
    lifetime: TimeDelta,
}

/// What a flow's browser has to show at the callback, whichever of its addresses the provider knows.
pub(crate) const FLOW: RunCookie = RunCookie { name: "grantkeeper_flow_", lifetime: FLOW_LIFETIME };

/// What a login's browser has to show: at the callback where it started on our sign-in page, and on the login's own page.
pub(crate) const LOGIN: RunCookie = RunCookie { name: "grantkeeper_login_", lifetime: LOGIN_LIFETIME };

/// What a browser polls a device flow with, and shows meanwhile. Its run is the provider: who begins again there has new codes.
pub(crate) const DEVICE: RunCookie = RunCookie { name: "grantkeeper_device_", lifetime: LONGEST_DEVICE_FLOW };

/// As many runs are looked at in one request, and more than anybody has under way at once: to look costs reads of the store.
const MOST_RUNS: usize = 16;

/// In letters, of any id.
const ID_LENGTH: usize = 36;

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
        Cookie::build(self.name_of(api, id), secret.expose().to_owned())
            .path("/")
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

    /// Takes the cookies of all runs away that the browser shows.
    pub(crate) fn all_spent(&self, api: &Api, request: &HttpRequest) -> Vec<Cookie<'static>> {
        self.all(api, request).into_iter().map(|(id, _)| self.spent(api, id)).collect()
    }

    /// What the browser shows for the newest runs.
    pub(crate) fn shown(&self, api: &Api, request: &HttpRequest) -> Vec<Secret> {
        self.newest(api, request).into_iter().map(|(_, value)| Secret::new(value)).collect()
    }

    /// The newest runs for which the browser shows something.
    pub(crate) fn runs<Id: FromStr>(&self, api: &Api, request: &HttpRequest) -> Vec<Id> {
        self.newest(api, request).into_iter().filter_map(|(id, _)| id.parse().ok()).collect()
    }

    /// Ids begin with the time at which they were made (RFC 9562, 5.7).
    fn newest(&self, api: &Api, request: &HttpRequest) -> Vec<(String, String)> {
        let mut shown = self.all(api, request);
        shown.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
        shown.truncate(MOST_RUNS);
        shown
    }

    /// The ids of runs, and what the browser shows for them.
    fn all(&self, api: &Api, request: &HttpRequest) -> Vec<(String, String)> {
        // Cookies that do not parse are not ours.
        let Ok(cookies) = request.cookies() else {
            return Vec::new();
        };
        let beginning = self.name_of(api, "");
        let ours = cookies.iter().filter_map(|cookie| {
            let id = cookie.name().strip_prefix(&beginning).filter(|id| is_id(id))?;
            Some((id.to_owned(), cookie.value().to_owned()))
        });
        ours.collect()
    }

    fn name_of(&self, api: &Api, id: impl Display) -> String {
        let prefix = if api.is_secure() { HOST_PREFIX } else { "" };
        format!("{prefix}{}{id}", self.name)
    }
}

/// Whether a run may have that id, as we write it.
fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == ID_LENGTH && text.bytes().all(allowed)
}
