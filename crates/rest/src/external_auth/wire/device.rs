//! Device flows on the wire.

use grantkeeper_domain::authorizations::BegunDeviceFlow;
use serde::Serialize;
use utoipa::ToSchema;

use super::whole_seconds;
use crate::external_auth::description::values;

/// A device flow that was begun (RFC 8628, 3.2).
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceFlow)]
pub(in super::super) struct WireDevice<'a> {
    /// What the caller polls with. It stands for the provider's own device code, and is good for this account alone.
    device_code: &'a str,
    /// What the person types.
    user_code: &'a str,
    /// Where the person types it.
    #[schema(format = "uri")]
    verification_uri: &'a str,
    /// The same with the user code in it, where the provider has such an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri")]
    verification_uri_complete: Option<&'a str>,
    #[schema(schema_with = values::expires_in)]
    expires_in: u64,
    #[schema(schema_with = values::interval)]
    interval: u64,
}

impl<'a> WireDevice<'a> {
    pub(in super::super) fn of(begun: &'a BegunDeviceFlow) -> Self {
        Self {
            device_code: begun.handle.expose(),
            user_code: &begun.user_code,
            verification_uri: begun.verification_uri.as_str(),
            verification_uri_complete: begun.verification_uri_complete.as_ref().map(url::Url::as_str),
            expires_in: begun.expires_in.as_secs(),
            interval: whole_seconds(begun.interval),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use grantkeeper_domain::Secret;
    use url::Url;

    use super::*;

    #[test]
    fn what_the_provider_does_not_have_is_left_out_and_nobody_is_told_to_poll_too_early() {
        let begun = BegunDeviceFlow {
            handle: Secret::new("handle".to_owned()),
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: Url::parse("https://id.example/device").unwrap(),
            verification_uri_complete: None,
            expires_in: Duration::from_millis(900_900),
            interval: Duration::from_millis(5_100),
        };
        let expected = serde_json::json!({
            "device_code": "handle",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://id.example/device",
            "expires_in": 900,
            "interval": 6,
        });
        assert_eq!(serde_json::to_value(WireDevice::of(&begun)).unwrap(), expected);
    }
}
