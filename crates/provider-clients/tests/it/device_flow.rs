//! What a device flow tells the provider, and where it sends people.

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    DeviceAnswer, DeviceAuthorization, ProviderConnection, ProviderKind, UpstreamError,
};
use grantkeeper_provider_clients::{ClientSettings, NetworkPolicy};
use grantkeeper_testkit::entities;
use serde_json::{Value, json};

use crate::hostile::{Server, ok};
use crate::scripted_api::{Scripted, ScriptedApi};
use crate::world::{connection, oidc_client, secret};

const BEGIN: &str = "POST /device";
const POLL: &str = "POST /token";

/// A page of the issuer.
const PAGE: &str = "https://provider.example/device";

fn begun(page: &str, complete: Option<&str>) -> Value {
    json!({
        "device_code": "dc",
        "user_code": "WDJB-MJHT",
        "verification_uri": page,
        "verification_uri_complete": complete,
        "expires_in": 900,
    })
}

/// A provider that begins every device flow like this, and then says that.
async fn provider(kind: ProviderKind, begun: Value, poll: Scripted) -> (ScriptedApi, ProviderConnection) {
    let api = ScriptedApi::of(kind, move |what, _| match what {
        BEGIN => ("200 OK", begun.to_string()),
        _ => poll.clone(),
    })
    .await;
    let mut connection = api.connection("https://provider.example");
    let endpoints = &mut connection.client.endpoints;
    endpoints.device_authorization = Some(endpoints.token.join("/device").unwrap());
    (api, connection)
}

async fn begin(
    api: &ScriptedApi,
    connection: &ProviderConnection,
) -> Result<DeviceAuthorization, UpstreamError> {
    let flow = api.client.device(&connection.client.endpoints).expect("it has a device flow");
    flow.begin_device(connection, &Scopes::parse("openid")).await
}

async fn poll(api: &ScriptedApi, connection: &ProviderConnection) -> Result<DeviceAnswer, UpstreamError> {
    let flow = api.client.device(&connection.client.endpoints).expect("it has a device flow");
    flow.poll_device(connection, &secret("dc"), &Scopes::parse("openid")).await
}

#[tokio::test]
async fn a_secret_is_shown_only_where_it_is_wanted() {
    let pending = || ("400 Bad Request", json!({"error": "authorization_pending"}).to_string());
    for (kind, shows) in [
        (ProviderKind::Github, false),
        (ProviderKind::Gitlab, true),
        (ProviderKind::Google, true),
        (ProviderKind::Microsoft, false),
        (ProviderKind::Oidc, true),
    ] {
        let (api, connection) = provider(kind, begun(PAGE, None), pending()).await;
        assert!(begin(&api, &connection).await.is_ok(), "{kind:?}");
        assert!(matches!(poll(&api, &connection).await, Ok(DeviceAnswer::Pending)), "{kind:?}");
        for request in [api.last(BEGIN), api.last(POLL)] {
            let is_shown = request.contains("client_secret=") || request.contains("authorization: ");
            assert_eq!(is_shown, shows, "{kind:?}: {request}");
            assert!(shows || request.contains("client_id=client%3A1+%25"), "{kind:?}: {request}");
        }
    }
}

#[tokio::test]
async fn people_are_sent_to_the_provider_and_nowhere_else() {
    use ProviderKind::{Github, Gitlab, Google, Microsoft, Oidc};
    for (kind, page, trusted) in [
        (Oidc, PAGE, true),
        (Oidc, "https://provider.example:8443/device", true),
        (Oidc, "https://PROVIDER.example/device", true),
        (Oidc, "https://www.google.com/device", false),
        (Gitlab, "https://evil.example/login", false),
        (Gitlab, "https://provider.example.evil.example/device", false),
        (Gitlab, "https://evil.example/provider.example", false),
        (Github, "https://www.provider.example/device", false),
        (Google, "https://www.google.com/device", true),
        (Google, "https://google.com/device", true),
        (Google, "http://www.google.com.evil.example/device", false),
        (Google, "https://microsoft.com/devicelogin", false),
        (Microsoft, "https://microsoft.com/devicelogin", true),
        (Microsoft, "https://www.microsoft.com/link", true),
        (Microsoft, "https://login.microsoft.com/device", true),
        (Microsoft, "https://aka.ms/devicelogin", true),
        (Microsoft, "https://evil.microsoft.com/devicelogin", false),
    ] {
        let never = ("500 Internal Server Error", String::new());
        let (api, connection) = provider(kind, begun(page, None), never.clone()).await;
        let found = begin(&api, &connection).await;
        if trusted {
            assert_eq!(found.map(|begun| begun.user_code).as_deref(), Ok("WDJB-MJHT"), "{kind:?} {page}");
        } else {
            let refused = UpstreamError::Untrusted { reason: "verification_uri" };
            assert_eq!(found.err(), Some(refused), "{kind:?} {page}");
        }

        // The page is shown without the one that saves typing, where that is elsewhere.
        let (api, connection) = provider(kind, begun(PAGE, Some(page)), never).await;
        let complete = begin(&api, &connection).await.ok().unwrap().verification_uri_complete;
        assert_eq!(complete.is_some(), trusted, "{kind:?} {page}");
    }
}

#[tokio::test]
async fn a_page_is_encrypted_like_any_call() {
    // The address of this machine may be called plainly, and nothing else.
    let network = NetworkPolicy::new(vec![], ["127.0.0.1".to_owned()]);
    let (client, _) = oidc_client(ClientSettings { network, ..ClientSettings::default() });
    for (page, trusted) in [
        ("http://127.0.0.1:9/device", true),
        ("https://127.0.0.1/device", true),
        ("https://provider.example/device", true),
        ("http://provider.example/device", false),
        ("http://localhost/device", false),
    ] {
        let server = Server::answering(ok(begun(page, None).to_string().as_bytes())).await;
        let mut endpoints = entities::endpoints("provider.example");
        endpoints.device_authorization = Some(format!("{}/device", server.url).parse().unwrap());
        let connection = connection(endpoints, "secret");
        let flow = client.device(&connection.client.endpoints).expect("it has a device flow");
        let found = flow.begin_device(&connection, &Scopes::default()).await;
        let untrusted = UpstreamError::Untrusted { reason: "verification_uri" };
        assert_eq!(found.err(), (!trusted).then_some(untrusted), "{page}");
    }
}

#[tokio::test]
async fn an_error_that_nobody_has_heard_of_ends_the_flow() {
    for kind in [ProviderKind::Github, ProviderKind::Gitlab, ProviderKind::Google, ProviderKind::Microsoft] {
        for (head, error, expected) in [
            (
                "400 Bad Request",
                "brand_new",
                UpstreamError::GrantRefused { code: "unlisted_error".to_owned() },
            ),
            (
                "400 Bad Request",
                "unsupported_grant_type",
                UpstreamError::Misconfigured { code: "unsupported_grant_type".to_owned() },
            ),
            ("429 Too Many Requests", "brand_new", UpstreamError::RateLimited { retry_after: None }),
        ] {
            let answer = (head, json!({"error": error}).to_string());
            let (api, connection) = provider(kind, begun(PAGE, None), answer).await;
            assert_eq!(poll(&api, &connection).await.err(), Some(expected), "{kind:?} {error}");
        }
    }
}
