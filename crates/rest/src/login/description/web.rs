//! Descriptions of signing in on the web.

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::{Object, ObjectBuilder};

use super::super::wire::{WireTokenWithSecret, WireWebLogin};
use super::failures::{invalid, not_allowed, refused, unknown_state};
use super::values::{STATE, token_with_secret};
use crate::openapi::{Operation, Tag, one_of, text};

pub(in super::super) fn authorize() -> Operation {
    let redirect = text().min_length(Some(1)).examples(["http://127.0.0.1:9999/done"]);
    Operation::new(Tag::Login, "startWebLogin", "Begin to sign in on the web")
        .described(
            "The caller opens `url` in the person's browser and polls `pollWebLogin` with `state`. When the person comes \
             back from the provider, a page of ours shows them who asks and `matchCode`, and asks whether they want this. \
             A login lives for 10 minutes.",
        )
        .needs("provider", "The name of the login provider.", text().examples(["github"]))
        .query(
            "redirect",
            "Where the browser goes at the end: an https origin of the configuration's list, or a loopback address with \
             any port. The token never travels there.",
            redirect,
        )
        .query(
            "match-code",
            "`shown`: the caller shows `matchCode`. Otherwise the page warns the person.",
            one_of(["shown"]),
        )
        .gives_a::<WireWebLogin<'_>>(StatusCode::OK, "The login.", started())
        .fails([invalid()])
}

fn started() -> Value {
    json!({
        "url": "https://id.example.com/authorize?client_id=client-1&response_type=code",
        "state": STATE,
        "matchCode": "BCD-FGH",
    })
}

pub(in super::super) fn callback() -> Operation {
    let location = text().format(Some(utoipa::openapi::SchemaFormat::Custom("uri-reference".to_owned())));
    Operation::new(Tag::Login, "completeWebLogin", "Bring back what the provider sent")
        .described(
            "Providers are given `/callback/{provider}` as their redirect URI, by the provider's id; this is the same, by \
             the name of the login provider, and without a name at `/v1/login/oauth2/web/callback`. A browser that takes \
             `text/html` is shown pages.",
        )
        .needs("state", "The state that the provider was given.", text())
        .query("code", "The code; without it, `error`.", text().min_length(Some(1)))
        .query("error", "The error in place of a code.", text().min_length(Some(1)))
        .query("iss", "The issuer, where the provider names itself (RFC 9207).", text().min_length(Some(1)))
        .gives(StatusCode::OK, "The person is signed in, and there is nowhere to go.", nothing(), Some(json!({})))
        .or_a_page()
        .gives(StatusCode::FOUND, "On to our page that asks the person, or to the redirect.", nothing(), Some(json!({})))
        .with_header("Location", "Where to go.", location.build())
        .fails([invalid(), refused(), unknown_state()])
}

pub(in super::super) fn poll() -> Operation {
    Operation::new(Tag::Login, "pollWebLogin", "Ask whether the person has signed in")
        .described(
            "Never waits. An answer that was lost can be asked for again within 30 seconds, and then has another token. \
             A poll once a second is never refused.",
        )
        .needs("state", "The state that the login was started with.", text())
        .gives_a::<WireTokenWithSecret<'_>>(StatusCode::OK, "A new API token; it is shown this once.", token_with_secret())
        .gives(StatusCode::ACCEPTED, "Not yet.", nothing(), Some(json!({})))
        .fails([invalid(), refused(), not_allowed(), unknown_state()])
}

fn nothing() -> Object {
    ObjectBuilder::new().description(Some("Nothing.")).build()
}
