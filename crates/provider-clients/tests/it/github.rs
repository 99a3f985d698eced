//! What only GitHub does.

use std::time::Duration;

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    Identity, Installation, ProviderConnection, ProviderKind, TokenToRevoke, UpstreamError,
};
use serde_json::json;

use crate::scripted_api::{Scripted, ScriptedApi};
use crate::world::secret;

const CLOUD: &str = "https://github.com/login/oauth";
const RESIDENCY: &str = "https://octo.ghe.com/login/oauth";
const SERVER: &str = "https://git.example/login/oauth";

const USER: &str = "GET /user";
const EMAILS: &str = "GET /user/emails";
const INSTALLATIONS: &str = "GET /user/installations";
/// With the client id as one segment of a path.
const CHECK: &str = "POST /applications/client%3A1%20%25/token";
const DELETE: &str = "DELETE /applications/client%3A1%20%25/token";
const LAST_RESORT: &str = "POST /credentials/revoke";
const REFRESH: &str = "POST /token";

/// How long a client pauses in all before it believes that a new token is not known.
const PATIENCE: Duration = Duration::from_millis(1300);

fn user() -> Scripted {
    ("200 OK", json!({"id": 7, "login": "tove", "email": "public@tide.example"}).to_string())
}

fn emails() -> Scripted {
    ("200 OK", json!([{"email": "tove@tide.example", "primary": true, "verified": true}]).to_string())
}

fn status(head: &'static str) -> Scripted {
    (head, String::new())
}

async fn github(answer: impl Fn(&str, usize) -> Scripted + Send + Sync + 'static) -> ScriptedApi {
    ScriptedApi::of(ProviderKind::Github, answer).await
}

