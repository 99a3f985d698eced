//! Things as an operator names them: by id, or by what people call them.

use clap::Args;
use grantkeeper_domain::Store;
use grantkeeper_domain::accounts::{Account, Email, Organization};
use grantkeeper_domain::ids::{AccountId, OrganizationId};

use crate::failure::Failure;

/// The organization with this id or name.
pub(super) async fn organization(store: &dyn Store, named: &str) -> Result<Organization, Failure> {
    let by_id = match named.parse::<OrganizationId>() {
        Ok(id) => store.organization(id).await?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(organization) => Some(organization),
        None => store.organization_named(named.trim()).await?,
    };
    found.ok_or_else(|| {
        Failure::of(format!("there is no organization {named:?}; `grantkeeper org list` shows them"))
    })
}

/// The organization with this id or name, or without one all of them, oldest first.
pub(super) async fn organizations(
    store: &dyn Store,
    named: Option<&str>,
) -> Result<Vec<Organization>, Failure> {
    match named {
        Some(named) => Ok(vec![organization(store, named).await?]),
        None => Ok(store.organizations().await?),
    }
}

/// Whose things are asked for: everybody's, where nothing is given.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// Only this account's, by id or e-mail address.
    #[arg(long, conflicts_with = "org")]
    account: Option<String>,
    /// Only those of this organization's accounts, by id or name.
    #[arg(long)]
    org: Option<String>,
}

impl Whose {
    /// The accounts, each with its organization.
    pub(super) async fn accounts(&self, store: &dyn Store) -> Result<Vec<(Organization, Account)>, Failure> {
        if let Some(named) = &self.account {
            let account = account(store, named).await?;
            let organization = organization(store, &account.organization_id.to_string()).await?;
            return Ok(vec![(organization, account)]);
        }
        let mut accounts = Vec::new();
        for organization in organizations(store, self.org.as_deref()).await? {
            let found = store.accounts_in(organization.id).await?;
            accounts.extend(found.into_iter().map(|account| (organization.clone(), account)));
        }
        Ok(accounts)
    }
}

/// The account of an organization with this e-mail address.
pub(super) async fn account_of(
    store: &dyn Store,
    organization: &Organization,
    email: &str,
) -> Result<Account, Failure> {
    let address = Email::parse(email)?;
    let mut found = store.accounts_with_email(address.as_str()).await?;
    found.retain(|account| account.organization_id == organization.id);
    found.pop().ok_or_else(|| {
        let name = organization.name.as_str();
        Failure::of(format!(
            "{name} has no account with the e-mail address {email}; `account list` shows them"
        ))
    })
}

/// The account with this id or e-mail address. An address that several organizations know is not enough.
pub(super) async fn account(store: &dyn Store, named: &str) -> Result<Account, Failure> {
    if let Ok(id) = named.parse::<AccountId>() {
        let found = store.account(id).await?;
        return found.ok_or_else(|| Failure::of(format!("there is no account with the id {named}")));
    }
    let email = Email::parse(named).map_err(|_| {
        Failure::of(format!("{named:?} is neither the id of an account nor an e-mail address"))
    })?;
    let mut found = store.accounts_with_email(email.as_str()).await?;
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(Failure::of(format!("there is no account with the e-mail address {named}"))),
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            found.push(last);
            let line =
                |account: &Account| format!("{} in organization {}", account.id, account.organization_id);
            let lines: Vec<_> = found.iter().map(line).collect();
            Err(Failure::of(format!(
                "several accounts have the e-mail address {named}; give the id of one: {}",
                lines.join(", ")
            )))
        }
    }
}
