//! The description of access tokens for machines.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::super::wire::WireAccess;
use super::failures::{no_token, not_one_provider, nothing_there, several_providers, stopping, time_is_up};
use crate::openapi::{Operation, Tag, text};

pub(in super::super) fn access_token() -> Operation {
    Operation::new(Tag::Links, "getLinkedAccessToken", "Get the access token of a link, for a machine")
        .described(
            "Exactly one of `id` and `match` is not empty. A git remote may be spelled as git takes it (`https://`, `ssh://`, \
             `git@host:path`); of several providers the one with the most specific host and path counts. Where nothing is \
             linked, the answer has nothing but `url`, the page on which a person links it. An agent's token may be used. The \
             token is checked at the provider at most once a minute, and one that cannot be checked is handed out all the \
             same.",
        )
        .query("id", "The provider: its slug, or its id.", text().examples(["github"]))
        .query("match", "A git remote.", text().examples(["https://github.com/acme/app.git"]))
        .query(
            "listen",
            "Whatever its value: to wait until there is a link. The wait ends when the caller hangs up.",
            text(),
        )
        .gives_a::<WireAccess<'_>>(StatusCode::OK, "The access token, or where a person makes a link.", access())
        .fails([not_one_provider(), nothing_there(), several_providers(), no_token(), time_is_up(), stopping()])
}

fn access() -> Value {
    json!({
        "access_token": "2YotnFZFEjr1zCsicMWpAA",
        "token_extra": { "scope": "repo", "expires_at": "2026-01-01T08:00:00Z", "token_type": "bearer" },
        "url": "",
        "type": "github",
        "username": "2YotnFZFEjr1zCsicMWpAA",
        "password": "",
    })
}
