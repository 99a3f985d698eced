//! Registrations that cannot be right: the field is named, the text says what to do, and nobody is asked who need not be.

use std::sync::Arc;

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    ProviderClient, ProviderClients, ProviderEndpoints, ProviderKind, Registration, RegistrationError,
};
use grantkeeper_provider_clients::ClientSettings;
use grantkeeper_testkit::entities;
use tokio::net::TcpListener;

use crate::hostile::Server;
use crate::world::{directory, loopback_settings, registration, simulated_settings, simulator};

const SELF_MANAGED: [ProviderKind; 4] =
    [ProviderKind::Github, ProviderKind::Gitlab, ProviderKind::Bitbucket, ProviderKind::Oidc];

/// The types whose hosts are bases below which everything else is.
const GIT_SERVERS: [ProviderKind; 3] = [ProviderKind::Github, ProviderKind::Gitlab, ProviderKind::Bitbucket];

fn client(kind: ProviderKind, settings: ClientSettings) -> Arc<dyn ProviderClient> {
    directory(settings).0.client(kind).unwrap()
}

/// Why the real thing is not registered there. Nobody answers in these tests: what sends a request fails otherwise.
async fn refusal(kind: ProviderKind, host: Option<&str>) -> RegistrationError {
    refusal_of(kind, &registration(host)).await
}

async fn refusal_of(kind: ProviderKind, registration: &Registration) -> RegistrationError {
    let registered = client(kind, ClientSettings::default()).register(registration).await;
    registered.expect_err(&format!("{kind:?} {registration:?}"))
}

fn assert_says(kind: ProviderKind, host: &str, error: &RegistrationError, says: &str) {
    assert_eq!(error.field, "host", "{kind:?} {host:?}: {error}");
    assert!(error.message.contains(says), "{kind:?} {host:?}: {error}");
    assert!(!error.message.contains("hunter2"), "{kind:?} {host:?}: {error}");
}

#[tokio::test]
async fn an_address_is_an_https_url_and_nothing_else() {
    for kind in SELF_MANAGED {
        for (host, says) in [
            ("", "URL"),
            ("git.example.com", "URL"),
            ("git.example.com/path", "URL"),
            ("//git.example.com", "URL"),
            ("https://", "URL"),
            ("ftp://git.example.com", "URL"),
            ("javascript:alert(1)", "URL"),
            ("http://git.example.com", "http"),
            ("https://somebody@git.example.com", ""),
            ("https://somebody:hunter2@git.example.com", ""),
            ("https://git.example.com?x=1", "query"),
            ("https://git.example.com#x", "fragment"),
        ] {
            assert_says(kind, host, &refusal(kind, Some(host)).await, says);
        }
    }
    for kind in GIT_SERVERS {
        for host in ["https://git.example.com/", "https://git.example.com/git/", "https://github.com/"] {
            assert_says(kind, host, &refusal(kind, Some(host)).await, "slash");
        }
    }
}

#[tokio::test]
async fn addresses_that_must_not_be_called_are_not() {
    for kind in SELF_MANAGED {
        for host in [
            "https://10.0.0.1",
            "https://192.168.1.1/git",
            "https://127.0.0.1",
            "https://[::1]",
            "https://[::ffff:10.0.0.1]",
            "https://169.254.169.254",
            "https://metadata.google.internal",
            // Names: what they stand for is looked at before a byte is sent.
            "https://localhost",
            "https://localhost:8443/git",
        ] {
            let error = refusal(kind, Some(host)).await;
            assert_says(kind, host, &error, "address that the operator's network policy does not allow");
        }
    }
}

#[tokio::test]
async fn plain_http_goes_to_loopback_only() {
    for kind in SELF_MANAGED {
        let server = Server::answering("HTTP/1.1 401 X\r\ncontent-length: 0\r\n\r\n").await;
        assert_says(kind, &server.url, &refusal(kind, Some(&server.url)).await, "address");
        assert_eq!(server.hits(), 0, "{kind:?}");
        let error = client(kind, loopback_settings()).register(&registration(Some("http://10.0.0.1"))).await;
        assert_says(kind, "http://10.0.0.1", &error.unwrap_err(), "http");
    }
}

#[tokio::test]
async fn an_issuer_has_to_be_named() {
    let error = refusal(ProviderKind::Oidc, None).await;
    assert_says(ProviderKind::Oidc, "", &error, "required");
}

#[tokio::test]
async fn providers_that_are_in_one_place_take_no_host() {
    for kind in [ProviderKind::Google, ProviderKind::Box] {
        for host in ["", "https://accounts.google.com", "https://api.box.com", "https://10.0.0.1"] {
            assert_says(kind, host, &refusal(kind, Some(host)).await, "leave it out");
        }
    }
}

