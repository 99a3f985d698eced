//! Handlers of the device flow (RFC 8628).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::authorizations::DeviceFlowStatus;

use super::authentication::Authenticated;
use super::body::DevicePoll;
use super::error::ApiError;
use super::provider_in_path::provider_in_path;
use super::wire::{WireDevice, json};
use crate::Api;

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn begin(api: web::Data<Api>, caller: Authenticated, request: HttpRequest) -> Answer {
    let provider = provider_in_path(&api, &caller.0, &request).await?;
    let begun = api.use_cases.begin_device_flow.run(&caller.0, provider.id).await?;
    Ok(json(StatusCode::OK, WireDevice::of(&begun)))
}

pub(super) async fn poll(
    api: web::Data<Api>,
    caller: Authenticated,
    request: HttpRequest,
    body: Result<DevicePoll, ApiError>,
) -> Answer {
    let provider = provider_in_path(&api, &caller.0, &request).await?;
    let code = body?.device_code;
    let status = api.use_cases.poll_device_flow.run(&caller.0, provider.id, &code).await?;
    let code = match status {
        DeviceFlowStatus::Authorized(_) => return Ok(HttpResponse::NoContent().finish()),
        DeviceFlowStatus::Pending => "authorization_pending",
        DeviceFlowStatus::SlowDown => "slow_down",
        DeviceFlowStatus::Denied { .. } => "access_denied",
        DeviceFlowStatus::Expired => "expired_token",
    };
    Err(ApiError::not_exchanged(code))
}
