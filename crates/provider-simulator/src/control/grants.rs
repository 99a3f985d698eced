//! `POST /control/grants`: many grants at once, without the flows that they would take.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use serde::Deserialize;
use serde_json::{Value, json};

use super::json_body::{parsed, unprocessable};
use crate::shared::Shared;
use crate::state::{TokenAnswer, User};

/// The most in one call: the answer is made in one piece.
const MOST: u32 = 100_000;

/// `{"clientId":"client","scope":"profile","count":100}`, with `"sub"` for somebody else than the first user.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    client_id: String,
    scope: String,
    #[serde(default = "one")]
    count: u32,
    sub: Option<String>,
}

fn one() -> u32 {
    1
}

pub(super) async fn give(shared: Data<Shared>, body: Bytes) -> HttpResponse {
    let order = match parsed::<Order>(&body) {
        Ok(order) if (1..=MOST).contains(&order.count) => order,
        Ok(_) => return unprocessable(&format!("`count` is between 1 and {MOST}")),
        Err(reason) => return unprocessable(&reason),
    };
    let user = order.sub.as_deref().map_or_else(User::default_user, User::with_sub);
    // One lock each: others get their turn meanwhile.
    let give = |_| shared.provider().grant_ready_made(&order.client_id, user.clone(), &order.scope);
    match (0..order.count).map(give).collect::<Result<Vec<_>, _>>() {
        Ok(grants) => {
            let grants: Vec<Value> = grants.iter().map(tokens).collect();
            HttpResponse::Ok().json(json!({ "grants": grants }))
        }
        Err(error) => unprocessable(error.description),
    }
}

fn tokens(tokens: &TokenAnswer) -> Value {
    json!({ "accessToken": tokens.access_token, "refreshToken": tokens.refresh_token })
}
