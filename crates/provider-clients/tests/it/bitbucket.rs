//! What only Bitbucket does.

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{Identity, ProviderKind, UpstreamError};
use grantkeeper_provider_simulator::site_subject;
use serde_json::json;

use crate::deployments::{BITBUCKET_DATA_CENTER, Deployment};
use crate::scripted_api::{Scripted, ScriptedApi};
use crate::world::{World, secret};

const DATA_CENTER: &Deployment = &BITBUCKET_DATA_CENTER;

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_that_is_no_slug_is_searched_for() {
    let world = World::at(DATA_CENTER).await;
    for name in ["tove.lindqvist", "tove lindqvist", "tove+l/..%41?#"] {
        let tokens = world.authorize(name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let identify = world.client.identify(&world.scopes);
        let identity = identify.identify_user(&world.connection(), &tokens.access_token, None).await;
        let identity = identity.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(identity.subject, site_subject(DATA_CENTER.site, name));
        assert_eq!(identity.user.nick_name.as_deref(), Some(name));
    }
}

/// The cloud, with that answer where the addresses are.
async fn with_addresses(head: &'static str, body: &'static str) -> Result<Identity, UpstreamError> {
    let user = json!({"uuid": "{7}", "nickname": "tove"}).to_string();
    let api = ScriptedApi::of(ProviderKind::Bitbucket, move |what, _| -> Scripted {
        match what {
            "GET /user" => ("200 OK", user.clone()),
            _ => (head, body.to_owned()),
        }
    })
    .await;
    let connection = api.connection("https://bitbucket.org");
    api.client.identify(&Scopes::default()).identify_user(&connection, &secret("token"), None).await
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_not_known() {
    for (head, body) in [
        ("500 Internal Server Error", ""),
        ("429 Too Many Requests", ""),
        ("403 Forbidden\r\nretry-after: 60", ""),
        ("302 Found\r\nlocation: https://elsewhere.example/", ""),
        ("200 OK", "<html>"),
        // As behind a proxy whose pages name the host that it stands for.
        ("200 OK", r#"{"values": [], "next": "https://api.bitbucket.org/2.0/user/emails?page=2"}"#),
    ] {
        let identity = with_addresses(head, body).await.unwrap_or_else(|error| panic!("{head}: {error}"));
        assert_eq!((identity.subject.as_str(), identity.user.email), ("{7}", None), "{head} {body}");
    }
    assert_eq!(with_addresses("401 Unauthorized", "").await, Err(UpstreamError::TokenRefused));
}
