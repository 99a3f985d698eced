//! What an authorization request asks for (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1).

use url::Url;

use super::pkce::Challenge;
use super::{ErrorCode, OAuthError, Provider, User, redirect_uri, scopes};
use crate::params::Params;

/// The longest subject identifier (OpenID Connect Core section 8).
const LONGEST_SUB: usize = 255;

/// Where the answer goes, once that is known to be safe.
#[derive(Clone)]
pub(super) struct Callback {
    pub(super) client_id: String,
    /// As sent: the token request must repeat it to the letter.
    pub(super) redirect_uri: String,
    pub(super) url: Url,
    pub(super) state: Option<String>,
}

/// A valid authorization request.
pub(super) struct AuthorizationRequest {
    pub(super) callback: Callback,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) login_hint: Option<String>,
    pub(super) prompt: Option<String>,
    /// Whether `access_type=offline` was asked for.
    pub(super) offline: bool,
    pub(super) directory: Option<&'static str>,
}

impl Callback {
    /// Reads where to; the error is for the page that is shown instead.
    pub(super) fn from_params(params: &Params) -> Result<Self, &'static str> {
        if params.repeats("client_id") || params.repeats("redirect_uri") {
            return Err("client_id and redirect_uri may come only once.");
        }
        let client_id = params.get("client_id").ok_or("The request has no client_id.")?;
        let redirect_uri = params.get("redirect_uri").ok_or("The request has no redirect_uri.")?;
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            url: redirect_uri::loopback(redirect_uri)?,
            state: params.get("state").map(str::to_owned),
        })
    }

    /// The URL of the answer (RFC 6749 section 4.1.2, RFC 9207 section 2).
    pub(super) fn answer(&self, answer: &[(&str, &str)], iss: &[&str]) -> String {
        let mut url = self.url.clone();
        let state = self.state.as_deref().map(|state| ("state", state));
        let iss = iss.iter().map(|iss| ("iss", *iss));
        url.query_pairs_mut().extend_pairs(answer.iter().copied().chain(state).chain(iss));
        url.into()
    }
}

impl AuthorizationRequest {
    /// Reads the rest; the error goes back to the client.
    pub(super) fn from_params(
        callback: Callback,
        params: &Params,
        directory: Option<&'static str>,
        provider: &Provider,
    ) -> Result<Self, OAuthError> {
        if params.repeats_any() {
            return Err(OAuthError::invalid_request("a parameter comes more than once"));
        }
        match params.get("response_type") {
            Some("code") => {}
            Some(_) => {
                return Err(OAuthError::new(
                    ErrorCode::UnsupportedResponseType,
                    "response_type must be code",
                ));
            }
            None if provider.dialect.needs_response_type => {
                return Err(OAuthError::invalid_request("response_type is missing"));
            }
            None => {}
        }
        let challenge = Challenge::from_request(
            params.get("code_challenge"),
            params.get("code_challenge_method"),
            provider.settings.pkce,
        )?;
        // GitHub calls it `login`.
        let login_hint = params.get("login_hint").or_else(|| params.get("login"));
        if login_hint.is_some_and(|hint| hint.len() > LONGEST_SUB) {
            return Err(OAuthError::invalid_request("login_hint is longer than a subject identifier may be"));
        }
        Ok(Self {
            callback,
            scopes: scopes::parse(params.get("scope")),
            nonce: params.get("nonce").map(str::to_owned),
            challenge,
            login_hint: login_hint.map(str::to_owned),
            prompt: params.get("prompt").map(str::to_owned),
            offline: params.get("access_type") == Some("offline"),
            directory,
        })
    }

    /// Who may be at the keyboard, the one who was hinted at first.
    pub(super) fn users(&self) -> Vec<User> {
        let hinted = self.login_hint.as_deref().map(User::with_sub);
        let others = User::offered().into_iter().filter(|user| Some(user) != hinted.as_ref());
        hinted.clone().into_iter().chain(others).collect()
    }
}
