//! The sites: where they are, that each has a state of its own, and the pages that people see.

use grantkeeper_provider_simulator::{Fault, FaultPlace, Simulator, SimulatorOptions, site_subject};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::browser::{Browser, REDIRECT_URI, open, open_with};

const AUTHORIZE: &str = "/github.com/login/oauth/authorize";
const TOKEN: &str = "/github.com/login/oauth/access_token";

/// Where a device begins, where it polls, and how the page for people is called in the answer.
const DEVICES: [(&str, &str, &str, &str); 7] = [
    ("github", "/github.com/login/device/code", TOKEN, "verification_uri"),
    (
        "github-enterprise",
        "/self-managed/github/login/device/code",
        "/self-managed/github/login/oauth/access_token",
        "verification_uri",
    ),
    ("gitlab", "/gitlab.com/oauth/authorize_device", "/gitlab.com/oauth/token", "verification_uri"),
    ("google", "/oauth2.googleapis.com/device/code", "/oauth2.googleapis.com/token", "verification_url"),
    (
        "microsoft",
        "/login.microsoftonline.com/common/oauth2/v2.0/devicecode",
        "/login.microsoftonline.com/common/oauth2/v2.0/token",
        "verification_uri",
    ),
    (
        "microsoft-china",
        "/login.partner.microsoftonline.cn/common/oauth2/v2.0/devicecode",
        "/login.partner.microsoftonline.cn/common/oauth2/v2.0/token",
        "verification_uri",
    ),
    ("oidc", "/device_authorization", "/token", "verification_uri"),
];

fn client<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("client_id", "client"), ("client_secret", "client-secret")], more].concat()
}

/// The members of an answer in JSON or as a form.
fn members(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|_| {
        form_urlencoded::parse(body.as_bytes()).into_owned().map(|(k, v)| (k, json!(v))).collect()
    })
}

/// Signs somebody in at GitHub and gives the answer of the token endpoint.
async fn sign_in_at_github(browser: &Browser) -> Value {
    let query =
        format!("{AUTHORIZE}?client_id=client&redirect_uri={REDIRECT_URI}&state=s1&scope=read%3Auser");
    let code = browser.get(&query).await.redirect("code").expect("a code");
    members(&browser.post_anonymously(TOKEN, &client(&[("code", &code)])).await.body)
}

#[tokio::test]
async fn the_control_plane_lists_the_sites_and_where_they_are() {
    let browser = open();
    let sites = browser.get("/control/sites").await.json();
    let sites = sites["sites"].as_array().expect("a list");
    let names: Vec<_> = sites.iter().map(|site| site["name"].as_str().expect("a name")).collect();
    assert_eq!(names, browser.simulator.sites().map(|site| site.name()).collect::<Vec<_>>());
    assert_eq!((names.len(), names[0]), (13, "oidc"));
    let github = browser.simulator.site("github").expect("a site");
    assert_eq!(sites[1]["mounts"], json!(github.mounts()));
    let here = browser.simulator.url();
    assert_eq!(github.mounts(), [format!("{here}/github.com"), format!("{here}/api.github.com")]);
    assert_eq!(github.url(), format!("{here}/github.com"));
    assert!(browser.simulator.site("gitea").is_none());
}

#[tokio::test]
async fn each_site_has_a_state_of_its_own() {
    let browser = open();
    let github = browser.simulator.site("github").expect("a site");
    sign_in_at_github(&browser).await;
    assert_eq!((github.stats().token_calls.len(), browser.simulator.stats().token_calls.len()), (1, 0));
    let told = browser.get("/control/sites/github/stats").await.json();
    assert_eq!(told["tokenCalls"].as_array().map(Vec::len), Some(1));

    let changed = browser.control("/control/sites/github/settings", json!({"accessTokenLifetime": 5})).await;
    assert_eq!((changed.status, github.settings().access_token_lifetime), (StatusCode::OK, 5));
    let residency = browser.simulator.site("github-residency").expect("a site");
    assert_eq!(residency.settings().access_token_lifetime, 28_800);

    browser.control("/control/sites/github/faults", json!({"where": "token", "status": 500})).await;
    assert_eq!(browser.sign_in("profile").await.status, StatusCode::OK);
    let failed = browser.post_anonymously(TOKEN, &client(&[("code", "x")])).await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);

    browser.control("/control/sites/github/reset", "").await;
    assert_eq!((github.settings().access_token_lifetime, github.stats().token_calls.len()), (28_800, 0));
    assert_eq!(browser.simulator.stats().token_calls.len(), 1);
}

