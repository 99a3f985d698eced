//! The device grant: both endpoints, and every outcome of a poll.

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use super::super::deployment::{CLIENT, Deployment, Presented, SECRET, Tokens};
use super::super::rows::{DeviceRow, UserCode, Way};
use super::mistakes::assert_error;
use crate::browser::Answer;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Longer than any interval, shorter than any lifetime, in seconds.
const PATIENCE: i64 = 30;

/// A deployment with a device grant, and what its table says of it.
struct Device {
    deployment: Deployment,
}

impl Device {
    async fn of(name: &str) -> Self {
        Self { deployment: Deployment::open_for_people(name).await }
    }

    fn row(&self) -> &DeviceRow {
        self.deployment.facts.device.as_ref().expect("a row")
    }

    async fn begin(&self) -> Value {
        let answer = self.try_to_begin().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }

    async fn try_to_begin(&self) -> Answer {
        let row = self.row();
        let client = Presented { way: Way::Body, id: CLIENT, secret: None };
        let request = self.deployment.form(&row.path, client, &[("scope", &row.scope)]);
        self.deployment.send(request.header(ACCEPT, "application/json")).await
    }

    async fn poll(&self, begun: &Value) -> Answer {
        let secret = self.row().poll_needs_secret.then_some(SECRET);
        self.poll_with(text(begun, "device_code"), secret).await
    }

    async fn poll_with(&self, device_code: &str, secret: Option<&str>) -> Answer {
        let client = Presented { way: Way::Body, id: CLIENT, secret };
        self.deployment.token(client, &[("grant_type", GRANT), ("device_code", device_code)]).await
    }
}

fn text<'a>(begun: &'a Value, name: &str) -> &'a str {
    begun[name].as_str().unwrap_or_else(|| panic!("no {name}: {begun}"))
}

pub(crate) async fn check(name: &str) {
    let device = Device::of(name).await;
    the_answer_is_as_told(&device, &device.begin().await);
    the_page_is_there(&device, &device.begin().await).await;
    approval(&device).await;
    denial(&device).await;
    expiry(&device).await;
    haste(&device).await;
    if let Some(expected) = &device.row().bad_code {
        let secret = device.row().poll_needs_secret.then_some(SECRET);
        assert_error(&device.poll_with("never-issued", secret).await, expected, "bad code");
    }
    off(&device).await;
    if let Some(expected) = &device.row().secret_missing {
        let begun = device.begin().await;
        let answer = device.poll_with(text(&begun, "device_code"), None).await;
        assert_error(&answer, expected, "secret missing");
    }
}

fn the_answer_is_as_told(device: &Device, begun: &Value) {
    let row = device.row();
    for name in &row.members {
        assert!(begun.get(name).is_some(), "no {name}: {begun}");
    }
    for name in &row.absent {
        assert!(begun.get(name).is_none(), "there is {name}: {begun}");
    }
    for (name, value) in &row.values {
        assert_eq!(begun.get(name), Some(value), "{name}");
    }
    let length = text(begun, "device_code").len();
    assert!(row.device_code_length.is_none_or(|expected| length == expected), "{length} characters");
    user_code_is_as_told(text(begun, "user_code"), row.user_code);
}

fn user_code_is_as_told(code: &str, expected: UserCode) {
    let plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let good = match expected {
        UserCode::EightWithHyphen => {
            code.len() == 9 && code.as_bytes()[4] == b'-' && code.matches('-').count() == 1
        }
        UserCode::Eight => code.len() == 8 && plain,
        UserCode::PrintableUpTo15 => {
            code.len() <= 15 && code.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        }
        UserCode::Text => !code.is_empty(),
    };
    assert!(good, "{code} is not {expected:?}");
}

async fn the_page_is_there(device: &Device, begun: &Value) {
    let row = device.row();
    let url = text(begun, &row.page_member);
    assert!(url.ends_with(&row.page_ends_with), "{url}");
    let path = url.strip_prefix(device.deployment.origin()).expect("a page here");
    let page = device.deployment.get_anonymously(path).await;
    assert_eq!(page.status, StatusCode::OK, "{url}");
    assert!(page.header("content-type").starts_with("text/html"), "{url}");
    if let Some(complete) = begun.get("verification_uri_complete").and_then(Value::as_str) {
        let path = complete.strip_prefix(device.deployment.origin()).expect("a page here");
        assert_eq!(device.deployment.get_anonymously(path).await.status, StatusCode::OK, "{complete}");
    }
}

async fn approval(device: &Device) {
    let begun = device.begin().await;
    assert_error(&device.poll(&begun).await, &device.row().pending, "pending");
    device.deployment.decide(text(&begun, "user_code"), "approve").await;
    device.deployment.pass(PATIENCE);
    let tokens = Tokens::of(&device.poll(&begun).await);
    assert!(device.deployment.is_alive(&tokens.access).await, "the token of a device");
    if let Some(expected) = device.row().refresh_token {
        assert_eq!(tokens.refresh.is_some(), expected);
    }
    device.deployment.pass(PATIENCE);
    let again = device.poll(&begun).await;
    assert!(!again.body.contains("access_token"), "a device code gives tokens once");
}

async fn denial(device: &Device) {
    let begun = device.begin().await;
    device.deployment.decide(text(&begun, "user_code"), "deny").await;
    assert_error(&device.poll(&begun).await, &device.row().denied, "denied");
}

async fn expiry(device: &Device) {
    let Some(expected) = &device.row().expired else { return };
    let begun = device.begin().await;
    let seconds = begun["expires_in"].as_i64().expect("seconds");
    device.deployment.pass(seconds - 1);
    assert_error(&device.poll(&begun).await, &device.row().pending, "a second before its end");
    device.deployment.pass(PATIENCE);
    assert_error(&device.poll(&begun).await, expected, "expired");
}

async fn off(device: &Device) {
    let Some(expected) = &device.row().off else { return };
    device.deployment.set(&json!({ "deviceGrant": false })).await;
    let answer = device.try_to_begin().await;
    let begun = serde_json::from_str::<Value>(&answer.body).ok();
    let answer = match begun.filter(|begun| begun.get("device_code").is_some()) {
        Some(begun) => device.poll(&begun).await,
        None => answer,
    };
    assert_error(&answer, expected, "off");
    device.deployment.set(&json!({ "deviceGrant": true })).await;
}

async fn haste(device: &Device) {
    let Some(expected) = &device.row().slow_down else { return };
    let begun = device.begin().await;
    assert_error(&device.poll(&begun).await, &device.row().pending, "the first poll");
    assert_error(&device.poll(&begun).await, expected, "too fast");
    device.deployment.pass(PATIENCE);
    assert_error(&device.poll(&begun).await, &device.row().pending, "patience again");
}
