//! Descriptions of the device flow.

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::{Object, ObjectBuilder};

use super::super::wire::WireDevice;
use super::failures::{no_device_code, no_device_flow, not_linked};
use crate::openapi::{Operation, Tag, member, text};

pub(in super::super) fn begin() -> Operation {
    Operation::new(Tag::Links, "beginDeviceFlow", "Begin a device flow: the caller wants to link an account")
        .described(
            "For people whose browser is elsewhere (RFC 8628): show them `user_code` and `verification_uri`, and poll \
             with `device_code` until they have decided. `verification_uri_complete` is there where the provider has \
             such an address. Where the provider limits the rate, the answer is 429 too.",
        )
        .gives_a::<WireDevice<'_>>(StatusCode::OK, "The codes.", begun())
        .fails([no_device_flow(), no_device_code()])
}

fn begun() -> Value {
    json!({
        "device_code": DEVICE_CODE,
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://id.example.com/device",
        "verification_uri_complete": "https://id.example.com/device?user_code=WDJB-MJHT",
        "expires_in": 900,
        "interval": 5,
    })
}

const DEVICE_CODE: &str = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS7Q";

pub(in super::super) fn poll() -> Operation {
    Operation::new(Tag::Links, "pollDeviceFlow", "Poll a device flow: has the person decided?")
        .described(
            "The provider is asked no more often than it wants: a poll that comes before `interval` is over is answered \
             `slow_down`. A poll that is repeated when all is decided is answered the same.",
        )
        .takes("DevicePoll", device_poll(), [("poll", json!({ "device_code": DEVICE_CODE }))])
        .gives_nothing(StatusCode::NO_CONTENT, "The account is linked.")
        .fails([not_linked()])
}

fn device_poll() -> Object {
    let code = text().min_length(Some(1)).description(Some("The code that the flow was begun with."));
    let object = ObjectBuilder::new().description(Some("A poll of a device flow."));
    member(object, "device_code", code).build()
}
