//! `[login.providers.NAME]`: a provider at which people may sign in.

use grantkeeper_domain::accounts::OrganizationName;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::Slug;

use super::new_accounts::NewAccounts;
use crate::reader::Reader;

/// The longest name; it stands in the paths of callbacks.
const LONGEST_NAME: usize = 32;

/// A provider at which people may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginProvider {
    /// What clients call it.
    pub name: String,
    /// The name of the organization that people sign in to.
    pub organization: String,
    /// The provider's id or slug there.
    pub provider: String,
    /// What is asked for, where it is not what the provider was registered with.
    pub scopes: Option<Scopes>,
    /// Who gets an account at the first sign-in.
    pub new_accounts: NewAccounts,
    /// Whether a token may be brought of which the provider cannot tell to which program it was issued, or that was
    /// issued to none (a personal access token). One that is known to be another program's never may.
    pub foreign_tokens: bool,
}

impl LoginProvider {
    /// `None` when it lacks what it needs.
    pub(super) fn read(reader: &mut Reader, name: String) -> Option<Self> {
        let key = |setting: &str| format!("{}.{name}.{setting}", super::PROVIDERS);
        let organization = reader.needed(
            &key("organization"),
            "give the name of the organization that people sign in to; `grantkeeper org list` shows them",
            organization,
        );
        let provider = reader.needed(
            &key("provider"),
            "give the id or the slug of a provider that is registered in the organization",
            provider,
        );
        let scopes = reader.list(&key("scopes"), scope).map(|scopes| scopes.into_iter().collect());
        let new_accounts = NewAccounts::read(reader, key);
        let foreign_tokens = reader.switch(&key("foreign_tokens")).unwrap_or(false);
        Some(Self {
            organization: organization?,
            provider: provider?,
            scopes,
            new_accounts,
            foreign_tokens,
            name,
        })
    }

    /// A line for everything that lets in more people than it seems.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        let key = format!("{}.{}", super::PROVIDERS, self.name);
        let foreign = self.foreign_tokens.then(|| {
            format!(
                "{key}.foreign_tokens is on: tokens are taken of which the provider cannot tell to which program they \
                 were issued, and every program to which a person has given one can sign in as them"
            )
        });
        let personal = self.new_accounts.lets_in_every_personal_account().then(|| {
            format!("{key}.tenants has that of all personal Microsoft accounts: everybody can make one")
        });
        foreign.into_iter().chain(personal)
    }
}

/// Reads the name of a login provider.
pub(super) fn name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    if begins && text.len() <= LONGEST_NAME && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is not the name of a login provider; give 1 to {LONGEST_NAME} of a-z, 0-9 and -, a letter first"
        ))
    }
}

fn organization(text: &str) -> Result<String, String> {
    let name = OrganizationName::parse(text).map_err(|error| error.to_string())?;
    Ok(name.as_str().to_owned())
}

/// An id has the form of a slug as well.
fn provider(text: &str) -> Result<String, String> {
    let slug = Slug::parse(text).map_err(|error| format!("{text:?} is neither an id nor a slug; {error}"))?;
    Ok(slug.as_str().to_owned())
}

fn scope(text: &str) -> Result<String, String> {
    if Scopes::is_scope(text) {
        Ok(text.to_owned())
    } else {
        Err("give one scope an entry: printable ASCII with no space, quote or backslash in it".to_owned())
    }
}
