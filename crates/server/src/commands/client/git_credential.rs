//! `git-credential`.

use std::io::{self, BufRead as _, Read as _, Write as _};

use clap::Args;
use clap::builder::FalseyValueParser;
use grantkeeper_client::Service;
use grantkeeper_client::git::{CredentialAnswer, CredentialRequest, QUIT};
use grantkeeper_client::tokens::{LentToken, LinkToken, Patience, Wanted};
use grantkeeper_domain::services::Clock;
use url::Url;
use zeroize::Zeroizing;

use super::patience::linked;
use super::said::say;
use super::signed_in;
use crate::failure::Failure;

/// A credential helper of git: git calls it by itself, once its configuration names it.
///
/// git config --global credential.helper '!grantkeeper git-credential'
#[derive(Debug, Args)]
pub(crate) struct GitCredential {
    /// What git asks for: get, store or erase. Only get does something: tokens are kept by the service, and nowhere here.
    #[arg(value_name = "OPERATION")]
    operation: String,
    /// Where no account is linked yet, wait until one is, and let git go on.
    #[arg(long, env = "GRANTKEEPER_GIT_WAIT", value_parser = FalseyValueParser::new())]
    wait: bool,
}

/// The one operation that is answered. Git wants the others, those of later versions too, to be passed by in silence.
const GET: &str = "get";
/// The status for a remote that no provider has.
const NOT_FOUND: u16 = 404;

impl GitCredential {
    pub(super) async fn run(&self, clock: &dyn Clock) -> Result<(), Failure> {
        let input = description()?;
        if self.operation != GET {
            return Ok(());
        }
        let request = CredentialRequest::read(&input)?;
        // What takes no token of ours is left to git.
        let Some(remote) = request.remote() else { return Ok(()) };
        let service = signed_in::service()?;
        match service.link_token(Wanted::Remote(remote.as_str()), Patience::Ask).await {
            Ok(LinkToken::Linked(token)) => tell_git(&token),
            Ok(LinkToken::NotLinked { url }) => {
                self.not_linked(&service, &remote, request.host(), &url, clock).await
            }
            Err(error) if error.status() == Some(NOT_FOUND) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn not_linked(
        &self,
        service: &Service,
        remote: &Url,
        host: &str,
        page: &Url,
        clock: &dyn Clock,
    ) -> Result<(), Failure> {
        let then = if self.wait { "git goes on by itself then" } else { "then run git again" };
        say(format_args!(
            "grantkeeper: no account is linked for {host}. Link one here, {then}:\n\n    {page}\n"
        ));
        if self.wait {
            let token = linked(service, Wanted::Remote(remote.as_str()), clock).await?;
            return tell_git(&token);
        }
        // Nobody knows a password for this: git is not to ask for one.
        print(QUIT)
    }
}

fn tell_git(token: &LentToken) -> Result<(), Failure> {
    print(&CredentialAnswer::of(token).lines()?)
}

fn print(lines: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    Ok(out.flush()?)
}

/// What git says: all lines up to the empty one. There is a password among them where it is to be stored.
fn description() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut input = Zeroizing::new(Vec::new());
    let mut lines = io::stdin().lock().take(CredentialRequest::LIMIT);
    loop {
        let start = input.len();
        lines.read_until(b'\n', &mut input)?;
        if [&b""[..], b"\n"].contains(&&input[start..]) {
            return Ok(input);
        }
    }
}
