//! Calls of a provider's API with a user's access token (RFC 6750).

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::faulted::{Endpoint, answer};
use super::sent;
use crate::faults::FaultPlace;
use crate::shared::Shared;
use crate::state::{Access, Provider, UserinfoRefusal};

/// The token of the `Authorization` header (RFC 6750 section 2.1).
pub(crate) fn bearer(request: &HttpRequest) -> Option<String> {
    let (scheme, token) = sent::header_text(request, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// What a provider asks of a call, and how it answers.
pub(crate) struct ApiCall<D> {
    /// The access token sent.
    pub(crate) token: Option<String>,
    /// Whether the token is good for this call.
    pub(crate) suffices: fn(&Access) -> bool,
    /// The answer to those who may not.
    pub(crate) refuse: fn(UserinfoRefusal) -> HttpResponse,
    /// The answer to those who may.
    pub(crate) document: D,
}

impl<D: FnOnce(&Provider, &Access) -> HttpResponse + 'static> ApiCall<D> {
    /// Answers the call.
    pub(crate) async fn answer(self, shared: Data<Shared>) -> HttpResponse {
        answer(shared, self).await
    }
}

impl<D: FnOnce(&Provider, &Access) -> HttpResponse + 'static> Endpoint for ApiCall<D> {
    const PLACE: FaultPlace = FaultPlace::Userinfo;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        match provider.access(self.token.as_deref(), self.suffices) {
            Ok(access) => (self.document)(provider, &access),
            Err(refusal) => (self.refuse)(refusal),
        }
    }

    fn hindered(self, provider: &mut Provider) {
        provider.userinfo_hindered();
    }
}
