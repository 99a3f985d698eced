//! The values that members may have.

use serde_json::{Value, json};
use utoipa::openapi::Object;

use crate::openapi::one_of;

pub(in super::super) fn kind() -> Object {
    let description =
        "A token of the APIs; one that only reads access tokens; or a browser that signed in at a provider.";
    one_of(["api", "agent", "browser"]).description(Some(description)).build()
}

pub(super) fn token() -> Value {
    json!({
        "id": "0199c1f0-0000-7000-8000-00000000000a",
        "accountId": "0199c1f0-0000-7000-8000-00000000000b",
        "createdAt": "2026-01-01T12:00:00Z",
        "expiresAt": "2026-04-01T12:00:00Z",
    })
}

pub(super) fn token_with_secret() -> Value {
    json!({ "data": token(), "secret": { "value": "a860a344-d7b2-406e-828e-8d442f23f344" } })
}

pub(super) const STATE: &str = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS7Q";
