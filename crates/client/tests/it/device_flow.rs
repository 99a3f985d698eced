//! Linking by device code.

use std::time::Duration;

use grantkeeper_client::device_flow::Polled;
use serde_json::json;

use crate::scripted::{Scene, Scripted, json};

fn not_exchanged(code: &str) -> Scene {
    json(400, &json!({ "message": "Failed to exchange device code.", "detail": code, "validations": [] }))
}

#[tokio::test]
async fn no_pace_is_slower_than_a_code_lives() {
    let begun = json!({
        "device_code": "handle", "user_code": "WDJB-MJHT", "verification_uri": "https://id.example/device",
        "expires_in": 900, "interval": u64::MAX,
    });
    let scripted = Scripted::answering([json(200, &begun)]).await;
    let flow = scripted.service().begin_device_flow("github").await.unwrap();
    let five_minutes = Duration::from_secs(300);
    assert_eq!(flow.interval(), five_minutes);
    for interval in [five_minutes, Duration::MAX] {
        assert_eq!(flow.interval_after(interval, Polled::SlowDown), five_minutes);
    }
}

#[tokio::test]
async fn a_flow_is_polled_at_its_pace_until_it_ends() {
    let begun = json!({
        "device_code": "handle", "user_code": "WDJB-MJHT", "verification_uri": "https://id.example/device",
        "expires_in": 900, "interval": 5,
    });
    let pending = ["authorization_pending", "slow_down"].map(not_exchanged);
    let ends = [(204, "", String::new()), not_exchanged("access_denied")];
    let scripted = Scripted::answering([json(200, &begun)].into_iter().chain(pending).chain(ends)).await;
    let service = scripted.service();
    let flow = service.begin_device_flow("github").await.unwrap();
    assert!(flow.verification_uri_complete.is_none());
    let mut interval = flow.interval();
    for (polled, seconds) in [(Polled::Pending, 5), (Polled::SlowDown, 10), (Polled::Linked, 10)] {
        assert_eq!(service.poll_device_flow("github", &flow).await.unwrap(), polled);
        interval = flow.interval_after(interval, polled);
        assert_eq!(interval, Duration::from_secs(seconds));
    }
    let denied = service.poll_device_flow("github", &flow).await.unwrap_err().to_string();
    assert!(denied.contains("access_denied"), "{denied}");
    let asked = scripted.asked();
    assert_eq!(asked[0].line, "GET /api/v2/external-auth/github/device");
    assert_eq!(asked[1].line, "POST /api/v2/external-auth/github/device");
    assert_eq!(asked[1].body, r#"{"device_code":"handle"}"#);
}
