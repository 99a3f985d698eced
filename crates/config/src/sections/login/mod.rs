//! `[login]`: where and how people sign in.

mod new_accounts;
mod provider;

use std::time::Duration;

use grantkeeper_domain::login::RedirectOrigin;

pub use new_accounts::NewAccounts;
pub use provider::LoginProvider;

use super::public_url::PublicUrl;
use crate::reader::Reader;

const PROVIDERS: &str = "login.providers";
const DEVICE_PROVIDER: &str = "login.device_provider";

/// Where published clients have the browser go at the end.
const USUAL_REDIRECT: &str = "https://golem.cloud";

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Where and how people sign in. Without providers nobody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name of the provider at which devices sign in.
    pub device_provider: Option<String>,
    /// How long an API token lives that somebody gets by signing in.
    pub token_lifetime: Duration,
    /// Where a client may have the browser go at the end, beside loopback addresses.
    pub redirects: Vec<RedirectOrigin>,
    /// Whether a person is asked on a page of ours before a client that polls gets their token.
    pub confirmation_page: bool,
    /// Where people may sign in, by name.
    pub providers: Vec<LoginProvider>,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            device_provider: None,
            token_lifetime: DAY * 90,
            redirects: RedirectOrigin::parse(USUAL_REDIRECT).into_iter().collect(),
            confirmation_page: true,
            providers: Vec::new(),
        }
    }
}

impl Login {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        let names = reader.tables(PROVIDERS, "NAME", provider::name);
        let device_provider = reader.parsed(DEVICE_PROVIDER, |text| one_of(&names, text));
        let days = reader.number("login.token_lifetime_days", &(1..=3_650), "days");
        Self {
            device_provider,
            token_lifetime: days
                .and_then(|days| u32::try_from(days).ok())
                .map_or(default.token_lifetime, |days| DAY * days),
            redirects: reader.list("login.redirects", origin).unwrap_or(default.redirects),
            confirmation_page: reader.switch("login.confirmation_page").unwrap_or(default.confirmation_page),
            providers: names.into_iter().filter_map(|name| LoginProvider::read(reader, name)).collect(),
        }
    }

    /// A line for everything that lets in more people than it seems.
    pub(crate) fn warnings(&self, public_url: Option<&PublicUrl>) -> Vec<String> {
        let mut warnings = Vec::new();
        let is_public = public_url.is_some_and(|url| !url.is_loopback());
        if !self.confirmation_page && is_public && !self.providers.is_empty() {
            warnings.push(
                "login.confirmation_page is off: who starts a login and has somebody else's browser finish it gets \
                 that person's token"
                    .to_owned(),
            );
        }
        warnings.extend(self.providers.iter().flat_map(LoginProvider::warnings));
        warnings
    }
}

fn one_of(names: &[String], text: &str) -> Result<String, String> {
    if names.iter().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    Err(if names.is_empty() {
        format!(
            "there are no login providers; make one as [{PROVIDERS}.{text}], with organization and provider"
        )
    } else {
        format!("{text:?} is no login provider; there are {}", names.join(", "))
    })
}

/// In the one spelling that browsers use for it.
fn origin(text: &str) -> Result<RedirectOrigin, String> {
    let origin = RedirectOrigin::parse(text);
    // A wildcard would be compared as the letter that it is.
    let exact = origin.filter(|origin| origin.as_text() == text && !text.contains('*'));
    exact.ok_or_else(|| {
        "give an https origin, such as https://app.example.com: no path, no slash at the end, no default port; \
         loopback addresses are allowed as it is"
            .to_owned()
    })
}
