//! The ways to send a token, of which the first that is used counts.

use reqwest::header::{COOKIE, ORIGIN};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;

use super::world::{LinkWorld, PROVIDER};
use crate::browser::Browser;
use crate::callers::{answer, client};
use crate::stores::StoreKind;

const COOKIE_NAME: &str = "coder_session_token";

/// A token in a request.
#[derive(Clone, Copy, Debug)]
enum Way {
    Cookie,
    SessionParameter,
    SessionHeader,
    Bearer,
    AccessParameter,
}

/// In their order.
const ALL: [Way; 5] =
    [Way::Cookie, Way::SessionParameter, Way::SessionHeader, Way::Bearer, Way::AccessParameter];

impl Way {
    /// The name of the parameter, where it is one.
    fn parameter(self) -> Option<&'static str> {
        match self {
            Self::SessionParameter => Some(COOKIE_NAME),
            Self::AccessParameter => Some("access_token"),
            Self::Cookie | Self::SessionHeader | Self::Bearer => None,
        }
    }

    fn send(self, request: RequestBuilder, token: &str) -> RequestBuilder {
        match self {
            Self::Cookie => request.header(COOKIE, format!("{COOKIE_NAME}={token}")),
            Self::SessionHeader => request.header("Coder-Session-Token", token),
            Self::Bearer => request.bearer_auth(token),
            // It is in the URL already.
            Self::SessionParameter | Self::AccessParameter => request,
        }
    }
}

impl LinkWorld {
    fn call(&self, method: Method, path: &str, sent: &[(Way, &str)]) -> RequestBuilder {
        let parameters = sent.iter().filter_map(|(way, token)| Some(format!("{}={token}", way.parameter()?)));
        let query = parameters.collect::<Vec<_>>().join("&");
        let url = format!("{}/api/v2/external-auth{path}?{query}", self.installation.base_url);
        let request = client().request(method, url);
        sent.iter().fold(request, |request, (way, token)| way.send(request, token))
    }

    /// What the list answers to tokens that are sent in these ways.
    async fn list_with(&self, sent: &[(Way, &str)]) -> StatusCode {
        answer(self.call(Method::GET, "", sent)).await.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_in_every_way_but_in_a_url() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    let token = world.member.token.as_str();
    for way in ALL {
        let expected = if way.parameter().is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        assert_eq!(world.list_with(&[(way, token)]).await, expected, "{way:?}");
        // What is not looked at is not in the way either.
        let beside = world.list_with(&[(way, "wrong"), (Way::AccessParameter, token)]).await;
        assert_eq!(beside, StatusCode::UNAUTHORIZED, "{way:?}");
    }
    assert!(!world.installation.log().contains(token), "not even where a client has put it into a URL");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_operator_says_so_a_url_does_as_well() {
    let world = LinkWorld::with(StoreKind::Sqlite, &[("EXTERNAL_AUTH__TOKENS_IN_QUERY", "true")]).await;
    assert!(world.installation.log().contains("external_auth.tokens_in_query is on"));
    let token = world.member.token.as_str();
    for (place, way) in ALL.into_iter().enumerate() {
        assert_eq!(world.list_with(&[(way, token)]).await, StatusCode::OK, "{way:?}");
        for later in &ALL[place + 1..] {
            let both = [(way, token), (*later, "wrong")];
            assert_eq!(world.list_with(&both).await, StatusCode::OK, "{way:?} before {later:?}");
            let both = [(way, "wrong"), (*later, token)];
            assert_eq!(world.list_with(&both).await, StatusCode::UNAUTHORIZED, "{way:?} before {later:?}");
        }
    }
    assert!(!world.installation.log().contains(token), "query strings are never logged");
}

/// The dashboard's cookie is sent along with whatever any page makes a browser call.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_cookie_changes_comes_from_a_page_of_ours() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    world.member.authorize_unattended(&world.provider).await;
    let mut browser = Browser::at(&world.installation.base_url);
    browser.sign_in(&world.member.token, "/account").await;
    let cookie = browser.cookie(COOKIE_NAME);
    let with_cookie = |method, path: &str| world.call(method, path, &[(Way::Cookie, &cookie)]);
    assert_eq!(answer(with_cookie(Method::GET, "")).await.0, StatusCode::OK);

    let path = format!("/{PROVIDER}");
    let unlink = || with_cookie(Method::DELETE, &path);
    for foreign in
        [unlink(), unlink().header(ORIGIN, "https://evil.example"), unlink().header(ORIGIN, "null")]
    {
        let (status, refused) = answer(foreign).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{refused}");
        assert!(refused["message"].is_string(), "{refused}");
    }
    let poll = with_cookie(Method::POST, &format!("{path}/device"));
    let poll =
        poll.header("content-type", "application/json").body(json!({ "device_code": "any" }).to_string());
    assert_eq!(answer(poll).await.0, StatusCode::FORBIDDEN);
    assert_eq!(world.only_link().await["authenticated"], json!(true));

    let own = unlink().header(ORIGIN, &world.installation.base_url);
    assert_eq!(answer(own).await.0, StatusCode::OK);
    world.assert_not_linked().await;
}