#[tokio::test]
async fn sites_are_steered_from_rust_as_well() {
    let browser = open();
    let github = browser.simulator.site("github").expect("a site");
    github.set_faults([Fault::status(FaultPlace::Token, 502)]);
    let failed = browser.post_anonymously(TOKEN, &client(&[("code", "x")])).await;
    assert_eq!(failed.status, StatusCode::BAD_GATEWAY);
    github.update_settings(|settings| settings.account = Some("1002".to_owned()));
    let token = sign_in_at_github(&browser).await["access_token"].as_str().expect("a token").to_owned();
    assert!(github.issued_secrets().contains(&token));
    assert!(browser.simulator.issued_secrets().contains(&token));
    let told = browser.get("/control/secrets").await.json();
    assert_eq!(told["secrets"], json!(browser.simulator.issued_secrets()));
    let plain = browser.simulator.site("oidc").expect("a site").issued_secrets();
    assert!(plain.is_empty());
    assert_eq!(
        (github.subject("1002"), site_subject("github", "1002")),
        ("1002".to_owned(), "1002".to_owned())
    );
}

#[tokio::test]
async fn people_are_asked_at_the_providers_own_address() {
    let browser = open_with(SimulatorOptions::default());
    let query = format!("{AUTHORIZE}?client_id=client&redirect_uri={REDIRECT_URI}&state=s1&scope=gist");
    let page = browser.get(&query).await;
    assert!(page.body.contains(&format!("action=\"{AUTHORIZE}\"")), "{}", page.body);
    let ticket = page.body.split_once("name=\"ticket\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
    let form = [("ticket", ticket.expect("a ticket").0), ("user", "1003"), ("decision", "approve")];
    let elsewhere = browser.post_anonymously("/gitlab.com/oauth/authorize", &form).await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST);
    let callback = browser.post_anonymously(AUTHORIZE, &form).await;
    assert_eq!(callback.redirect("iss").as_deref(), Some("https://github.com/login/oauth"));
    assert!(callback.redirect("code").is_some());
}

#[tokio::test]
async fn devices_are_approved_on_the_page_that_they_are_told_of() {
    let browser = open_with(SimulatorOptions::default());
    for (site, begin, poll, page) in DEVICES {
        let device = members(&browser.post_anonymously(begin, &client(&[("scope", "openid")])).await.body);
        let text =
            |name: &str| device[name].as_str().unwrap_or_else(|| panic!("{site}: {device}")).to_owned();
        let path = text(page).strip_prefix(browser.simulator.url()).expect("a page here").to_owned();
        assert!(browser.get(&path).await.body.contains(&format!("action=\"{path}\"")), "{site}");
        let form = [("user_code", text("user_code")), ("decision", "approve".to_owned())];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(browser.post_anonymously(&path, &form).await.status, StatusCode::OK, "{site}");
        let tokens = browser.post_anonymously(poll, &polling(&text("device_code"))).await;
        assert!(members(&tokens.body)["access_token"].is_string(), "{site}: {}", tokens.body);
    }
}

#[tokio::test]
async fn the_control_plane_finds_a_device_at_whatever_site_it_waits() {
    let browser = open_with(SimulatorOptions::default());
    for (site, begin, poll, _) in DEVICES {
        let device = members(&browser.post_anonymously(begin, &client(&[("scope", "openid")])).await.body);
        let decision = json!({"userCode": device["user_code"], "decision": "deny"});
        assert_eq!(
            browser.control("/control/device", &decision).await.status,
            StatusCode::NO_CONTENT,
            "{site}"
        );
        let device_code = device["device_code"].as_str().expect("a code");
        let refused = members(&browser.post_anonymously(poll, &polling(device_code)).await.body);
        let error = refused["error"].as_str().expect("an error");
        assert!(["access_denied", "authorization_declined"].contains(&error), "{site}: {error}");
        assert_eq!(browser.control("/control/device", &decision).await.status, StatusCode::NOT_FOUND);
    }
}

fn polling(device_code: &str) -> Vec<(&str, &str)> {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    client(&[("grant_type", grant), ("device_code", device_code)])
}

#[tokio::test]
async fn what_is_beyond_the_documented_paths_is_not_there() {
    let browser = open();
    for path in ["/github.com/token", "/api.github.com/login/oauth/authorize", "/gitea.com/login", "/box.com"]
    {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(browser.get(TOKEN).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn every_site_can_be_named() {
    let simulator = Simulator::start(SimulatorOptions::default()).expect("started");
    for site in simulator.sites() {
        assert_eq!(
            simulator.site(site.name()).map(|again| again.url().to_owned()),
            Some(site.url().to_owned())
        );
        assert!(format!("{site:?}").contains(site.name()));
    }
}
