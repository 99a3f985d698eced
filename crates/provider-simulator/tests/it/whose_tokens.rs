//! For which client a token was issued, as each provider that can tell does.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::browser::{Answer, Browser, basic, open};

/// Those that tell, each in its own way.
const SITES: [&str; 4] = ["oidc", "github", "gitlab", "google"];

/// A token that this client got without a flow.
async fn issued_to(browser: &Browser, site: &str, client: &str) -> String {
    let order = json!({"clientId": client, "scope": "openid read_user", "sub": "1002"});
    let given = browser.control(&format!("/control/sites/{site}/grants"), order).await.json();
    given["grants"][0]["accessToken"].as_str().expect("a token").to_owned()
}

/// Asks about a token as the client `client`, where the provider wants to know who asks.
async fn ask(browser: &Browser, site: &str, token: &str) -> Answer {
    match site {
        "oidc" => browser.post("/introspect", &[("token", token)]).await,
        "github" => {
            let body = json!({ "access_token": token }).to_string();
            let path = "/api.github.com/applications/client/token";
            browser.send(Method::POST, path, &basic(), body).await
        }
        "gitlab" => {
            browser.send(Method::GET, "/gitlab.com/oauth/token/info", &bearer(token), String::new()).await
        }
        _ => {
            let path = "/oauth2.googleapis.com/tokeninfo";
            browser.send(Method::POST, path, &bearer(token), String::new()).await
        }
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The client that an answer names.
fn named(site: &str, told: &Value) -> Value {
    let pointer = match site {
        "oidc" => "/client_id",
        "github" => "/app/client_id",
        "gitlab" => "/application/uid",
        _ => "/azp",
    };
    told.pointer(pointer).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_provider_names_the_client_of_a_token() {
    let browser = open();
    for site in SITES {
        let ours = ask(&browser, site, &issued_to(&browser, site, "client").await).await;
        assert_eq!((ours.status, named(site, &ours.json())), (StatusCode::OK, "client".into()), "{site}");
        let theirs = ask(&browser, site, &issued_to(&browser, site, "another").await).await;
        if site == "github" {
            assert_eq!(theirs.status, StatusCode::NOT_FOUND, "it tells nobody of another's tokens");
        } else {
            assert_eq!((theirs.status, named(site, &theirs.json())), (StatusCode::OK, "another".into()));
        }
    }
}

#[tokio::test]
async fn who_introspects_has_to_be_a_client_with_a_secret() {
    let browser = open();
    let token = issued_to(&browser, "oidc", "client").await;
    for path in ["/introspect", "/gitlab.com/oauth/introspect"] {
        for client in
            [&[][..], &[("client_id", "client")], &[("client_id", "c"), ("client_secret", "wrong-x")]]
        {
            let form = [client, &[("token", token.as_str())]].concat();
            let refused = browser.post_anonymously(path, &form).await;
            let told = (refused.status, refused.json()["error"].clone());
            assert_eq!(told, (StatusCode::UNAUTHORIZED, "invalid_client".into()), "{path} {client:?}");
        }
        let nothing = browser.post(path, &[]).await;
        assert_eq!((nothing.status.as_u16(), &nothing.json()["error"]), (400, &"invalid_request".into()));
    }
}

#[tokio::test]
async fn a_personal_token_is_good_for_the_api_and_is_no_clients() {
    let browser = open();
    for (site, prefix, user, unknown) in [
        ("github", "ghp_", "/api.github.com/user", StatusCode::NOT_FOUND),
        ("gitlab", "glpat-", "/gitlab.com/api/v4/user", StatusCode::UNAUTHORIZED),
    ] {
        let order = json!({"scope": "read:user read_user", "sub": "1002"});
        let made = browser.control(&format!("/control/sites/{site}/personal-tokens"), order).await.json();
        let token = made["accessToken"].as_str().expect("a token");
        assert!(token.starts_with(prefix), "{token}");
        let user = browser.send(Method::GET, user, &bearer(token), String::new()).await;
        assert_eq!((user.status, &user.json()["id"]), (StatusCode::OK, &1002.into()), "{site}");
        assert_eq!(ask(&browser, site, token).await.status, unknown, "{site}");
        let site = browser.simulator.site(site).expect("a site");
        assert!(site.issued_secrets().contains(&token.to_owned()));
        assert_ne!(site.personal_token("1002", "read_user").as_deref(), Some(token));
    }
    let gitlab = browser.simulator.site("gitlab").expect("a site");
    let personal = gitlab.personal_token("1002", "read_user").expect("a token");
    let introspected = browser.post("/gitlab.com/oauth/introspect", &[("token", &personal)]).await;
    assert_eq!(introspected.json(), json!({ "active": false }));
    assert_eq!(browser.simulator.site("google").expect("a site").personal_token("1002", "openid"), None);
}
