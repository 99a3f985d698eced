//! The device authorization endpoint for devices, and the page for people (RFC 8628 sections 3.1 and 3.3).

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::faulted::{Endpoint, answer};
use super::{answers, authorize, pages, sent::Sent};
use crate::dialect::Page;
use crate::faults::FaultPlace;
use crate::params::Params;
use crate::shared::Shared;
use crate::state::{Decision, DeviceAuthorizationAnswer, Provider};

pub(crate) async fn authorize(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    authorize_in(shared, &request, &body, None).await
}

/// The same for accounts in a directory.
pub(crate) async fn authorize_in(
    shared: Data<Shared>,
    request: &HttpRequest,
    body: &Bytes,
    directory: Option<&'static str>,
) -> HttpResponse {
    let sent = Sent::read(request, body);
    answer(shared, DeviceAuthorizationRequest { sent, directory }).await
}

pub(crate) async fn ask(request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string().as_bytes());
    pages::device(params.get("user_code").unwrap_or_default(), request.path())
}

pub(crate) async fn decide(shared: Data<Shared>, body: Bytes) -> HttpResponse {
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

struct DeviceAuthorizationRequest {
    sent: Sent,
    directory: Option<&'static str>,
}

impl Endpoint for DeviceAuthorizationRequest {
    const PLACE: FaultPlace = FaultPlace::Device;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        let Self { sent, directory } = self;
        sent.note_secrets(provider);
        match provider.authorize_device(sent.client(), &sent.params, directory) {
            Ok(answer) => answers::fields(fields(&answer, provider), provider, sent.accepts_json),
            Err(error) => answers::token_error(error, provider, sent.accepts_json),
        }
    }

    fn hindered(self, provider: &mut Provider) {
        self.sent.note_secrets(provider);
    }
}

/// The members of the answer (RFC 8628 section 3.2), as the provider names them.
fn fields(answer: &DeviceAuthorizationAnswer, provider: &Provider) -> Map<String, Value> {
    let verification = &provider.dialect.verification;
    let page = match verification.page {
        Page::Below(path) => format!("{}{path}", provider.place.web),
        Page::At(path) => format!("{}{path}", provider.place.origin),
    };
    let user_code = &answer.user_code;
    let mut fields = Map::new();
    let mut insert = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    insert("device_code", json!(answer.device_code));
    insert("user_code", json!(user_code));
    insert(verification.member, json!(page));
    if verification.complete {
        insert("verification_uri_complete", json!(format!("{page}?user_code={user_code}")));
    }
    insert("expires_in", json!(answer.expires_in));
    insert("interval", json!(answer.interval));
    if verification.message {
        let message =
            format!("To sign in, open the page {page} and enter the code {user_code} to authenticate.");
        insert("message", json!(message));
    }
    fields
}
