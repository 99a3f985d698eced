//! Links as people see them: the list, and one by one.

use std::time::Duration;

use actix_web::http::StatusCode;
use grantkeeper_domain::providers::{Installation, InstallationAccount, UpstreamError};
use grantkeeper_testkit::scripted_provider::Call;
use serde_json::{Value, json};
use url::Url;

use crate::service::Service;

impl Service {
    /// What an answer to the member is like, for a snapshot.
    async fn showing(&self, path: &str) -> String {
        self.external_auth_told(&self.member, "GET", path, None).await
    }
}

fn unavailable() -> UpstreamError {
    UpstreamError::Unavailable { reason: "connection_failed", retry_after: None }
}

#[actix_web::test]
async fn the_list() {
    let service = Service::start().await;
    let mut told = vec![service.showing("").await];
    service.register_with_device_flow().await;
    let second = service.register_with("second", json!({})).await;
    told.push(service.showing("").await);
    service.authorize(&service.member, &second).await;
    told.push(service.showing("").await);
    told.push(service.external_auth_told(&service.colleague, "GET", "", None).await);
    told.push(service.external_auth_told(&service.stranger, "GET", "", None).await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn one_link() {
    let service = Service::start().await;
    let provider = service.register_with_device_flow().await;
    let mut told = vec![service.showing("/example").await];
    service.authorize(&service.member, &provider).await;
    told.push(service.showing("/example").await);
    told.push(service.showing(&format!("/{provider}")).await.replace(&provider, "[provider]"));
    told.push(service.showing("/unknown").await);
    told.push(service.external_auth_told(&service.colleague, "GET", "/example", None).await);
    told.push(service.external_auth_told(&service.stranger, "GET", "/example", None).await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn installations_of_an_app() {
    let service = Service::start().await;
    let account = InstallationAccount {
        id: 2002,
        login: "acme".to_owned(),
        avatar_url: Url::parse("https://avatars.example/2002").ok(),
        profile_url: Url::parse("https://issuer.example/acme").ok(),
    };
    let installation = Installation {
        id: 7,
        account: Some(account),
        configure_url: Url::parse("https://issuer.example/installations/7").ok(),
        suspended: false,
    };
    let bare = Installation { id: 8, account: None, configure_url: None, suspended: true };
    service.provider.change(|state| state.installations = Some(vec![installation, bare]));
    let provider = service.register_with("example", json!({ "appSlug": "my-app" })).await;
    let mut told = vec![service.showing("/example").await];
    service.authorize(&service.member, &provider).await;
    told.push(service.showing("/example").await);
    service.provider.fail_next(Call::Installations, unavailable());
    let without = service.link("example").await;
    assert_eq!((&without["authenticated"], &without["installations"]), (&json!(true), &json!([])));
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn an_expired_but_refreshable_link_is_authenticated_in_the_list_and_in_the_view() {
    let service = Service::start().await;
    let provider = service.register_with("example", json!({})).await;
    service.authorize(&service.member, &provider).await;
    service.clock.advance(Duration::from_secs(3600));
    let links = service.links().await;
    assert_eq!(links[0]["authenticated"], true, "{links}");
    assert_eq!(links[0]["validate_error"], "");
    assert_eq!(links[0]["expires"], "2026-01-01T02:00:00.123456Z", "it was refreshed first");
    assert_eq!(links[0]["updated_at"], "2026-01-01T01:00:00.123456Z");
    service.clock.advance(Duration::from_secs(3600));
    assert_eq!(service.link("example").await["authenticated"], true);
    assert_eq!(service.provider.calls(Call::Refresh), 2);
}

#[actix_web::test]
async fn a_provider_that_is_down_fails_neither_the_list_nor_its_link() {
    let service = Service::start().await;
    for slug in ["first", "second"] {
        let provider = service.register_with(slug, json!({})).await;
        service.authorize(&service.member, &provider).await;
    }
    service.provider.fail_next(Call::Validate, unavailable());
    let links = service.links().await;
    let told = |index: usize| (links[index]["authenticated"].clone(), links[index]["validate_error"].clone());
    let why = "The provider could not be asked whether the link still holds (connection_failed)";
    assert_eq!(told(0), (json!(true), json!(why)));
    assert_eq!(told(1), (json!(true), json!("")));
    service.provider.fail_next(Call::Identify, unavailable());
    let view = service.link("first").await;
    assert_eq!((&view["authenticated"], &view["user"]["login"]), (&json!(true), &json!("ada")));
}

#[actix_web::test]
async fn a_provider_that_hangs_does_not_hold_the_list_up() {
    let service = Service::start().await;
    let provider = service.register_with("example", json!({})).await;
    service.authorize(&service.member, &provider).await;
    service.provider.hold(Call::Validate);
    let impatience = async {
        service.provider.until_called(Call::Validate, 1).await;
        service.clock.advance(Duration::from_secs(2));
    };
    let (links, ()) = tokio::join!(service.links(), impatience);
    assert_eq!(links[0]["authenticated"], true, "{links}");
    assert_eq!(
        links[0]["validate_error"],
        "The provider could not be asked whether the link still holds (timeout)"
    );
}

#[actix_web::test]
async fn a_rate_limit_leaves_the_link_as_it_was() {
    let service = Service::start().await;
    let provider = service.register_with("example", json!({})).await;
    service.authorize(&service.member, &provider).await;
    let limited = || UpstreamError::RateLimited { retry_after: Some(Duration::from_secs(60)) };
    service.provider.fail(Call::Validate, limited());
    service.provider.fail(Call::Identify, limited());
    let links = service.links().await;
    assert_eq!(links[0]["authenticated"], true);
    let why = "The provider limits how often it may be asked whether the link still holds (rate_limited)";
    assert_eq!(links[0]["validate_error"], why);
    assert_eq!(service.link("example").await["authenticated"], true);
    assert_eq!(service.ask_for_token(&service.member, "example", "").await.text("access_token"), "access-1");
}

#[actix_web::test]
async fn a_dead_link_says_so_in_our_own_words() {
    let service = Service::start().await;
    service.provider.change(|state| state.gives_refresh_tokens = false);
    let provider = service.register_with("example", json!({})).await;
    service.authorize(&service.member, &provider).await;
    service.provider.change(|state| state.access_tokens.clear());
    let links = service.links().await;
    assert_eq!(links[0]["authenticated"], false);
    let why = "The link does not hold any more: link the account again (invalid_token)";
    assert_eq!(links[0]["validate_error"], why);
    assert_eq!(links[0]["has_refresh_token"], false);
    let view = service.link("example").await;
    assert_eq!((&view["authenticated"], &view["user"]), (&json!(false), &Value::Null));
}

#[actix_web::test]
async fn revocation_support_is_told_alike_in_both_views() {
    let service = Service::start().await;
    service.register_with("example", json!({})).await;
    for can_revoke in [true, false] {
        service.provider.change(|state| state.can_revoke = can_revoke);
        let list = service.external_auth(&service.member, "GET", "", None).await.json();
        assert_eq!(list["providers"][0]["supports_revocation"], can_revoke);
        assert_eq!(service.link("example").await["supports_revocation"], can_revoke);
    }
}

#[actix_web::test]
async fn links_of_removed_providers_are_gone() {
    let service = Service::start().await;
    let provider = service.register_with("example", json!({})).await;
    service.authorize(&service.member, &provider).await;
    service.call(&service.admin, "DELETE", &format!("/providers/{provider}/"), None).await;
    let list = service.external_auth(&service.member, "GET", "", None).await.json();
    assert_eq!(list, json!({ "providers": [], "links": [] }));
    let view = service.external_auth(&service.member, "GET", "/example", None).await;
    assert_eq!(view.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_account_that_was_authorized_last_is_the_link() {
    let service = Service::start().await;
    let provider = service.register_with("example", json!({})).await;
    for person in ["1001", "2002", "1001"] {
        service.provider.sign_in(person);
        service.authorize(&service.member, &provider).await;
        service.clock.advance(Duration::from_secs(1));
        assert_eq!(service.links().await.as_array().map(Vec::len), Some(1));
        assert_eq!(service.link("example").await["user"]["id"].to_string(), person);
    }
}
