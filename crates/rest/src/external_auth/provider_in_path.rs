//! The provider of a call.

use actix_web::HttpRequest;
use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::providers::Provider;

use super::error::ApiError;
use crate::Api;

/// The provider that the path names, by its slug or its id.
pub(super) async fn provider_in_path(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
) -> Result<Provider, ApiError> {
    let name = request.match_info().get("id").unwrap_or_default();
    Ok(api.use_cases.find_provider.run(caller, name).await?)
}
