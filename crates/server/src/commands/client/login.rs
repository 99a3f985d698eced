//! `login`.

use std::fmt;
use std::io::{self, BufRead as _, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Utc};
use clap::Args;
use grantkeeper_client::credentials::{CredentialsFile, KeptToken, api_token};
use grantkeeper_client::login::{NewToken, Token};
use grantkeeper_client::{Secret, Service, ServiceUrl, shown};
use grantkeeper_domain::services::Clock;
use serde::Serialize;
use zeroize::Zeroizing;

use super::patience::patiently;
use super::said::say;
use super::signed_in;
use crate::failure::Failure;

/// Sign in to a service, and keep an API token for the commands that call it.
///
/// Without a flag it prints the address of a page, and waits until somebody has signed in there. The token is kept in the file
/// grantkeeper/credentials.json of the user's settings (~/.config), for its owner alone; `GRANTKEEPER_URL` and
/// `GRANTKEEPER_TOKEN` are stronger. The token of a login before, of the same account at the same service, is revoked.
#[derive(Debug, Args)]
pub(crate) struct Login {
    #[arg(
        value_name = "URL",
        help = "The service, such as https://auth.example.com; without this GRANTKEEPER_URL, or the one signed in to last"
    )]
    url: Option<ServiceUrl>,
    /// The login provider to sign in with, by the name that the operator has given it.
    #[arg(long, value_name = "NAME", default_value = "github", conflicts_with_all = ["device", "token_stdin"])]
    provider: String,
    /// Print a code to type on another device, which has a browser.
    #[arg(long, conflicts_with = "token_stdin")]
    device: bool,
    /// Take an API token from standard input, such as `grantkeeper token create` has issued.
    #[arg(long)]
    token_stdin: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedIn {
    service: ServiceUrl,
    account_id: String,
    /// `None`: it does not expire.
    expires_at: Option<DateTime<Utc>>,
    /// Where the token is kept.
    file: PathBuf,
}

impl fmt::Display for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed in to {} as account {}", self.service, shown(&self.account_id))?;
        match self.expires_at {
            Some(at) => write!(f, " until {}", at.format("%Y-%m-%d %H:%M UTC")),
            None => Ok(()),
        }
    }
}

/// How often it is asked whether the person has signed in: the pace that the service expects.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Longer than any token.
const LONGEST_TOKEN: u64 = 4096;

impl Login {
    pub(super) async fn run(&self, clock: &dyn Clock) -> Result<SignedIn, Failure> {
        let url = signed_in::meant(self.url.clone())?;
        let file = signed_in::file()?;
        // Before anybody signs in: what cannot be kept is no use.
        file.read()?;
        let (known, token) = self.token(&url, clock).await?;
        keep(&file, &url, token).await?;
        signed_in::tell_of_variable("set: it counts, and not the token that is kept now");
        let expires_at = Some(known.expires_at).filter(|at| at.year() < LAST_YEAR);
        Ok(SignedIn { service: url, account_id: known.account_id, expires_at, file: file.path().to_owned() })
    }

    /// The token to keep, and what is known of it.
    async fn token(&self, url: &ServiceUrl, clock: &dyn Clock) -> Result<(Token, KeptToken), Failure> {
        let came_of_login = !self.token_stdin;
        let (known, token) = if self.token_stdin {
            let token = token_of_stdin()?;
            (Service::with_token(url.clone(), token.duplicate())?.own_token().await?, token)
        } else {
            // The service tells with the token what there is to know of it: nothing is to be asked that could fail now.
            let anonymous = Service::at(url.clone())?;
            let made = if self.device {
                by_device(&anonymous, clock).await?
            } else {
                in_browser(&anonymous, &self.provider, clock).await?
            };
            made.into_parts()
        };
        let account_id = known.account_id.clone();
        Ok((known, KeptToken { token, account_id, came_of_login }))
    }
}

/// Keeps a token, and leaves none behind at the service that nobody has: neither the one that it replaces, nor itself where it
/// cannot be kept.
async fn keep(file: &CredentialsFile, url: &ServiceUrl, token: KeptToken) -> Result<(), Failure> {
    let unless_kept = token.came_of_login.then(|| token.token.duplicate());
    let (unused, kept) = match file.change(|kept| kept.keep(url.clone(), token)) {
        Ok(replaced) => (replaced, Ok(())),
        Err(error) => (unless_kept, Err(error)),
    };
    if let Some(unused) = unused
        && let Err(error) = signed_in::revoke(url.clone(), unused).await
    {
        let which = if kept.is_ok() { "the token of the login before" } else { "the new token" };
        say(format_args!("{which} is not kept here any more, and was not revoked: {error}"));
    }
    Ok(kept?)
}

/// Tokens that do not expire are told to do so in this one.
const LAST_YEAR: i32 = 9999;

fn token_of_stdin() -> Result<Secret, Failure> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().take(LONGEST_TOKEN).read_line(&mut line)?;
    match line.trim() {
        "" => Err(Failure::of("there is no token on standard input")),
        token => Ok(api_token(token)?),
    }
}

async fn in_browser(service: &Service, provider: &str, clock: &dyn Clock) -> Result<NewToken, Failure> {
    let login = service.start_web_login(provider).await?;
    say(format_args!("Open this page in a browser and sign in:\n\n    {}\n", login.url));
    if !login.match_code.is_empty() {
        say(format_args!("The page asks whether you see this code: {}", shown(&login.match_code)));
    }
    loop {
        clock.sleep(POLL_EVERY).await;
        if let Some(token) = patiently(clock, async || service.poll_web_login(&login).await).await? {
            return Ok(token);
        }
    }
}

async fn by_device(service: &Service, clock: &dyn Clock) -> Result<NewToken, Failure> {
    let login = service.start_device_login().await?;
    say(format_args!(
        "Open this page on any device and type the code:\n\n    {}\n    {}\n",
        login.url,
        shown(&login.user_code)
    ));
    Ok(patiently(clock, async || service.complete_device_login(&login).await).await?)
}
