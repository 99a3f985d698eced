//! Whether people can sign in at a login provider of the configuration.

use std::sync::Arc;

use grantkeeper_config::{Login, LoginProvider};
use grantkeeper_domain::Store;
use grantkeeper_domain::accounts::{Organization, Standing};
use grantkeeper_domain::ids::OrganizationId;
use grantkeeper_domain::providers::{FindProvider, Provider, ProviderKind, ProviderStatus};

use crate::failure::Failure;

/// Says how people sign in there, or why they cannot.
pub(super) async fn examine(
    store: &Arc<dyn Store>,
    login: &Login,
    named: &LoginProvider,
) -> Result<String, Failure> {
    let organization = organization(store, named).await?;
    let provider = provider(store, organization.id, named).await?;
    if login.device_provider.as_ref() == Some(&named.name) && !provider.device_flow {
        return Err(Failure::of(format!(
            "devices are to sign in here (login.device_provider), and the device flow of the provider {} is off; an \
             administrator switches it on with deviceFlow",
            named.provider
        )));
    }
    let mut lines = vec![format!(
        "people sign in to {} at {}; new accounts: {}",
        organization.name.as_str(),
        provider.name,
        named.new_accounts.as_str()
    )];
    lines.extend(doubts(named, provider.kind).map(str::to_owned));
    Ok(lines.join("\n"))
}

/// What lets in more people than it seems, or nobody though it looks as if.
fn doubts(named: &LoginProvider, kind: ProviderKind) -> impl Iterator<Item = &'static str> {
    use ProviderKind::{Bitbucket, Box, Github, Gitlab, Google, Microsoft};

    let by_address = !named.new_accounts.email_domains().is_empty();
    let by_tenant = !named.new_accounts.tenants().is_empty();
    [
        (
            kind == Microsoft && by_address,
            "Microsoft says of an address that it is verified only where the app asks for the claim xms_edov; without \
             it, email_domains lets in nobody: list tenants",
        ),
        (
            kind == Google && by_address,
            "Google verifies an address once: who had one of the domain and made a Google account with it is let in after \
             having lost it. Make the app Internal at Google, so that only accounts of your own Workspace sign in",
        ),
        (
            matches!(kind, Github | Gitlab | Bitbucket | Google | Box) && by_tenant,
            "tenants are Microsoft's: here that list lets in nobody",
        ),
        (
            kind == Microsoft && named.foreign_tokens,
            "an access token of Microsoft does not tell whose it is, so that none can be brought: foreign_tokens \
             changes nothing here",
        ),
    ]
    .into_iter()
    .filter_map(|(applies, doubt)| applies.then_some(doubt))
}

async fn organization(store: &Arc<dyn Store>, named: &LoginProvider) -> Result<Organization, Failure> {
    let name = &named.organization;
    match store.organization_named(name).await? {
        Some(organization) if organization.standing == Standing::Active => Ok(organization),
        Some(_) => Err(Failure::of(format!("the organization {name:?} is being deleted"))),
        None => {
            Err(Failure::of(format!("there is no organization {name:?}; `grantkeeper org list` shows them")))
        }
    }
}

async fn provider(
    store: &Arc<dyn Store>,
    organization: OrganizationId,
    named: &LoginProvider,
) -> Result<Provider, Failure> {
    let wanted = &named.provider;
    let find = FindProvider { catalog: Arc::clone(store) as _ };
    match find.in_organization(organization, wanted).await? {
        Some(provider) if provider.status == ProviderStatus::Active => Ok(provider),
        Some(provider) => Err(Failure::of(format!(
            "the provider {wanted} is {}; nobody can sign in until it is active",
            provider.status.as_str()
        ))),
        None => Err(Failure::of(format!(
            "the organization {:?} has no provider with the id or slug {wanted}; an administrator registers it",
            named.organization
        ))),
    }
}

#[cfg(test)]
mod tests {
    use grantkeeper_config::NewAccounts;

    use super::*;

    fn doubts_of(
        kind: ProviderKind,
        domains: &[&str],
        tenants: &[&str],
        foreign_tokens: bool,
    ) -> Vec<&'static str> {
        let named = LoginProvider {
            name: "work".to_owned(),
            organization: "Acme".to_owned(),
            provider: "work".to_owned(),
            scopes: None,
            new_accounts: NewAccounts::Listed {
                email_domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
                tenants: tenants.iter().map(|tenant| tenant.parse().expect("an id")).collect(),
            },
            foreign_tokens,
        };
        doubts(&named, kind).collect()
    }

    #[test]
    fn what_counts_for_something_else_than_it_seems_is_told() {
        use ProviderKind::{Github, Google, Microsoft, Oidc};

        let domains = ["acme.example"];
        let tenants = ["8eaef023-2b34-4da1-9baa-8bc8c9d6a490"];
        for (kind, told) in
            [(Microsoft, &["xms_edov"][..]), (Google, &["Internal"]), (Github, &[]), (Oidc, &[])]
        {
            let found = doubts_of(kind, &domains, &[], false);
            assert_eq!(found.len(), told.len(), "{kind:?}: {found:?}");
            assert!(found.iter().zip(told).all(|(doubt, word)| doubt.contains(word)), "{kind:?}: {found:?}");
        }
        for (kind, number) in [(Microsoft, 0), (Google, 1), (Github, 1), (Oidc, 0)] {
            assert_eq!(doubts_of(kind, &[], &tenants, false).len(), number, "{kind:?}");
        }
        for (kind, number) in [(Microsoft, 1), (Google, 0), (Github, 0), (Oidc, 0)] {
            assert_eq!(doubts_of(kind, &[], &[], true).len(), number, "{kind:?}");
        }
    }
}
