//! Rules of providers.

use std::sync::Arc;

use grantkeeper_domain::Store;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::ids::{CredentialId, ProviderId};
use grantkeeper_domain::providers::{
    ClientAuthentication, GitHosts, PkceSupport, Provider, ProviderEndpoints, ProviderKind, ProviderStatus,
    Slug,
};

use super::tenant::{Tenant, UNICODE, expect_states, insert, long_secret, minutes, of_mixed_age};
use crate::entities::{FRESH, START, endpoints, provider};

const STATUSES: [ProviderStatus; 5] = [
    ProviderStatus::Active,
    ProviderStatus::Inactive,
    ProviderStatus::Disabled,
    ProviderStatus::Deleting,
    ProviderStatus::DeletionFailed,
];

/// Every field of a provider is kept, of every type, in every status.
pub async fn providers_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let states = |base: Provider| {
        let mut states: Vec<Provider> =
            ProviderKind::ALL.iter().map(|kind| Provider { kind: *kind, ..base.clone() }).collect();
        states.extend(STATUSES.map(|status| Provider { status, ..base.clone() }));
        states.extend([
            Provider { endpoints: bare_endpoints(), ..base.clone() },
            Provider {
                slug: Some(Slug::parse(&"a".repeat(64)).expect("a slug")),
                name: UNICODE.to_owned(),
                client_id: UNICODE.to_owned(),
                client_secret: long_secret(),
                credential_id: CredentialId::generate(&FRESH, START),
                scopes: Scopes::parse("b a https://scope.example/c"),
                device_flow: true,
                app_slug: Some(UNICODE.to_owned()),
                skip_consent: Some(true),
                keep_alive: false,
                created_at: minutes(1),
                updated_at: minutes(2),
                ..base.clone()
            },
            Provider { git_hosts: git_hosts(), ..base.clone() },
            Provider { slug: None, host: None, scopes: Scopes::default(), skip_consent: Some(false), ..base },
        ]);
        states
    };
    expect_states(store, states(provider(&tenant.organization))).await;
    expect_states(store, states(provider(&Tenant::settle(store).await.organization)).into_iter().rev()).await;
}

fn git_hosts() -> GitHosts {
    let texts = ["git.example", "http://127.0.0.1:8088", "git.example:8443/acme/apps", "[2001:db8::1]/acme"];
    let hosts = GitHosts::parse(texts).expect("hosts");
    assert_eq!(hosts.to_texts(), texts);
    hosts
}

fn bare_endpoints() -> ProviderEndpoints {
    ProviderEndpoints {
        issuer: format!("https://issuer.example/{UNICODE}"),
        userinfo: None,
        revocation: None,
        introspection: None,
        jwks: None,
        device_authorization: None,
        announces_iss: false,
        client_authentication: ClientAuthentication::ClientSecretPost,
        pkce: PkceSupport::Unsupported,
        settings_url: None,
        ..endpoints("bare.example:8443")
    }
}

/// For another organization it does not exist.
pub async fn a_provider_of_another_organization_is_not_there(store: &Arc<dyn Store>) {
    let (tenant, stranger) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let id = tenant.provider.id;
    assert_eq!(store.provider(stranger.organization.id, id).await.expect("a read"), None);
    assert_eq!(store.provider(tenant.organization.id, id).await.expect("a read"), Some(tenant.provider));
    assert_eq!(store.providers(stranger.organization.id).await.expect("a read"), [stranger.provider]);
}

/// "A provider of whatever organization", whatever its status.
pub async fn a_provider_is_found_anywhere(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for status in STATUSES {
        let row = Provider { status, slug: None, ..provider(&tenant.organization) };
        insert(store, row.clone()).await;
        assert_eq!(store.provider_anywhere(row.id).await.expect("a read").as_ref(), Some(&row));
        assert_eq!(store.provider(tenant.organization.id, row.id).await.expect("a read"), Some(row));
    }
    let unknown = ProviderId::generate(&FRESH, START);
    assert_eq!(store.provider_anywhere(unknown).await.expect("a read"), None);
    assert_eq!(store.provider(tenant.organization.id, unknown).await.expect("a read"), None);
}

/// "Whatever their status, oldest first (by `created_at`, then `id`)."
pub async fn providers_are_listed_oldest_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let with_status = |status| Provider { status, ..provider(&tenant.organization) };
    let rows = [1, 2, 3, 4].map(|at| with_status(STATUSES[at]));
    let (rows, mut oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, Provider { slug: None, ..row }).await;
    }
    let listed = store.providers(tenant.organization.id).await.expect("a read");
    // The tenant's own was made at the start, as the oldest of these was: the id decides.
    oldest_first.insert(usize::from(tenant.provider.id > oldest_first[0]), tenant.provider.id);
    assert_eq!(listed.into_iter().map(|row| row.id).collect::<Vec<_>>(), oldest_first);
}
