//! What keeps the service from starting, and what it says then.

use crate::installation::Installation;

#[test]
fn without_a_key_it_does_not_start() {
    let mut installation = Installation::new();
    installation.unset("KEYS__FILE");
    let why = installation.refuses(&["serve"]);
    assert!(why.contains("keys.file") && why.contains("grantkeeper key generate"), "{why}");
}

#[test]
fn with_a_short_or_damaged_key_it_does_not_start() {
    let mut installation = Installation::new();
    let key = std::fs::read_to_string(installation.path("grantkeeper.key")).unwrap();
    let key = key.trim();
    installation.unset("KEYS__FILE");
    for bad in [&key[..key.len() - 8], "hunter2-hunter2-hunter2", "gkk_"] {
        installation.set("KEYS__KEY", bad);
        let why = installation.refuses(&["serve"]);
        assert!(why.contains("key"), "{why}");
        assert!(!why.contains(bad) || bad == "gkk_", "the message holds the key: {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_another_key_it_does_not_start() {
    let mut installation = Installation::new();
    installation.serve().await.kill().await;
    let other = installation.path("other.key");
    installation.run(&["key", "generate", "--out", other.to_str().unwrap()]);
    installation.set("KEYS__FILE", other.to_str().unwrap());
    let why = installation.refuses(&["serve"]);
    assert!(why.contains("key"), "{why}");
    let (right, wrong) = (installation.path("grantkeeper.key"), other);
    for file in [right, wrong] {
        let key = std::fs::read_to_string(file).unwrap();
        assert!(!why.contains(key.trim()), "{why}");
    }
}

#[test]
fn wrong_settings_are_told_all_at_once() {
    let mut installation = Installation::new();
    installation.set("PUBLIC_URL", "http://auth.example.com");
    installation.set("TOKENS__CALLER_WAIT", "9");
    installation.set("NETWORK__ALLOW", "169.254.169.254/32");
    for command in [&["serve"][..], &["config", "check"]] {
        let why = installation.refuses(command);
        for key in ["public_url", "tokens.caller_wait", "network.allow"] {
            assert!(why.contains(key), "{command:?}: no {key} in {why}");
        }
    }
}

#[test]
fn the_pages_that_ask_people_can_be_switched_off_on_loopback_only() {
    let mut installation = Installation::new();
    installation.set("BROWSER__CONFIRMATION", "false");
    installation.run(&["config", "check"]);
    installation.set("PUBLIC_URL", "https://auth.example.com");
    assert!(installation.refuses(&["serve"]).contains("browser.confirmation"));
}

#[test]
fn the_simulator_listens_on_loopback_only() {
    let mut installation = Installation::with_simulator();
    installation.set("SIMULATOR__LISTEN", "0.0.0.0:0");
    assert!(installation.refuses(&["serve"]).contains("simulator.listen"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_provider_is_off_unless_switched_on() {
    let installation = Installation::new();
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let running = installation.serve().await;
    assert!(running.ready["simulatorUrl"].is_null(), "{}", running.ready);
    let body = serde_json::json!({ "name": "x", "type": "test", "clientId": "c", "clientSecret": "s" });
    let (status, refused) = admin.post_json("/providers/", &body).await;
    assert_eq!(status.as_u16(), 422, "{refused}");
    assert_eq!(refused["errorFields"][0]["name"], "type");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_on_a_private_address_needs_the_operators_leave() {
    let mut installation = Installation::new();
    installation.unset("NETWORK__ALLOW");
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let _running = installation.serve().await;
    for host in [
        "https://127.0.0.1:1",
        "https://localhost:1",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "http://[::1]:1",
    ] {
        let body = serde_json::json!({
            "name": "x", "type": "oidc", "clientId": "c", "clientSecret": "s", "host": host,
        });
        let (status, refused) = admin.post_json("/providers/", &body).await;
        assert_eq!(status.as_u16(), 422, "{host}: {refused}");
        assert_eq!(refused["errorFields"][0]["name"], "host", "{host}: {refused}");
    }
    assert_eq!(admin.get("/providers/").await.1["data"], serde_json::json!([]), "nothing is stored");
}
