//! One place, written in several ways.

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{ProviderClients, ProviderKind, Registered, Registration};
use grantkeeper_provider_simulator::Simulator;

use crate::world::{directory, registration, simulated_settings, simulator};

async fn registered(simulator: &Simulator, kind: ProviderKind, registration: &Registration) -> Registered {
    let (directory, _) = directory(simulated_settings(simulator));
    let registered = directory.client(kind).unwrap().register(registration).await;
    registered.unwrap_or_else(|error| panic!("{kind:?} {registration:?}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_may_be_named_or_left_out() {
    let (simulator, _) = simulator();
    for (kind, names) in [
        (ProviderKind::Github, &["https://github.com", "HTTPS://GitHub.com:443"][..]),
        (ProviderKind::Gitlab, &["https://gitlab.com"]),
        (ProviderKind::Bitbucket, &["https://bitbucket.org"]),
        (
            ProviderKind::Microsoft,
            &["common", "login.microsoftonline.com/common", "https://login.microsoftonline.com/common"],
        ),
    ] {
        let cloud = registered(&simulator, kind, &registration(None)).await;
        for name in names {
            assert_eq!(registered(&simulator, kind, &registration(Some(name))).await, cloud, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_self_managed_host_is_below_its_address() {
    let (simulator, _) = simulator();
    for (kind, path) in [
        (ProviderKind::Github, "/self-managed/github"),
        (ProviderKind::Gitlab, "/self-managed/gitlab"),
        (ProviderKind::Bitbucket, "/self-managed/bitbucket"),
    ] {
        let base = format!("{}{path}", simulator.url());
        let endpoints = registered(&simulator, kind, &registration(Some(&base))).await.endpoints;
        let optional = [
            endpoints.api,
            endpoints.userinfo,
            endpoints.revocation,
            endpoints.introspection,
            endpoints.jwks,
            endpoints.device_authorization,
            endpoints.settings_url,
        ];
        for url in
            [endpoints.authorization, endpoints.token].into_iter().chain(optional.into_iter().flatten())
        {
            assert!(url.as_str().starts_with(&format!("{base}/")), "{kind:?}: {url}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn github_s_settings_are_at_the_page_of_the_client() {
    let (simulator, _) = simulator();
    let own = "/settings/connections/applications/client%3A1%20%25";
    let server = format!("{}/self-managed/github", simulator.url());
    for (host, app_slug, expected) in [
        (None, None, format!("/github.com{own}")),
        (None, Some("app"), "/github.com/settings/apps/authorizations".to_owned()),
        (Some("https://octo.ghe.com"), None, format!("/octo.ghe.com{own}")),
        (Some(server.as_str()), None, format!("/self-managed/github{own}")),
    ] {
        let registration = Registration { app_slug: app_slug.map(str::to_owned), ..registration(host) };
        let endpoints = registered(&simulator, ProviderKind::Github, &registration).await.endpoints;
        assert_eq!(endpoints.settings_url.unwrap().path(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_of_a_registration_win_over_the_sensible_ones() {
    let (simulator, _) = simulator();
    for (kind, scopes) in [
        (ProviderKind::Github, "repo"),
        (ProviderKind::Gitlab, "read_user api"),
        (ProviderKind::Bitbucket, "account repository:write"),
        (ProviderKind::Google, "openid https://www.googleapis.com/auth/drive.file"),
        (ProviderKind::Box, "root_readonly"),
        (ProviderKind::Microsoft, "openid profile Files.Read"),
        (ProviderKind::Test, "openid address"),
    ] {
        let scopes = Scopes::parse(scopes);
        let registration = Registration { scopes: Some(scopes.clone()), ..registration(None) };
        assert_eq!(registered(&simulator, kind, &registration).await.scopes, scopes, "{kind:?}");
    }
}
