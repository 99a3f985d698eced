//! Descriptions of the caller's own API tokens.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::super::wire::{WireListedToken, WireToken};
use super::failures::{conflict, no_such_token};
use super::values;
use crate::openapi::{Operation, Tag};

pub(in super::super) fn show() -> Operation {
    Operation::new(Tag::Login, "getOwnToken", "Tell of the token that the caller calls with")
        .described("Whatever kind of API token it is. Also at `/v1/me/token`.")
        .gives_a::<WireToken>(StatusCode::OK, "The token.", values::token())
}

pub(in super::super) fn sign_out() -> Operation {
    Operation::new(Tag::Login, "signOut", "Revoke the token that the caller calls with")
        .described("Within a second it opens nothing any more. Also at `/v1/me/token`.")
        .gives_nothing(StatusCode::NO_CONTENT, "The token is revoked.")
        .fails([conflict()])
}

pub(in super::super) fn list() -> Operation {
    Operation::new(Tag::Login, "listOwnTokens", "List the tokens of the caller's account")
        .described(
            "Those that are good for something, oldest first; browser sessions that were opened with one of them end with it, \
             and are not listed.",
        )
        .gives_items::<WireListedToken>("The tokens.", &listed())
}

fn listed() -> Value {
    let mut token = values::token();
    token["lastUsedAt"] = json!("2026-01-01T12:34:00Z");
    token["kind"] = json!("api");
    token
}

pub(in super::super) fn revoke() -> Operation {
    Operation::new(Tag::Login, "revokeOwnToken", "Revoke a token of the caller's account")
        .described(
            "With the browser sessions that were opened with it. One that is revoked already stays as it is.",
        )
        .gives_nothing(StatusCode::NO_CONTENT, "The token is revoked.")
        .fails([no_such_token(), conflict()])
}
