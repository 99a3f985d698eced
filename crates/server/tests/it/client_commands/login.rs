//! Signing in and out at a terminal.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::StatusCode;
use serde_json::Value;

use super::person::Person;
use crate::installation::Installation;
use crate::logins::upstream::{REFUSER, Upstream};
use crate::logins::world::LoginWorld;
use crate::stores::StoreKind;

const MEMBER: &str = "member@acme.example";

async fn a_service_to_sign_in_to() -> LoginWorld {
    LoginWorld::around(Upstream::simulated(600), StoreKind::Sqlite, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_standard_input_is_kept_until_one_signs_out() {
    let installation = Installation::new();
    let token = installation.token(MEMBER, false);
    let caller = installation.caller(&token);
    let _running = installation.serve().await;
    let url = installation.base_url.as_str();
    let person = Person::new();
    let refused = person.refused(&["external-auth", "list"]).await;
    assert!(refused.contains("grantkeeper login"), "{refused}");

    let signed_in = person.json(&["login", url, "--token-stdin"], &format!("{token}\n")).await;
    assert_eq!((&signed_in["service"], &signed_in["expiresAt"]), (&Value::from(url), &Value::Null));
    let account = &installation.run(&["account", "list"])["accounts"][0]["id"];
    assert_eq!(&signed_in["accountId"], account);
    let file = person.home.path().join(".config/grantkeeper/credentials.json");
    assert_eq!(signed_in["file"], file.to_str().unwrap());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(person.json(&["external-auth", "list"], "").await["providers"], Value::Array(vec![]));

    assert_eq!(person.json(&["logout"], "").await["service"], url);
    assert!(!std::fs::read_to_string(file).unwrap().contains(&token));
    assert_eq!(caller.get("/providers/").await.0, StatusCode::UNAUTHORIZED, "it is revoked");
    assert!(person.refused(&["logout", url]).await.contains("nobody has signed in"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_none_is_not_kept() {
    let installation = Installation::new();
    let _running = installation.serve().await;
    let person = Person::new();
    for input in ["", "\n", "not-a-token\n", "to\u{1b}ken\n"] {
        let said = person.runs(&["login", &installation.base_url, "--token-stdin"], input).await;
        assert_eq!(said.status, Some(1), "{input:?}: {said:?}");
    }
    assert!(!person.home.path().join(".config").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signs_in_in_a_browser() {
    let world = a_service_to_sign_in_to().await;
    let person = Person::new();
    let mut login = person.starts(&["login", &world.installation.base_url]);
    let page = login.shows().await;
    let said = login.says("code").await;
    let back = world.upstream.sign_in(&page, "alice").await;
    let mut browser = world.browser();
    let (path, page) = browser.come_back(&back).await;
    let code = said.rsplit(' ').next().unwrap();
    assert!(page.contains(code), "the page shows {code}: {page}");
    browser.press(&path, &page, "yes").await;
    let (status, signed_in) = login.ends().await;
    assert!(status.success() && signed_in.contains(" until "), "{signed_in}");
    person.json(&["external-auth", "list"], "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signs_in_by_a_code_on_another_device() {
    let world = a_service_to_sign_in_to().await;
    let person = Person::new();
    let login = ["login", &world.installation.base_url, "--device"];
    let mut refused = person.starts(&login);
    refused.shows().await;
    assert!(world.upstream.decides(&refused.shows().await, REFUSER).await);
    assert_eq!(refused.ends().await.0.code(), Some(1));

    let mut accepted = person.starts(&login);
    accepted.shows().await;
    assert!(world.upstream.decides(&accepted.shows().await, "alice").await);
    assert!(accepted.ends().await.0.success());
    person.json(&["external-auth", "list"], "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_of_a_login_is_left_that_nobody_has() {
    let world = a_service_to_sign_in_to().await;
    let person = Person::new();
    let login = ["login", &world.installation.base_url, "--device"];
    let sign_in = async || {
        let mut started = person.starts(&login);
        started.shows().await;
        let code = started.shows().await;
        (started, code)
    };
    let good_tokens = || {
        let list = world.installation.run(&["token", "list"]);
        let made = |token: &&Value| token["email"] != "admin@acme.example" && token["status"] == "usable";
        list["tokens"].as_array().unwrap().iter().filter(made).count()
    };
    for _ in 0..2 {
        let (started, code) = sign_in().await;
        assert!(world.upstream.decides(&code, "alice").await);
        assert!(started.ends().await.0.success());
        assert_eq!(good_tokens(), 1, "the one before is revoked");
    }
    person.json(&["external-auth", "list"], "").await;

    // What cannot be kept is revoked.
    let (started, code) = sign_in().await;
    let settings = person.home.path().join(".config");
    std::fs::rename(&settings, person.home.path().join("elsewhere")).unwrap();
    std::fs::write(&settings, "no folder").unwrap();
    assert!(world.upstream.decides(&code, "alice").await);
    assert_eq!(started.ends().await.0.code(), Some(1));
    assert_eq!(good_tokens(), 1, "that of the login before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_given_is_never_revoked_by_another_login() {
    let installation = Installation::new();
    let given = installation.token(MEMBER, false);
    let later = installation.run(&["token", "create", "--account", MEMBER])["token"].clone();
    let caller = installation.caller(&given);
    let _running = installation.serve().await;
    let person = Person::new();
    for token in [given.as_str(), later.as_str().unwrap()] {
        person.json(&["login", &installation.base_url, "--token-stdin"], token).await;
    }
    assert_eq!(caller.get("/providers/").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_service_that_cannot_be_called_is_named() {
    let person = Person::calling("http://127.0.0.1:1", "token");
    for command in [&["external-auth", "list"][..], &["login", "--token-stdin"]] {
        let said = person.runs(command, "token").await;
        assert!(said.status == Some(1) && said.stderr.contains("http://127.0.0.1:1"), "{said:?}");
    }
    let mut person = Person::new();
    person.set("GRANTKEEPER_URL", "http://auth.example");
    assert!(person.refused(&["external-auth", "list"]).await.contains("https"));
}
