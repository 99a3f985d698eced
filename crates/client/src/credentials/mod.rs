//! Which service is called, and with which token: `GRANTKEEPER_URL` and `GRANTKEEPER_TOKEN`, else what was kept at the last
//! login.

mod file;
mod kept;

use std::ffi::OsString;

pub use file::{CredentialsFile, CredentialsFileError};
pub use kept::{Kept, KeptToken};

use zeroize::Zeroizing;

use crate::{Secret, ServiceUrl, ServiceUrlError};

/// Names the service.
pub const URL_VARIABLE: &str = "GRANTKEEPER_URL";
/// What to call it with.
pub const TOKEN_VARIABLE: &str = "GRANTKEEPER_TOKEN";

/// Who calls which service.
pub struct Credentials {
    /// The service.
    pub url: ServiceUrl,
    /// An API token.
    pub token: Secret,
    /// Where that is from.
    pub source: TokenSource,
}

/// Where a token is from, and so what to do when it is not good any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// [`TOKEN_VARIABLE`].
    Environment,
    /// A login, here.
    Login,
}

/// Why a text is no API token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is no token: there is a space in it, or another character that no token has")]
pub struct NotAToken;

/// Reads an API token. What could not be sent in the head of a request is none.
pub fn api_token(text: &str) -> Result<Secret, NotAToken> {
    let text = text.trim();
    if is_token(text) { Ok(Secret::new(text.to_owned())) } else { Err(NotAToken) }
}