async fn identify(api: &ScriptedApi) -> Result<Identity, UpstreamError> {
    let identify = api.client.identify(&Scopes::default());
    identify.identify_user(&api.connection(CLOUD), &secret("gho_token"), None).await
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_not_known() {
    for (head, body) in [
        ("500 Internal Server Error", ""),
        ("502 Bad Gateway\r\ncontent-type: text/html", "<html>"),
        ("429 Too Many Requests\r\nretry-after: 60", ""),
        ("403 Forbidden\r\nx-ratelimit-remaining: 0", ""),
        ("403 Forbidden", ""),
        ("404 Not Found", ""),
        ("302 Found\r\nlocation: https://elsewhere.example/", ""),
        ("418 Teapot", ""),
        ("200 OK", "<html>"),
    ] {
        let api = github(move |what, _| match what {
            USER => user(),
            EMAILS => (head, body.to_owned()),
            _ => status("404 Not Found"),
        })
        .await;
        let identity = identify(&api).await.unwrap_or_else(|error| panic!("{head}: {error}"));
        assert_eq!(identity.user.email.as_deref(), Some("public@tide.example"), "{head}");
        assert_eq!(identity.user.email_verified, None, "{head}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_for_the_address_is_refused() {
    let api = github(|what, _| if what == USER { user() } else { status("401 Unauthorized") }).await;
    assert_eq!(identify(&api).await, Err(UpstreamError::TokenRefused));
}

#[tokio::test]
async fn a_new_token_may_be_unknown_for_a_moment() {
    let api = github(|what, before| match (what, before) {
        (USER | EMAILS | INSTALLATIONS, 0 | 1) => status("401 Unauthorized"),
        (CHECK, 0 | 1) => status("404 Not Found"),
        (USER, _) => user(),
        (EMAILS, _) => emails(),
        (INSTALLATIONS, _) => ("200 OK", json!({"installations": []}).to_string()),
        _ => ("200 OK", "{}".to_owned()),
    })
    .await;
    let identity = identify(&api).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(identity.user.email.as_deref(), Some("tove@tide.example"));
    assert_eq!(api.paused(), PATIENCE * 2, "for each of the two documents");
    assert_eq!(installations(&api).await, Ok(vec![]));
    let connection = api.connection(CLOUD);
    let validate =
        api.client.validate(&connection.client.endpoints, &Scopes::default()).expect("GitHub validates");
    assert_eq!(validate.validate_token(&connection, &secret("gho_token")).await, Ok(()));
    assert!(api.asked().values().all(|times| *times == 3), "{:?}", api.asked());
}

#[tokio::test]
async fn a_token_that_stays_unknown_is_refused() {
    let api =
        github(|what, _| status(if what == CHECK { "404 Not Found" } else { "401 Unauthorized" })).await;
    assert_eq!(identify(&api).await, Err(UpstreamError::TokenRefused));
    assert_eq!(api.paused(), PATIENCE);
    assert_eq!(installations(&api).await, Err(UpstreamError::TokenRefused));
    let connection = api.connection(CLOUD);
    let validate =
        api.client.validate(&connection.client.endpoints, &Scopes::default()).expect("GitHub validates");
    let refused = validate.validate_token(&connection, &secret("gho_token")).await;
    assert_eq!(refused, Err(UpstreamError::TokenRefused));
    let thrice = [(USER, 3), (INSTALLATIONS, 3), (CHECK, 3)].map(|(what, times)| (what.to_owned(), times));
    assert_eq!(api.asked(), thrice.into());
}

async fn installations(api: &ScriptedApi) -> Result<Vec<Installation>, UpstreamError> {
    let connection = api.connection(CLOUD);
    let list = api.client.installations(&connection.client.endpoints).expect("GitHub lists them");
    list.installations(&connection, &secret("ghu_token")).await
}

#[tokio::test]
async fn an_installation_that_cannot_be_read_hides_no_other() {
    let account = json!({"id": 5, "login": "tidewater-labs"});
    let page = json!({"installations": [
        {"id": 1, "account": account},
        {"id": 2, "account": null},
        {"id": "three", "account": account},
        {"id": 4, "account": {"login": 4}},
        {"id": 5, "account": account},
    ]});
    let api = github(move |_, _| ("200 OK", page.to_string())).await;
    let listed = installations(&api).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(listed.iter().map(|installation| installation.id).collect::<Vec<_>>(), [1, 2, 5]);
    let has_account = listed.iter().map(|installation| installation.account.is_some());
    assert_eq!(has_account.collect::<Vec<_>>(), [true, false, true]);
}

fn refreshed() -> Scripted {
    let answer = json!({
        "access_token": "gho_next", "expires_in": 28_800, "refresh_token": "ghr_next",
        "refresh_token_expires_in": 15_897_600, "token_type": "bearer", "scope": "",
    });
    ("200 OK", answer.to_string())
}

async fn revoke(api: &ScriptedApi, connection: &ProviderConnection) -> Result<(), UpstreamError> {
    let revoke = api.client.revoke(&connection.client.endpoints).expect("GitHub revokes");
    let tokens =
        TokenToRevoke { access_token: Some(secret("gho_first")), refresh_token: Some(secret("ghr_first")) };
    revoke.revoke_token(connection, &tokens).await
}

fn server_trouble() -> UpstreamError {
    UpstreamError::Unavailable { reason: "server_trouble", retry_after: None }
}

#[tokio::test]
async fn a_new_token_is_deleted_while_it_is_in_hand() {
    for stumble in ["502 Bad Gateway", "429 Too Many Requests", "404 Not Found", "422 Unprocessable Entity"] {
        let api = github(move |what, before| match (what, before) {
            (REFRESH, _) => refreshed(),
            (DELETE, 0 | 1) => status(stumble),
            (DELETE, _) => status("204 No Content"),
            _ => status("500 Internal Server Error"),
        })
        .await;
        assert_eq!(revoke(&api, &api.connection(SERVER)).await, Ok(()), "{stumble}");
        assert!(api.last(DELETE).contains(r#"{"access_token":"gho_next"}"#), "{stumble}");
        assert_eq!((api.asked()[DELETE], api.paused()), (3, PATIENCE), "{stumble}");
    }
}

#[tokio::test]
async fn a_new_token_that_cannot_be_deleted_is_reported_as_leaked() {
    for issuer in [CLOUD, RESIDENCY] {
        let api = github(|what, _| match what {
            REFRESH => refreshed(),
            LAST_RESORT => ("202 Accepted", "{}".to_owned()),
            _ => status("502 Bad Gateway"),
        })
        .await;
        assert_eq!(revoke(&api, &api.connection(issuer)).await, Ok(()), "{issuer}");
        let request = api.last(LAST_RESORT);
        assert!(request.contains(r#"{"credentials":["gho_next","ghr_next"]}"#), "{issuer}");
        assert!(!request.to_ascii_lowercase().contains("authorization:"), "with credentials it is refused");
        assert_eq!(api.asked()[DELETE], 3, "{issuer}");
    }
}

#[tokio::test]
async fn a_new_token_that_nobody_takes_back_is_not_said_to_be_revoked() {
    for issuer in [CLOUD, SERVER] {
        let api = github(|what, _| match what {
            REFRESH => refreshed(),
            // The way it is at Enterprise Server.
            LAST_RESORT => status("401 Unauthorized"),
            _ => status("502 Bad Gateway"),
        })
        .await;
        assert_eq!(revoke(&api, &api.connection(issuer)).await, Err(server_trouble()), "{issuer}");
        assert_eq!(api.asked().contains_key(LAST_RESORT), issuer == CLOUD, "{issuer}");
    }
}

#[tokio::test]
async fn the_old_access_token_is_deleted_when_the_refresh_token_cannot_be_used_up() {
    let code = |code: &str| json!({"error": code}).to_string();
    let misconfigured = UpstreamError::Misconfigured { code: "unsupported_grant_type".to_owned() };
    let unknown = UpstreamError::Unavailable { reason: "unknown_error", retry_after: None };
    for (body, expected) in [
        (code("unsupported_grant_type"), Err(misconfigured)),
        (code("brand_new"), Err(unknown)),
        (code("bad_refresh_token"), Ok(())),
    ] {
        let api = github(move |what, _| match what {
            REFRESH => ("200 OK", body.clone()),
            DELETE => status("204 No Content"),
            _ => status("500 Internal Server Error"),
        })
        .await;
        assert_eq!(revoke(&api, &api.connection(CLOUD)).await, expected);
        assert!(api.last(DELETE).contains(r#"{"access_token":"gho_first"}"#), "{expected:?}");
        assert_eq!(api.asked()[DELETE], 1, "{expected:?}");
    }
}
