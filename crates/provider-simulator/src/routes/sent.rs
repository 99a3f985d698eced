//! What a client sent to an endpoint: its form and its credentials.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::params::Params;
use crate::state::{ErrorCode, OAuthError, PresentedClient, Provider};

/// A form body and the client that it comes from.
pub(crate) struct Sent {
    pub(crate) params: Params,
    /// Whether the header `Accept` names JSON.
    pub(crate) accepts_json: bool,
    client: Result<PresentedClient, OAuthError>,
}

impl Sent {
    /// Reads a request.
    pub(crate) fn read(request: &HttpRequest, body: &[u8]) -> Self {
        let accept = header_text(request, header::ACCEPT.as_str()).unwrap_or_default();
        let accepts_json = accept.contains("json");
        if !is_form(request) {
            let reason = "the body must be application/x-www-form-urlencoded";
            let client = Err(OAuthError::new(ErrorCode::NotAForm, reason));
            return Self { params: Params::default(), accepts_json, client };
        }
        let params = Params::parse(body);
        let authorization = header_text(request, header::AUTHORIZATION.as_str());
        let client = PresentedClient::from_request(authorization, &params);
        Self { params, accepts_json, client }
    }

    /// The client, or why it cannot be known.
    pub(crate) fn client(&self) -> Result<&PresentedClient, OAuthError> {
        self.client.as_ref().map_err(|error| *error)
    }

    /// Remembers the secrets in it.
    pub(crate) fn note_secrets(&self, provider: &mut Provider) {
        provider.note_sent_secrets(&self.params, self.client.as_ref().ok());
    }
}

/// The text of a header. One that is no text is as good as a wrong one.
pub(crate) fn header_text<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Whether the body is a form (RFC 6749 appendix B).
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    let content_type = header_text(request, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