/// Visible ASCII (RFC 6750, 2.1).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum NoCredentials {
    /// Nobody has said which service.
    #[error(
        "not signed in: run `grantkeeper login https://auth.example.com`, or set {URL_VARIABLE} and {TOKEN_VARIABLE}"
    )]
    NoService,
    /// The service is known, and no token for it.
    #[error("not signed in to {0}: run `grantkeeper login {0}`, or set {TOKEN_VARIABLE}")]
    NoToken(ServiceUrl),
    /// The variable is set to something else.
    #[error("{URL_VARIABLE}: {0}")]
    Url(#[source] ServiceUrlError),
    /// A token, and nobody says of which service.
    #[error(
        "{TOKEN_VARIABLE} is set without {URL_VARIABLE}, and a token goes to the service that it is for only: set both, or neither"
    )]
    TokenOfNoService,
    /// The variable is set to something else.
    #[error("{TOKEN_VARIABLE}: {0}")]
    Token(#[source] NotAToken),
    /// The variable is no text.
    #[error("{0} is not UTF-8")]
    NotText(&'static str),
    /// What was kept cannot be read.
    #[error(transparent)]
    File(#[from] CredentialsFileError),
}

/// The environment, so that tests have their own.
pub trait Environment {
    /// A variable; `None`: not set.
    fn variable(&self, name: &str) -> Option<OsString>;
}

impl<F: Fn(&str) -> Option<OsString>> Environment for F {
    fn variable(&self, name: &str) -> Option<OsString> {
        self(name)
    }
}

impl Credentials {
    /// Those that count. The file is only looked into for what the environment does not say.
    pub fn find(environment: &impl Environment) -> Result<Self, NoCredentials> {
        let url = service_named(environment)?;
        let token = text(environment, TOKEN_VARIABLE)?.map(Zeroizing::new);
        let token = token.map(|token| api_token(&token)).transpose().map_err(NoCredentials::Token)?;
        match (url, token) {
            (Some(url), Some(token)) => Ok(Self { url, token, source: TokenSource::Environment }),
            (None, Some(_)) => Err(NoCredentials::TokenOfNoService),
            (url, None) => {
                let mut kept = CredentialsFile::of(environment)?.read()?;
                let url = url.or_else(|| kept.current().cloned()).ok_or(NoCredentials::NoService)?;
                match kept.take(&url) {
                    Some(token) => Ok(Self { url, token, source: TokenSource::Login }),
                    None => Err(NoCredentials::NoToken(url)),
                }
            }
        }
    }
}

/// The service that the environment names.
pub fn service_named(environment: &impl Environment) -> Result<Option<ServiceUrl>, NoCredentials> {
    text(environment, URL_VARIABLE)?.map(|text| text.parse().map_err(NoCredentials::Url)).transpose()
}

/// A variable that is set to nothing is not set.
fn text(environment: &impl Environment, name: &'static str) -> Result<Option<String>, NoCredentials> {
    let value = environment.variable(name).map(OsString::into_string).transpose();
    let value = value.map_err(|_| NoCredentials::NotText(name))?;
    Ok(value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const HERE: &str = "http://127.0.0.1:8080";
    const THERE: &str = "https://auth.example";

    fn environment<'a>(home: &'a Path, set: &'a [(&'a str, &'a str)]) -> impl Environment {
        move |name: &str| match name {
            "XDG_CONFIG_HOME" => Some(home.as_os_str().to_owned()),
            _ => set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value)),
        }
    }

    fn found(home: &Path, set: &[(&str, &str)]) -> Result<(String, String), String> {
        let found = Credentials::find(&environment(home, set)).map_err(|error| error.to_string())?;
        Ok((found.url.to_string(), found.token.expose().to_owned()))
    }

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().expect("a folder");
        let file = CredentialsFile::of(&environment(home.path(), &[])).expect("a place");
        for (url, token) in [(HERE, "here"), (THERE, "there")] {
            let url = url.parse().expect("an address");
            let token = api_token(token).expect("a token");
            let token = KeptToken { token, account_id: "account".to_owned(), came_of_login: true };
            file.change(|kept| kept.keep(url, token)).expect("a file");
        }
        home
    }

    fn assert_found(home: &Path, set: &[(&str, &str)], (url, token): (&str, &str)) {
        assert_eq!(found(home, set), Ok((url.to_owned(), token.to_owned())), "{set:?}");
    }

    #[test]
    fn the_environment_is_stronger_than_what_was_kept() {
        let home = home();
        assert_found(home.path(), &[], (THERE, "there"));
        assert_found(home.path(), &[(URL_VARIABLE, HERE)], (HERE, "here"));
        assert_found(home.path(), &[(URL_VARIABLE, HERE), (TOKEN_VARIABLE, "mine")], (HERE, "mine"));
        assert_found(home.path(), &[(URL_VARIABLE, ""), (TOKEN_VARIABLE, " ")], (THERE, "there"));
    }

    #[test]
    fn a_token_goes_to_the_service_it_was_kept_for_only() {
        let home = home();
        let failure = found(home.path(), &[(URL_VARIABLE, "https://other.example")]).expect_err("no token");
        assert!(failure.contains("not signed in to https://other.example"), "{failure}");
        let failure = found(home.path(), &[(TOKEN_VARIABLE, "of-whom")]).expect_err("no service");
        assert!(failure.contains(URL_VARIABLE) && !failure.contains("of-whom"), "{failure}");
    }

    #[test]
    fn what_cannot_be_sent_is_no_token() {
        let home = home();
        for token in ["a\nb", "a b", "a\u{1b}", "t\u{f6}ken"] {
            let failure = found(home.path(), &[(URL_VARIABLE, HERE), (TOKEN_VARIABLE, token)]);
            let failure = failure.expect_err("no token");
            assert!(failure.starts_with("GRANTKEEPER_TOKEN: that is no token"), "{failure}");
        }
        assert_eq!(api_token("\n").err(), Some(NotAToken));
        assert_eq!(api_token(" gk_1\r\n").map(|token| token.expose().to_owned()), Ok("gk_1".to_owned()));
    }

    #[test]
    fn a_workspace_needs_no_home() {
        let nothing = |name: &str| match name {
            URL_VARIABLE => Some(OsString::from(HERE)),
            TOKEN_VARIABLE => Some(OsString::from("agent")),
            _ => None,
        };
        assert!(Credentials::find(&nothing).is_ok());
    }

    #[test]
    fn who_has_not_signed_in_is_told_how() {
        let home = tempfile::tempdir().expect("a folder");
        assert!(found(home.path(), &[]).expect_err("nothing kept").contains("grantkeeper login"));
        let failure = found(home.path(), &[(URL_VARIABLE, "http://auth.example")]).expect_err("plain http");
        assert!(failure.starts_with("GRANTKEEPER_URL: ") && failure.contains("https"), "{failure}");
    }
}
