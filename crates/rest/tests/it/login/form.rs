//! Whatever is sent: one of the statuses that clients know, and a body of this API's own.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE};
use grantkeeper_rest::LOGIN_ROUTES;

use super::request;
use crate::service::{Answer, Service, login_settings};

/// The other paths of some routes: clients call either.
const ALIASES: [(&str, &str); 5] = [
    ("/v1/oauth2", "/v1/login/oauth2"),
    ("/login/oauth2/device/start", "/v1/login/oauth2/device/start"),
    ("/login/oauth2/device/complete", "/v1/login/oauth2/device/complete"),
    ("/v1/login/oauth2/web/callback/{provider}", "/v1/login/oauth2/web/callback"),
    ("/v1/login/token", "/v1/me/token"),
];

fn paths() -> impl Iterator<Item = (String, &'static str)> {
    LOGIN_ROUTES.iter().flat_map(|(method, path)| {
        let aliases = ALIASES.iter().filter(move |(own, _)| own == path).map(|(_, alias)| alias);
        aliases.chain([path]).map(|path| (method.to_uppercase(), *path))
    })
}

fn check_error(answer: &Answer, called: &str) {
    assert_eq!(answer.header(CONTENT_TYPE), "application/json", "{called}: {answer:?}");
    let error = answer.json();
    assert_eq!(error.as_object().map(serde_json::Map::len), Some(1), "{called}: {answer:?}");
    match answer.status.as_u16() {
        400 => {
            let errors = error["errors"].as_array().unwrap_or_else(|| panic!("{called}: {answer:?}"));
            assert!(
                !errors.is_empty() && errors.iter().all(serde_json::Value::is_string),
                "{called}: {answer:?}"
            );
        }
        401 | 403 | 404 | 409 | 500 => assert!(error["error"].is_string(), "{called}: {answer:?}"),
        _ => panic!("{called}: clients do not know this status: {answer:?}"),
    }
}

#[actix_web::test]
async fn every_route_answers_nonsense_in_the_words_of_its_api() {
    let service = Service::for_logins(login_settings()).await;
    for (method, path) in paths() {
        for segment in ["github", "x", "%ff%fe", "%00", "{id}", "..%2f..%2fetc", &"x".repeat(4_000)] {
            let path = path.replace("{provider}", segment).replace("{id}", segment);
            for query in [
                "",
                "?",
                "?state=%ff",
                "?state=a&state=b&provider=&provider=",
                "?%zz&code=c",
                "?state=x&code=c",
                "?provider=&access-token=&state=&code=",
            ] {
                for body in ["", "null", "[", "\u{0}", "\"\"", "\"x\"", &"[".repeat(100_000)] {
                    let called = format!("{method} {path}{query}");
                    let call = request(&method, &format!("{path}{query}"));
                    // Who may sign out is signed out.
                    let signs_out = method == "DELETE" && path.ends_with("/token");
                    let token = if signs_out { &service.colleague } else { &service.admin };
                    let call = call.insert_header((AUTHORIZATION, format!("Bearer {token}")));
                    let answer = service.send(call.set_payload(body.to_owned())).await;
                    assert!(!answer.status.is_server_error(), "{called}: {answer:?}");
                    if !answer.status.is_success() {
                        check_error(&answer, &called);
                    }
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_path_that_is_not_there_and_a_method_that_is_not_taken() {
    let service = Service::start().await;
    for path in
        ["/v1", "/v1/", "/v1/oauth", "/v1/accounts/x", "/login/oauth2", "/login/oauth2/device", "/v1/me"]
    {
        for method in ["GET", "POST", "PATCH"] {
            let answer = service.ask(method, path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
            check_error(&answer, path);
        }
    }
    for (_, path) in paths() {
        let answer = service.ask("PATCH", path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(!answer.header(ALLOW).is_empty(), "{path}");
        check_error(&answer, path);
    }
    for beside in ["/v10/oauth2", "/login/oauth2x"] {
        assert!(!service.ask("GET", beside).await.body.contains("\"error\""), "{beside} is not of this API");
    }
}

#[actix_web::test]
async fn an_alias_answers_as_the_path_does() {
    for (path, alias) in ALIASES {
        for (method, own) in paths().filter(|(_, own)| *own == path) {
            let own = own.replace("{provider}", "github");
            let answers = [own.as_str(), alias].map(async |path| {
                let service = Service::for_logins(login_settings()).await;
                let answer = service.ask(&method, path).await;
                (answer.status, answer.body)
            });
            let [own, other] = answers;
            assert_eq!(own.await, other.await, "{method} {alias}");
        }
    }
}

#[actix_web::test]
async fn a_slash_at_the_end_makes_no_difference() {
    let service = Service::for_logins(login_settings()).await;
    let answer = service.ask("GET", "/v1/login/oauth2/web/authorize/?provider=github").await;
    assert_eq!(answer.status, StatusCode::OK);
}
