//! `POST /device_authorization` for devices, `/device` for people (RFC 8628 sections 3.1 and 3.3).

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::faulted::{Endpoint, answer};
use super::{answers, authorize, pages, sent::Sent};
use crate::faults::FaultPlace;
use crate::params::Params;
use crate::shared::Shared;
use crate::state::{Decision, Provider};

pub(super) async fn authorize(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    answer(shared, DeviceAuthorizationRequest(Sent::read(&request, &body))).await
}

pub(super) async fn ask(request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string().as_bytes());
    pages::device(params.get("user_code").unwrap_or_default())
}

pub(super) async fn decide(shared: Data<Shared>, body: Bytes) -> HttpResponse {
    let params = Params::parse(&body);
    let Some(decision) = authorize::decision(&params) else {
        return pages::refusal("The decision is neither approve nor deny.");
    };
    let approved = matches!(decision, Decision::Approve(_));
    let found = shared.provider().decide_device(params.get("user_code").unwrap_or_default(), decision);
    match (found, approved) {
        (true, true) => {
            pages::message("Device approved", "You can close this page and return to the device.")
        }
        (true, false) => pages::message("Device refused", "You can close this page; the device was told."),
        (false, _) => {
            pages::refusal("No device waits under this code: it is mistyped, expired or was used before.")
        }
    }
}

struct DeviceAuthorizationRequest(Sent);

impl Endpoint for DeviceAuthorizationRequest {
    const PLACE: FaultPlace = FaultPlace::Device;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        self.0.note_secrets(provider);
        let answer = match provider.authorize_device(self.0.client(), &self.0.params) {
            Ok(answer) => answer,
            Err(error) => return answers::error(error),
        };
        let verification_uri = format!("{}/device", provider.issuer());
        answers::uncached(StatusCode::OK).json(json!({
            "device_code": answer.device_code,
            "user_code": answer.user_code,
            "verification_uri": verification_uri,
            "verification_uri_complete": format!("{verification_uri}?user_code={}", answer.user_code),
            "expires_in": answer.expires_in,
            "interval": answer.interval,
        }))
    }

    fn hindered(self, provider: &mut Provider) {
        self.0.note_secrets(provider);
    }
}
