//! Providers: every route and every outcome.

use actix_web::http::StatusCode;
use serde_json::json;

use crate::service::{Service, new_provider};

#[actix_web::test]
async fn registering() {
    let service = Service::start().await;
    let mut full = new_provider();
    for (name, value) in [
        ("slug", json!("the-slug")),
        ("scopes", json!(["openid", "email"])),
        ("skipConsent", json!(true)),
        ("appSlug", json!("app")),
    ] {
        full[name] = value;
    }
    let mut wrong_host = new_provider();
    wrong_host["host"] = json!("https://elsewhere.example");
    let mut no_openid = new_provider();
    no_openid["scopes"] = json!(["email"]);
    let mut device = new_provider();
    device["deviceFlow"] = json!(true);
    let mut not_offered = new_provider();
    not_offered["type"] = json!("github");
    // Where it is the provider's client that knows what a host is.
    let mut no_url = new_provider();
    no_url["host"] = json!("contoso.example");
    let no_host =
        json!({ "type": "test", "name": "Simulated", "clientId": "client-1", "clientSecret": "secret" });
    let told = [
        service.told(&service.admin, "POST", "/providers/", Some(new_provider())).await,
        service.told(&service.admin, "POST", "/providers/", Some(new_provider())).await,
        service.told(&service.admin, "POST", "/providers/", Some(full.clone())).await,
        service.told(&service.admin, "POST", "/providers/", Some(full)).await,
        service.told(&service.admin, "POST", "/providers/", Some(wrong_host)).await,
        service.told(&service.admin, "POST", "/providers/", Some(no_openid)).await,
        service.told(&service.admin, "POST", "/providers/", Some(device)).await,
        service.told(&service.admin, "POST", "/providers/", Some(not_offered)).await,
        service.told(&service.admin, "POST", "/providers/", Some(no_host)).await,
        service.told(&service.admin, "POST", "/providers/", Some(no_url)).await,
        service.told(&service.member, "POST", "/providers/", Some(new_provider())).await,
        service.told(&service.admin, "POST", "/providers/", Some(json!({}))).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn listing() {
    let service = Service::start().await;
    let first = service.register().await;
    service.clock.advance(std::time::Duration::from_secs(1));
    let second = service.register().await;
    let ids = |answer: crate::service::Answer| -> Vec<String> {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let both = vec![first.clone(), second.clone()];
    for (query, expected) in [
        (String::new(), both.clone()),
        ("?orderBy=createdAt".to_owned(), both.clone()),
        ("?orderBy=-createdAt".to_owned(), vec![second.clone(), first.clone()]),
        (format!("?ids={second}"), vec![second.clone()]),
        (format!("?ids={second}&ids={first}"), both.clone()),
        (format!("?ids={second},{first}"), both.clone()),
        (format!("?ids={second},no-such-id"), vec![second.clone()]),
        ("?ids=no-such-id".to_owned(), vec![]),
        ("?types=oidc".to_owned(), both.clone()),
        ("?types=github,oidc".to_owned(), both.clone()),
        ("?types=github&types=box".to_owned(), vec![]),
        ("?host=https://issuer.example".to_owned(), both.clone()),
        ("?host=issuer.example".to_owned(), both.clone()),
        ("?host=other.example".to_owned(), vec![]),
    ] {
        for slash in ["/", ""] {
            assert_eq!(
                ids(service.get(&service.member, &format!("/providers{slash}{query}")).await),
                expected,
                "{query}"
            );
        }
    }
    assert_eq!(ids(service.get(&service.stranger, "/providers/").await), [""; 0]);
    let too_long = "x".repeat(129);
    let told = [
        service.told(&service.member, "GET", "/providers/?types=nonsense", None).await,
        service.told(&service.member, "GET", "/providers/?orderBy=name", None).await,
        service.told(&service.member, "GET", "/providers/?orderBy=createdAt&orderBy=createdAt", None).await,
        service.told(&service.member, "GET", &format!("/providers/?ids={too_long}"), None).await,
        service.told(&service.member, "GET", "/providers/?ids=no-such-id&types=nonsense", None).await,
        service.told(&service.member, "GET", "/providers/?ids=no-such-id&orderBy=name", None).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn showing_and_changing() {
    let service = Service::start().await;
    let id = service.register().await;
    let path = format!("/providers/{id}/");
    let change = |body| service.told(&service.admin, "PATCH", &path, Some(body));
    let too_long = "x".repeat(129);
    let told = [
        service.told(&service.member, "GET", &path, None).await,
        service.told(&service.stranger, "GET", &path, None).await,
        service.told(&service.member, "GET", "/providers/no-such-id/", None).await,
        service.told(&service.member, "GET", &format!("/providers/{too_long}/"), None).await,
        change(json!({ "name": "Renamed", "skipConsent": true, "scopes": ["openid", "profile"] })).await,
        change(json!({ "status": "inactive" })).await,
        change(json!({ "status": "deleted" })).await,
        change(json!({ "status": "disabled" })).await,
        change(json!({ "clientSecret": "another secret" })).await,
        change(json!({ "type": "github", "clientId": "x" })).await,
        change(json!({ "name": "", "skipConsent": "yes", "scopes": [] })).await,
        service.told(&service.member, "PATCH", &path, Some(json!({ "name": "x" }))).await,
        service.told(&service.stranger, "PATCH", &path, Some(json!({ "name": "x" }))).await,
        service.told(&service.admin, "PUT", &path, None).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn deleting() {
    let service = Service::start().await;
    let id = service.register().await;
    service.authorize(&service.member, &id).await;
    let path = format!("/providers/{id}/");
    let mut told = vec![
        service.told(&service.member, "DELETE", &path, None).await,
        service.told(&service.stranger, "DELETE", &path, None).await,
        service.told(&service.admin, "DELETE", &path, None).await,
        service.told(&service.admin, "DELETE", &path, None).await,
        service.told(&service.member, "GET", &path, None).await,
        service.told(&service.member, "GET", "/providers/", None).await,
        service.told(&service.member, "GET", "/authorizedProviders/", None).await,
    ];
    service.run_workers().await;
    told.push(service.told(&service.admin, "GET", "/jobs/", None).await);
    insta::assert_snapshot!(told.join("\n"));
}
