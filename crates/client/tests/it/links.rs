//! Links to providers.

use grantkeeper_client::ClientError;
use serde_json::json;

use crate::scripted::{Scripted, json};

#[tokio::test]
async fn the_list_has_providers_and_links() {
    let list = json!({
        "providers": [{
            "id": "github", "type": "github", "device": true, "display_name": "GitHub", "display_icon": "",
            "allow_refresh": true, "allow_validate": true, "supports_revocation": true,
            "code_challenge_methods_supported": ["S256"],
        }],
        "links": [{
            "provider_id": "github", "created_at": "2026-11-22T12:00:00Z", "updated_at": "2026-11-22T12:00:00Z",
            "has_refresh_token": false, "expires": "0001-01-01T00:00:00Z", "authenticated": false,
            "validate_error": "The provider does not answer [unavailable].",
        }],
    });
    let scripted = Scripted::answering([json(200, &list)]).await;
    let links = scripted.service().links().await.unwrap();
    assert_eq!((links.providers[0].kind.as_str(), links.providers[0].device), ("github", true));
    assert!(!links.links[0].authenticated && links.links[0].validate_error.contains("unavailable"));
    let asked = scripted.only();
    assert_eq!(asked.line, "GET /api/v2/external-auth");
    assert_eq!(asked.authorization.as_deref(), Some("Bearer the-token"));
}

#[tokio::test]
async fn a_provider_is_looked_at_whether_it_is_linked_or_not() {
    let mut state = json!({
        "authenticated": false, "device": false, "display_name": "GitHub", "user": null, "app_installable": false,
        "installations": [], "app_install_url": "", "supports_revocation": true,
    });
    let unlinked = json(200, &state);
    state["authenticated"] = json!(true);
    state["user"] = json!({ "id": 1, "login": "ada", "name": "", "avatar_url": "", "profile_url": "" });
    let scripted = Scripted::answering([unlinked, json(200, &state)]).await;
    let service = scripted.service();
    assert!(service.link("github").await.unwrap().user.is_none());
    let linked = service.link("a b/c").await.unwrap();
    assert_eq!((linked.authenticated, linked.user.unwrap().login.as_str()), (true, "ada"));
    assert_eq!(scripted.asked()[1].line, "GET /api/v2/external-auth/a%20b%2Fc");
}

#[tokio::test]
async fn a_name_that_a_url_would_take_for_another_path_is_not_sent() {
    let service = Scripted::answering([]).await.service();
    for name in ["", ".", ".."] {
        assert!(matches!(service.unlink(name).await, Err(ClientError::NoSuchName)), "{name:?}");
    }
}

#[tokio::test]
async fn an_unlink_tells_what_became_of_the_token() {
    let gone = json!({ "token_revoked": false, "token_revocation_error": "The provider does not answer." });
    let scripted = Scripted::answering([json(200, &gone)]).await;
    let unlinked = scripted.service().unlink("github").await.unwrap();
    assert!(!unlinked.token_revoked && unlinked.token_revocation_error.contains("answer"));
    assert_eq!(scripted.only().line, "DELETE /api/v2/external-auth/github");
}
