//! `POST /control/personal-tokens`: a token that somebody made by hand, for no client.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use serde::Deserialize;
use serde_json::json;

use super::json_body::{parsed, unprocessable};
use crate::shared::Shared;
use crate::state::User;

/// `{"scope":"read:user"}`, with `"sub"` for somebody else than the first user.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    scope: String,
    sub: Option<String>,
}

pub(super) async fn make(shared: Data<Shared>, body: Bytes) -> HttpResponse {
    let order = match parsed::<Order>(&body) {
        Ok(order) => order,
        Err(reason) => return unprocessable(&reason),
    };
    let user = order.sub.as_deref().map_or_else(User::default_user, User::with_sub);
    match shared.provider().make_personal_token(user, &order.scope) {
        Some(token) => HttpResponse::Ok().json(json!({ "accessToken": token })),
        None => unprocessable("people make no tokens by hand at this provider"),
    }
}
