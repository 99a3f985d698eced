//! Signing in with an access token of a provider.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::Secret;
use grantkeeper_domain::login::LoginError;
use grantkeeper_domain::providers::UpstreamError;

use super::error::ApiError;
use super::parameters::Parameters;
use super::wire::{WireTokenWithSecret, json};
use crate::Api;
use crate::limits::Attempt;
use crate::request_log::request_id;

pub(super) async fn sign_in(api: web::Data<Api>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut parameters = Parameters::of(&request)?;
    let provider = parameters.required("provider");
    let access_token = Secret::new(parameters.required("access-token"));
    parameters.check()?;
    let Ok(attempt) = Attempt::with_token_of_provider(&api, &request) else {
        return Err(LoginError::from(UpstreamError::TokenRefused).into());
    };
    let request_id = request_id(&request);
    let signed_in = api.use_cases.sign_in_with_token.run(&provider, &access_token, request_id.as_deref());
    match signed_in.await {
        Ok(issued) => Ok(json(StatusCode::OK, WireTokenWithSecret::of(&issued))),
        Err(error) => {
            if matches!(error, LoginError::Refused { .. }) {
                attempt.failed();
            }
            Err(error.into())
        }
    }
}
