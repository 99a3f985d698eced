//! No answer but one carries a token of a provider, and none a refresh token or a client secret.

use actix_web::test::TestRequest;
use grantkeeper_rest::EXTERNAL_OAUTH_ROUTES;
use serde_json::json;

use crate::service::{BASE, Service};

#[actix_web::test]
async fn no_answer_carries_a_refresh_token_or_a_client_secret() {
    let service = Service::start().await;
    let provider = service.register().await;
    let authorization = service.authorize(&service.member, &provider).await;
    for (method, path) in EXTERNAL_OAUTH_ROUTES {
        let is_delete = *method == "delete";
        for id in [&provider, &authorization] {
            let path = path.replace("{id}", id);
            let body = json!({ "providerId": provider, "code": "c", "state": "s", "type": "STATS" });
            let has_body = *method == "post" && !path.contains("oken") && !path.contains("authorize");
            for token in [&service.admin, &service.member] {
                if is_delete && token == &service.admin {
                    continue;
                }
                let method = method.to_uppercase();
                let answer = service.call(token, &method, &path, has_body.then(|| body.clone())).await;
                assert!(!answer.body.contains("refresh-"), "{method} {path}: {answer:?}");
                assert!(!answer.body.contains("the client secret"), "{method} {path}: {answer:?}");
                let hands_out = path.ends_with("/accessToken") || path.ends_with("/token");
                assert!(hands_out || !answer.body.contains("access-"), "{method} {path}: {answer:?}");
            }
        }
    }
}

#[actix_web::test]
async fn no_answer_may_be_cached() {
    let service = Service::start().await;
    for path in ["/healthz", "/api/v2/version", BASE, "/callback/x?code=c", "/nothing"] {
        let answer = service.send(TestRequest::get().uri(path)).await;
        assert_eq!(answer.headers.get("cache-control").unwrap(), "no-store", "{path}");
        assert_eq!(answer.headers.get("x-content-type-options").unwrap(), "nosniff", "{path}");
        assert_eq!(answer.headers.get("referrer-policy").unwrap(), "no-referrer", "{path}");
        assert!(answer.headers.contains_key("content-security-policy"), "{path}");
    }
}
