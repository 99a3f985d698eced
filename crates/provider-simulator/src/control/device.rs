//! `POST /control/device`: decides for the person who would type the user code, at whatever site it waits.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use serde::Deserialize;
use serde_json::json;

use super::json_body::{parsed, unprocessable};
use crate::shared::{Shared, Sites};
use crate::state::{Decision, User};

/// `{"userCode":"BDWP-HQPK","decision":"approve"}`, with `"sub"` for somebody else than the first user.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DeviceDecision {
    user_code: String,
    decision: Verdict,
    sub: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Approve,
    Deny,
}

pub(super) async fn decide(sites: Data<Sites>, body: Bytes) -> HttpResponse {
    let request = match parsed::<DeviceDecision>(&body) {
        Ok(request) => request,
        Err(reason) => return unprocessable(&reason),
    };
    let decision = match request.decision {
        Verdict::Approve => {
            Decision::Approve(request.sub.as_deref().map_or_else(User::default_user, User::with_sub))
        }
        Verdict::Deny => Decision::Deny,
    };
    let decide = |shared: &Shared| shared.provider().decide_device(&request.user_code, decision.clone());
    if sites.iter().any(|(_, shared)| decide(shared)) {
        HttpResponse::NoContent().finish()
    } else {
        HttpResponse::NotFound().json(json!({ "message": "no device waits under this user code" }))
    }
}
