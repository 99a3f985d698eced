//! The page of one link.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use grantkeeper_domain::providers::{Installation, InstallationAccount, UpstreamError};
use grantkeeper_testkit::scripted_provider::Call;
use serde_json::json;
use url::Url;

use super::{LINKED, PAGE, assert_lacks, assert_says};
use crate::browser::Browser;
use crate::service::{Service, new_provider};

#[actix_web::test]
async fn machines_send_people_here_to_link_an_account() {
    let service = Service::start().await;
    let id = service.register().await;
    let mut browser = Browser::new(&service);
    let nobody = browser.get(PAGE).await;
    assert_eq!(nobody.header(LOCATION), "/sign-in?return_to=%2Fexternal%2Dauth%2Fexample");
    browser.sign_in(&service.member, PAGE).await;
    for path in [PAGE, &format!("/external-auth/{id}")] {
        let page = browser.get(path).await;
        assert_says(&page, &["Link your account at Example?", "member@acme.example", "Acme", "Link Example"]);
        assert!(page.body.contains("href=\"/external-auth/example/callback\""), "{path}: {}", page.body);
        assert_lacks(&page, &["code on another device", "/unlink", "You can close this window"]);
    }
}

#[actix_web::test]
async fn where_the_device_flow_is_on_a_code_does_as_well() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    let page = Browser::of_member(&service).await.get(PAGE).await;
    assert_says(&page, &["Link Example Use a code on another device"]);
    assert!(page.body.contains("method=\"post\" action=\"/external-auth/example/device\""), "{}", page.body);
}

#[actix_web::test]
async fn what_is_linked_is_named_and_can_be_linked_otherwise_or_unlinked() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    browser.link().await;
    let page = browser.get(PAGE).await;
    assert_says(
        &page,
        &[
            "Example is linked",
            "Your account at Example ada (Ada Example)",
            "Link another account Unlink Example",
        ],
    );
    assert_lacks(&page, &["You can close this window", "could not be checked"]);
    let page = browser.get(LINKED).await;
    assert_says(&page, &["Example is linked Done. You can close this window."]);
    assert!(page.body.contains("<p role=\"status\">"), "{}", page.body);
}

#[actix_web::test]
async fn whoever_has_linked_nothing_is_not_told_that_they_have() {
    let service = Service::start().await;
    service.register().await;
    let page = Browser::of_member(&service).await.get(LINKED).await;
    assert_says(&page, &["Link your account at Example?"]);
    assert_lacks(&page, &["Done.", "You can close this window"]);
}

#[actix_web::test]
async fn a_link_that_cannot_be_checked_or_is_dead_says_why() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    browser.link().await;
    service
        .provider
        .fail(Call::Identify, UpstreamError::Unavailable { reason: "server_trouble", retry_after: None });
    assert_says(
        &browser.get(PAGE).await,
        &[
            "Example is linked It could not be checked just now: the provider has trouble of its own (server_trouble).",
        ],
    );
    service.provider.recover(Call::Identify);
    service.provider.fail(Call::Identify, UpstreamError::TokenRefused);
    let page = browser.get(PAGE).await;
    assert_says(
        &page,
        &[
            "It has to be linked again: the provider no longer takes what you have allowed (invalid_token).",
            "Link Example Unlink Example",
        ],
    );
    assert!(page.body.contains("role=\"alert\""), "{}", page.body);
}

#[actix_web::test]
async fn where_an_app_is_installed_is_told_with_where_to_change_that() {
    let service = Service::start().await;
    let account = |id, login: &str| {
        Some(InstallationAccount { id, login: login.to_owned(), avatar_url: None, profile_url: None })
    };
    let url = |text: &str| Some(Url::parse(text).unwrap());
    service.provider.change(|state| {
        state.installations = Some(vec![
            Installation {
                id: 1,
                account: account(1, "<b>acme</b>"),
                configure_url: url("https://issuer.example/install/1?a=b&c=d"),
                suspended: false,
            },
            Installation { id: 2, account: account(2, "ada"), configure_url: None, suspended: true },
            Installation {
                id: 3,
                account: None,
                configure_url: url("javascript:alert(1)"),
                suspended: false,
            },
        ]);
    });
    let mut new = new_provider();
    new["appSlug"] = json!("our-app");
    let answer = service.call(&service.admin, "POST", "/providers/", Some(new)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let mut browser = Browser::of_member(&service).await;
    let page = browser.get(PAGE).await;
    assert_says(&page, &["Install the app"]);
    assert_lacks(&page, &["Where the app is installed"]);
    browser.link().await;
    let page = browser.get(PAGE).await;
    assert_says(
        &page,
        &[
            "&#60;b&#62;acme&#60;/b&#62; Configure it for &#60;b&#62;acme&#60;/b&#62;",
            "ada (suspended)",
            "Install the app",
        ],
    );
    assert!(page.body.contains("href=\"https://issuer.example/install/1?a=b&#38;c=d\""), "{}", page.body);
    assert!(page.body.contains("href=\"https://issuer.example/apps/our-app\""), "{}", page.body);
    assert_lacks(&page, &["javascript:", "<b>"]);
    service.provider.change(|state| state.installations = Some(Vec::new()));
    assert_says(&browser.get(PAGE).await, &["Nowhere that you can reach."]);
}

#[actix_web::test]
async fn a_provider_that_is_paused_says_so() {
    let service = Service::start().await;
    let id = service.register_with_device_flow().await;
    service.pause(&id).await;
    let page = Browser::of_member(&service).await.get(PAGE).await;
    assert_says(&page, &["This provider is paused or switched off."]);
    assert_lacks(&page, &["/callback\"", "/device\""]);
}

#[actix_web::test]
async fn what_is_not_there_and_what_is_not_yours_is_the_same() {
    let service = Service::start().await;
    let id = service.register().await;
    let mut stranger = Browser::new(&service);
    stranger.sign_in(&service.stranger, "/external-auth").await;
    let mut answers = Vec::new();
    for name in ["unknown", &id, "example", "0199c1f0-0000-7000-8000-000000000000", "%3Cb%3E", "a%2Fb"] {
        for page in ["", "/device", "/callback"] {
            let answer = stranger.get(&format!("/external-auth/{name}{page}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}{page}: {answer:?}");
            answers.push(answer.body);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].contains("There is nothing here"), "{}", answers[0]);
    let nowhere = Browser::new(&service).get("/external-auth/%3Cb%3E").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND, "nobody signs in for nothing");
}

#[actix_web::test]
async fn a_query_that_cannot_be_read_is_not_valid() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    let mut browser = Browser::of_member(&service).await;
    for path in [
        "/external-auth/example?%zz",
        "/external-auth/example/device?%ff",
        "/external-auth/example/callback?%zz",
    ] {
        assert_eq!(browser.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}
