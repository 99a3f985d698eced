//! Signing in, and out.

use serde_json::{Value, json};

use crate::scripted::{Scripted, json};

fn issued() -> Value {
    let token = json!({
        "id": "0199c1f0-0000-7000-8000-000000000001",
        "accountId": "0199c1f0-0000-7000-8000-000000000002",
        "createdAt": "2026-11-22T12:00:00Z",
        "expiresAt": "2027-02-20T12:00:00Z",
    });
    json!({ "data": token, "secret": { "value": "5b2f0f4e-2f43-4c8e-9d8f-0a8c8f6f3a11" } })
}

#[tokio::test]
async fn a_login_in_a_browser_is_polled_until_there_is_a_token() {
    let started = json!({ "url": "https://idp.example/authorize?x=1", "state": "s/1", "matchCode": "WD-JB" });
    let scenes = [json(200, &started), json(202, &json!({})), json(200, &issued())];
    let scripted = Scripted::answering(scenes).await;
    let service = scripted.anonymous();
    let login = service.start_web_login("github").await.unwrap();
    assert_eq!((login.url.host_str(), login.match_code.as_str()), (Some("idp.example"), "WD-JB"));
    assert!(service.poll_web_login(&login).await.unwrap().is_none());
    let token = service.poll_web_login(&login).await.unwrap().unwrap();
    let (token, secret) = token.into_parts();
    assert_eq!(token.expires_at.timestamp(), 1_803_124_800);
    assert_eq!(secret.expose(), "5b2f0f4e-2f43-4c8e-9d8f-0a8c8f6f3a11");
    let asked = scripted.asked();
    assert_eq!(asked[0].line, "GET /v1/login/oauth2/web/authorize?provider=github&match-code=shown");
    assert_eq!(asked[1].line, "GET /v1/login/oauth2/web/poll?state=s%2F1");
    assert!(asked.iter().all(|asked| asked.authorization.is_none()));
}

#[tokio::test]
async fn a_login_by_device_code_is_completed_by_its_session() {
    let begun = json!({
        "url": "https://idp.example/device", "userCode": "WDJB-MJHT", "expires": "2026-11-22T12:10:00Z",
        "encodedSession": "session", "matchCode": "WDJB-MJHT",
    });
    let scripted = Scripted::answering([json(200, &begun), json(200, &issued())]).await;
    let service = scripted.anonymous();
    let login = service.start_device_login().await.unwrap();
    assert_eq!(login.user_code, "WDJB-MJHT");
    service.complete_device_login(&login).await.unwrap();
    let asked = scripted.asked();
    assert_eq!((asked[0].line.as_str(), asked[0].body.as_str()), ("POST /login/oauth2/device/start", ""));
    assert_eq!(
        (asked[1].line.as_str(), asked[1].body.as_str()),
        ("POST /login/oauth2/device/complete", "\"session\"")
    );
}

#[tokio::test]
async fn the_own_token_is_shown_and_revoked() {
    let scripted = Scripted::answering([json(200, &issued()["data"]), (204, "", String::new())]).await;
    let service = scripted.service();
    assert_eq!(service.own_token().await.unwrap().account_id, "0199c1f0-0000-7000-8000-000000000002");
    service.revoke_own_token().await.unwrap();
    let asked = scripted.asked();
    assert_eq!(
        (asked[0].line.as_str(), asked[1].line.as_str()),
        ("GET /v1/login/token", "DELETE /v1/login/token")
    );
    assert_eq!(asked[1].authorization.as_deref(), Some("Bearer the-token"));
}
