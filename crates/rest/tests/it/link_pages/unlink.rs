//! Unlinking.

use actix_web::http::StatusCode;
use actix_web::http::header::ORIGIN;
use actix_web::test::TestRequest;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;
use url::Url;

use super::{PAGE, assert_says};
use crate::browser::{Browser, form_token};
use crate::service::Service;

const UNLINK: &str = "/external-auth/example/unlink";
const GONE: &str = "Unlinked This service has no access to your account at Example any more.";

#[actix_web::test]
async fn a_link_ends_and_its_tokens_with_it() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    for path in [PAGE, "/external-auth"] {
        browser.link().await;
        let page = browser.get(path).await;
        let answer = browser.press(&page, UNLINK).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_says(&answer, &[GONE, "Example has revoked it as well.", "My links"]);
        assert_eq!(service.links_of(&service.member).await, 0);
        let again = browser.press(&page, UNLINK).await;
        assert_says(
            &again,
            &["There was nothing to unlink No account at Example is linked, or not any more."],
        );
    }
    assert!(service.provider.read(|state| state.access_tokens.is_empty()));
}

#[actix_web::test]
async fn a_provider_that_has_not_revoked_is_named_with_why_and_where_to_do_so_oneself() {
    let service = Service::start().await;
    let settings = "https://issuer.example/settings?a=b&c=d";
    service.provider.change(|state| state.endpoints.settings_url = Some(Url::parse(settings).unwrap()));
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    browser.link().await;
    let down = UpstreamError::Unavailable { reason: "connection_failed", retry_after: None };
    service.provider.fail_next(Call::Revoke, down);
    let page = browser.get(PAGE).await;
    let answer = browser.press(&page, UNLINK).await;
    assert_says(
        &answer,
        &[
            GONE,
            "Example has not revoked it yet: the provider cannot be reached (connection_failed).",
            "it is tried again",
            "Your settings at Example",
        ],
    );
    assert!(answer.body.contains("href=\"https://issuer.example/settings?a=b&#38;c=d\""), "{}", answer.body);
    assert_eq!(service.links_of(&service.member).await, 0, "it is gone whatever the provider says");
}

#[actix_web::test]
async fn a_provider_that_cannot_revoke_says_so() {
    let service = Service::start().await;
    service.provider.change(|state| state.can_revoke = false);
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    browser.link().await;
    let page = browser.get(PAGE).await;
    let answer = browser.press(&page, UNLINK).await;
    assert_says(&answer, &[GONE, "Example knows no way to revoke it. You can take it away there yourself."]);
}

#[actix_web::test]
async fn only_a_form_of_ours_unlinks() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    browser.link().await;
    let token = form_token(&browser.get(PAGE).await);
    let form = [("form_token", token.as_str())];
    let forged =
        TestRequest::post().uri(UNLINK).insert_header((ORIGIN, "https://evil.example")).set_form(form);
    assert_eq!(browser.send(forged).await.status, StatusCode::BAD_REQUEST, "another origin");
    assert_eq!(
        browser.post(UNLINK, &[("form_token", "guess")]).await.status,
        StatusCode::BAD_REQUEST,
        "a guess"
    );
    assert_eq!(browser.post(UNLINK, &[]).await.status, StatusCode::BAD_REQUEST, "no token");
    let nobody = Browser::new(&service).post(UNLINK, &form).await;
    assert_eq!(nobody.status, StatusCode::BAD_REQUEST, "nobody is signed in");
    let mut colleague = Browser::new(&service);
    colleague.sign_in(&service.colleague, PAGE).await;
    assert_eq!(
        colleague.post(UNLINK, &form).await.status,
        StatusCode::BAD_REQUEST,
        "another session's token"
    );
    assert_eq!(browser.get(UNLINK).await.status, StatusCode::NOT_FOUND, "there is nothing to see");
    assert_eq!(service.links_of(&service.member).await, 1);
    let unknown = browser.post("/external-auth/unknown/unlink", &form).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}