#[tokio::test]
async fn microsoft_is_registered_by_its_tenant() {
    for (host, says) in [
        ("", "tenant"),
        ("https://", "tenant"),
        ("not a tenant", "tenant"),
        ("common/v2.0/extra", "tenant"),
        ("8f0c9d1e-3a5b-4c7d-9e8f", "tenant"),
        ("login.microsoftonline.com/", "tenant"),
        ("https://login.microsoftonline.com/common/", "tenant"),
        ("http://login.microsoftonline.com/common", "http"),
        ("https://somebody:hunter2@login.microsoftonline.com/common", ""),
        ("https://login.microsoftonline.com/common?x", ""),
        ("https://login.microsoftonline.com/common#x", ""),
        ("https://login.microsoftonline.com:8443/common", ""),
        ("https://login.example.com/common", "login.microsoftonline.us"),
        ("login.windows.net/common", "login.partner.microsoftonline.cn"),
        ("https://10.0.0.1/common", "login.microsoftonline.com"),
        ("login.microsoftonline.com.evil.example/common", "login.microsoftonline.com"),
        ("../common", ""),
        ("common%2F..", ""),
    ] {
        assert_says(ProviderKind::Microsoft, host, &refusal(ProviderKind::Microsoft, Some(host)).await, says);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_there_is_refused() {
    let (simulator, _) = simulator();
    let client = client(ProviderKind::Microsoft, simulated_settings(&simulator));
    for tenant in ["nobody.example", "00000000-1111-2222-3333-444444444444"] {
        let error = client.register(&registration(Some(tenant))).await.unwrap_err();
        assert_says(ProviderKind::Microsoft, tenant, &error, "does not exist");
    }
    // A domain stands for the directory that it belongs to.
    let registered = client.register(&registration(Some("kumo.example"))).await.unwrap();
    let issuer = "https://login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v2.0";
    assert_eq!(registered.endpoints.issuer, issuer);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_that_is_not_there_is_refused() {
    let (simulator, _) = simulator();
    let client = client(ProviderKind::Github, simulated_settings(&simulator));
    let error = client.register(&registration(Some("https://typo.ghe.com"))).await.unwrap_err();
    assert_says(ProviderKind::Github, "typo.ghe.com", &error, "GitHub");
    assert!(client.register(&registration(Some("https://octo.ghe.com"))).await.is_ok());
}

#[tokio::test]
async fn an_app_slug_is_github_s_only() {
    for kind in ProviderKind::ALL {
        if matches!(kind, ProviderKind::Github | ProviderKind::Test) {
            continue;
        }
        let host = (kind == ProviderKind::Oidc).then_some("https://idp.example");
        let registration = Registration { app_slug: Some("app".to_owned()), ..registration(host) };
        let error = refusal_of(kind, &registration).await;
        assert_eq!(error.field, "appSlug", "{kind:?}: {error}");
    }
}

#[tokio::test]
async fn scopes_that_cannot_work_are_refused() {
    for (kind, host, scopes, says) in [
        (ProviderKind::Oidc, Some("https://idp.example"), "profile email", "openid"),
        (ProviderKind::Google, None, "email profile", "openid"),
        (ProviderKind::Microsoft, None, "User.Read offline_access", "openid"),
        (
            ProviderKind::Microsoft,
            None,
            "openid profile User.Read https://outlook.office.com/.default",
            "one resource",
        ),
        (ProviderKind::Gitlab, None, "write_repository", "openid"),
        (ProviderKind::Bitbucket, None, "repository", "account"),
    ] {
        let scopes = Scopes::parse(scopes);
        let registration = Registration { scopes: Some(scopes.clone()), ..registration(host) };
        let error = refusal_of(kind, &registration).await;
        assert_eq!(error.field, "scopes", "{kind:?}: {error}");
        assert!(error.message.contains(says), "{kind:?}: {error}");
        let client = client(kind, ClientSettings::default());
        let issuer = if kind == ProviderKind::Bitbucket { "https://bitbucket.org" } else { "" };
        let endpoints = ProviderEndpoints { issuer: issuer.to_owned(), ..entities::endpoints("idp.example") };
        assert_eq!(
            client.check_scopes(&endpoints, None, &scopes).unwrap_err(),
            error,
            "an update is refused alike"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_something_else_is_refused() {
    let html = "<html>error: sign in</html>";
    for kind in GIT_SERVERS {
        for (head, body) in [
            ("404 Not Found\r\n", ""),
            ("200 OK\r\ncontent-type: text/html\r\n", html),
            ("200 OK\r\ncontent-type: application/json\r\n", "{}"),
            ("302 Found\r\nlocation: https://sso.example/login\r\n", ""),
            ("403 Forbidden\r\ncontent-type: text/html\r\n", html),
            ("503 Service Unavailable\r\n", html),
        ] {
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {head}connection: close\r\ncontent-length: {length}\r\n\r\n{body}");
            let server = Server::answering(answer).await;
            let registration = registration(Some(&server.url));
            let registered = client(kind, loopback_settings()).register(&registration).await;
            let error = registered.expect_err(head);
            assert_says(kind, head, &error, "");
            assert!(!error.message.contains("sign in"), "nothing that a server says comes through: {error}");
            assert!(server.hits() > 0, "{kind:?} {head}: it was asked");
        }
    }
}

#[tokio::test]
async fn nobody_there_is_said() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let host = format!("http://127.0.0.1:{port}");
    for kind in SELF_MANAGED {
        let error = client(kind, loopback_settings()).register(&registration(Some(&host))).await.unwrap_err();
        assert_says(kind, &host, &error, "could not be");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_product_is_not_taken_for_the_right_one() {
    let (simulator, _) = simulator();
    for (kind, product, others) in [
        (ProviderKind::Github, "GitHub", ["gitlab", "bitbucket"]),
        (ProviderKind::Gitlab, "GitLab", ["github", "bitbucket"]),
        (ProviderKind::Bitbucket, "Bitbucket", ["github", "gitlab"]),
    ] {
        let client = client(kind, simulated_settings(&simulator));
        for other in others {
            let host = format!("{}/self-managed/{other}", simulator.url());
            let error = client.register(&registration(Some(&host))).await.unwrap_err();
            assert_says(kind, &host, &error, product);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_is_registered_by_the_address_that_it_calls_its_own() {
    let (simulator, _) = simulator();
    let client = client(ProviderKind::Gitlab, simulated_settings(&simulator));
    let own = format!("{}/self-managed/gitlab", simulator.url());
    let alias = own.replace("127.0.0.1", "localhost");
    let error = client.register(&registration(Some(&alias))).await.unwrap_err();
    assert_says(ProviderKind::Gitlab, &alias, &error, &own);
    assert!(client.register(&registration(Some(&own))).await.is_ok());
}
