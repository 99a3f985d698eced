//! `account link`.

use std::fmt;

use clap::Args;
use grantkeeper_domain::Store;
use grantkeeper_domain::accounts::Account;
use grantkeeper_domain::providers::{Provider, ProviderKind};
use serde::Serialize;

use super::named;
use super::shown::ShownIdentity;
use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring::Administration;

/// Let somebody at a provider sign in as an account that exists. E-mail addresses never do that by themselves.
#[derive(Debug, Args)]
pub(crate) struct AccountLink {
    /// The account, by id or e-mail address.
    account: String,
    #[arg(
        long,
        value_name = "URL",
        help = "The issuer of a provider that is registered in the organization, such as https://github.com/login/oauth"
    )]
    issuer: String,
    /// The provider's stable id of the user (`sub`; at GitHub the number, at Microsoft `oid`), never the login name.
    #[arg(long, value_name = "TEXT")]
    subject: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Linked {
    #[serde(flatten)]
    identity: ShownIdentity,
    /// The account's e-mail address.
    email: String,
}

impl fmt::Display for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, email } = self;
        write!(f, "{} at {} signs in as {email} from now on", identity.subject, identity.issuer)
    }
}

impl AccountLink {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Linked, Failure> {
        let with = Administration::open(&options.settings(&[])?).await?;
        let account = named::account(&*with.store, &self.account).await?;
        let (issuer, subject) = self.identity(&*with.store, &account).await?;
        let identity = with.link_identity().run(account.id, &issuer, &subject).await?;
        Ok(Linked { identity: ShownIdentity::from(&identity), email: account.email.as_str().to_owned() })
    }

    /// The issuer and subject as they will be told at every sign-in, where they are compared byte for byte: a typo would
    /// link nobody, and nobody would notice.
    async fn identity(&self, store: &dyn Store, account: &Account) -> Result<(String, String), Failure> {
        let providers = store.providers(account.organization_id).await?;
        if let Some(issuer) = providers.iter().find_map(|provider| issuer_there(provider, &self.issuer)) {
            return Ok((issuer, self.subject.clone()));
        }
        if let Some(issuer) = providers.iter().find_map(|provider| directory_there(provider, &self.issuer)) {
            return Ok((issuer, object_id(&self.subject)?));
        }
        let mut issuers: Vec<_> =
            providers.iter().map(|provider| provider.endpoints.issuer.as_str()).collect();
        issuers.sort_unstable();
        issuers.dedup();
        let there_are = match issuers.as_slice() {
            [] => "it has none yet: an administrator registers them".to_owned(),
            issuers => format!("theirs are {}", issuers.join(", ")),
        };
        Err(Failure::of(format!(
            "no provider of the account's organization has the issuer {:?}; {there_are}",
            self.issuer
        )))
    }
}

/// The issuer, where it is that provider's and no directory of Microsoft.
fn issuer_there(provider: &Provider, issuer: &str) -> Option<String> {
    let is_it = provider.kind != ProviderKind::Microsoft && provider.endpoints.is_issuer(issuer);
    is_it.then(|| issuer.to_owned())
}

/// The issuer of a directory of Microsoft that may sign in there, in the spelling of ID tokens.
fn directory_there(provider: &Provider, issuer: &str) -> Option<String> {
    let spelled = [issuer.to_ascii_lowercase(), issuer.to_owned()];
    let is_it =
        |issuer: &String| provider.kind == ProviderKind::Microsoft && provider.endpoints.is_issuer(issuer);
    spelled.into_iter().find(is_it)
}

/// Microsoft's id of a user, in the spelling of ID tokens.
fn object_id(subject: &str) -> Result<String, Failure> {
    let is_hexadecimal = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_the_form =
        subject.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && subject.split('-').all(is_hexadecimal);
    if has_the_form {
        return Ok(subject.to_ascii_lowercase());
    }
    Err(Failure::of(format!(
        "{subject:?} is not an object id (`oid`) of Microsoft, such as 3f1b8a52-2d4c-4f6e-9b0a-7c5d1e2f3a4b; that of a \
         personal account has all of its zeros in front"
    )))
}
