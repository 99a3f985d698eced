//! `[browser]`.

use super::public_url::PublicUrl;
use crate::reader::Reader;

const CONFIRMATION: &str = "browser.confirmation";

/// The pages that people see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// The name of the session cookie.
    pub session_cookie: String,
    /// Whether a person confirms on a page of ours before they are sent to a provider.
    pub confirmation: bool,
}

impl Default for Browser {
    fn default() -> Self {
        Self { session_cookie: "coder_session_token".to_owned(), confirmation: true }
    }
}

impl Browser {
    pub(crate) fn read(reader: &mut Reader, public_url: Option<&PublicUrl>) -> Self {
        let default = Self::default();
        let read = Self {
            session_cookie: reader
                .parsed("browser.session_cookie", cookie_name)
                .unwrap_or(default.session_cookie),
            confirmation: reader.switch(CONFIRMATION).unwrap_or(default.confirmation),
        };
        if !read.confirmation && public_url.is_some_and(|url| !url.is_loopback()) {
            reader.problem(
                CONFIRMATION,
                "without the page, a victim could be led to link their account to an attacker's; leave it on, except \
                 where public_url is on this machine (localhost, 127.0.0.0/8, [::1])",
            );
        }
        read
    }
}

/// A token (RFC 6265, 4.1.1; RFC 9110, 5.6.2).
fn cookie_name(text: &str) -> Result<String, String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(is_token) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not a cookie's name; give up to 64 letters, digits, - and _"))
    }
}
