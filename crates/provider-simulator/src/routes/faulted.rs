//! Endpoints that faults can hit.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;

use super::lost::lost;
use super::{pages, rate_limit};
use crate::faults::{Fault, FaultEffect, FaultPlace};
use crate::shared::Shared;
use crate::state::Provider;

/// A request to such an endpoint, read and ready to be handled.
pub(crate) trait Endpoint: 'static {
    /// Where it is, for faults.
    const PLACE: FaultPlace;

    /// Does what the client asks.
    fn handle(self, provider: &mut Provider) -> HttpResponse;

    /// Notes that a fault keeps the request from being handled.
    fn hindered(self, provider: &mut Provider);
}

/// Answers a request, or lets the waiting fault have its way with it.
///
/// This goes on when the client has hung up, as at a real provider: a client that gave up waiting cannot know whether
/// its refresh token was replaced. (actix-web lets a handler finish on a half-closed connection; a test holds that.)
pub(crate) async fn answer<E: Endpoint>(shared: Data<Shared>, endpoint: E) -> HttpResponse {
    let fault = shared.provider().faults.strike(E::PLACE);
    let _in_flight = (E::PLACE == FaultPlace::Token).then(|| shared.token_calls.enter());
    // Lets calls that came at the same time enter before this one is done, so that they are seen together.
    tokio::task::yield_now().await;
    let Some(fault) = fault else {
        return unfaulted(endpoint, &mut shared.provider());
    };
    wait(fault.delay).await;
    strike(&fault, endpoint, &mut shared.provider())
}

/// Handles a request unless there were too many of them.
fn unfaulted<E: Endpoint>(endpoint: E, provider: &mut Provider) -> HttpResponse {
    let refusal = match E::PLACE {
        FaultPlace::Discovery => None,
        _ => rate_limit::refusal(provider),
    };
    match refusal {
        Some(refusal) => {
            endpoint.hindered(provider);
            refusal
        }
        None => endpoint.handle(provider),
    }
}

fn strike<E: Endpoint>(fault: &Fault, endpoint: E, provider: &mut Provider) -> HttpResponse {
    match &fault.effect {
        FaultEffect::Nothing => unfaulted(endpoint, provider),
        FaultEffect::LoseAnswer => {
            endpoint.handle(provider);
            provider.calls.answers_lost += 1;
            lost()
        }
        FaultEffect::Drop => {
            endpoint.hindered(provider);
            lost()
        }
        FaultEffect::Status { status, retry_after, body } => {
            endpoint.hindered(provider);
            error_page(*status, *retry_after, body.as_deref())
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a late answer is late in real time, whatever the provider's clock"
)]
async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn error_page(status: u16, retry_after: Option<u32>, body: Option<&str>) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut answer = HttpResponse::build(status);
    if let Some(seconds) = retry_after {
        answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    match body {
        Some(body) if serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok() => {
            answer.content_type("application/json").body(body.to_owned())
        }
        Some(body) => answer.content_type("text/html; charset=utf-8").body(body.to_owned()),
        None => answer.content_type("text/html; charset=utf-8").body(pages::gateway_error(status)),
    }
}
