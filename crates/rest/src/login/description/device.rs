//! Descriptions of signing in by device code.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::super::wire::{WireDeviceLogin, WireTokenWithSecret};
use super::failures::{invalid, refused, too_many};
use super::values::token_with_secret;
use crate::openapi::{Operation, Tag, text};

pub(in super::super) fn start() -> Operation {
    Operation::new(Tag::Login, "startDeviceLogin", "Begin to sign in by device code")
        .described(
            "For people whose browser is elsewhere (RFC 8628): show them `url` and `userCode`, and call \
             `completeDeviceLogin`. Also at `/v1/login/oauth2/device/start`. There is no body.",
        )
        .gives_a::<WireDeviceLogin<'_>>(StatusCode::OK, "The codes.", begun())
}

fn begun() -> Value {
    json!({
        "url": "https://id.example.com/device",
        "userCode": "WDJB-MJHT",
        "expires": "2026-01-01T12:15:00Z",
        "encodedSession": SESSION,
        "matchCode": "WDJB-MJHT",
    })
}

const SESSION: &str = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS7Q.4f2a91c0";

pub(in super::super) fn complete() -> Operation {
    let session = text().min_length(Some(1)).description(Some("The `encodedSession`, as it was given."));
    Operation::new(Tag::Login, "completeDeviceLogin", "Wait until the person has typed the code")
        .described(
            "The answer comes when the person has decided, or when the codes have expired; the wait ends when the caller \
             hangs up. Few may wait with one session, and not all from one address. An answer that was lost can be asked for again within 30 seconds, and then has another token. Also \
             at `/v1/login/oauth2/device/complete`.",
        )
        .takes("EncodedSession", session.build(), [("session", json!(SESSION))])
        .gives_a::<WireTokenWithSecret<'_>>(StatusCode::OK, "A new API token; it is shown this once.", token_with_secret())
        .fails([invalid(), refused(), too_many()])
}
