//! Descriptions of signing in with an access token of a provider.

use actix_web::http::StatusCode;

use super::super::wire::WireTokenWithSecret;
use super::failures::{invalid, refused};
use super::values::token_with_secret;
use crate::openapi::{Operation, Tag, text};

pub(in super::super) fn sign_in() -> Operation {
    Operation::new(Tag::Login, "signInWithToken", "Sign in with an access token of a provider")
        .described(
            "The provider is asked whose the token is, and for which client it was issued: only one of this service's own \
             client signs in. Also at `/v1/login/oauth2`. There is no body.",
        )
        .needs("provider", "The name of the login provider.", text().examples(["github"]))
        .needs("access-token", "The access token.", text())
        .gives_a::<WireTokenWithSecret<'_>>(StatusCode::OK, "A new API token; it is shown this once.", token_with_secret())
        .fails([invalid(), refused()])
}
