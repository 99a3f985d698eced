//! Descriptions of flows and of `authorizedProviders/`.

use actix_web::http::StatusCode;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Object, ObjectBuilder};

use super::super::authorizations::{LONGEST_MIN_TTL, LONGEST_STATE};
use super::super::fields::URL;
use super::super::wire::{WireAuthorization, WireCompletedFlow, WireStartedFlow, WireToken, WireUserInfo};
use super::failures::{
    flow_refused, grant_dead, not_found, not_ready_for_flows, not_ready_for_tokens, not_ready_for_users,
    provider_silent,
};
use super::{examples, values};
use crate::openapi::{Operation, Tag, member, text};

pub(in super::super) fn authorize() -> Operation {
    let flag = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Boolean));
    Operation::new(Tag::Providers, "startFlow", "Start a flow: the caller wants to authorize at a provider")
        .described(
            "The user's browser goes to `redirectUrl` next. With `redirect_uri` that is the provider's \
             page, and the caller's own page takes code and state back and brings them to `completeFlow`. \
             Without it, it is a page of ours, which asks the person first and finishes the flow. A flow \
             lives for 10 minutes.",
        )
        .query(
            "state",
            "The state to use; without it one is made. Never the same for two flows.",
            text().max_length(Some(LONGEST_STATE)),
        )
        .query(
            "redirect_uri",
            "The caller's own page. It has to be on the organization's list, exactly.",
            text().min_length(Some(1)).examples(["http://127.0.0.1:9999/callback"]),
        )
        .query("skip_consent", "Stronger than the provider's `skipConsent`.", flag)
        .gives_a::<WireStartedFlow<'_>>(StatusCode::OK, "The flow.", examples::started_flow())
        .fails([not_ready_for_flows()])
}

pub(in super::super) fn callback() -> Operation {
    let summary = "Complete a flow with what the provider sent to the caller's page";
    let done = "The authorization, and its user.";
    Operation::new(Tag::Providers, "completeFlow", summary)
        .described(
            "The state is used up before the code goes to the provider. After a 502 the same caller may \
             repeat the call for 60 seconds, and gets the outcome of the exchange that is under way; \
             there is never a second one.",
        )
        .takes("FlowCompletion", flow_completion(), [("flow", examples::flow_completion())])
        .gives_a::<WireCompletedFlow<'_>>(StatusCode::OK, done, examples::completed_flow())
        .leads_to(
            "$response.body#/authorizedProvider/id",
            ["getAuthorization", "getAccessToken", "getToken", "getUserInfo", "deleteAuthorization"],
        )
        .fails([flow_refused(), not_found(), provider_silent()])
}

fn flow_completion() -> Object {
    let provider_id =
        values::id().min_length(Some(1)).description(Some("The provider that the flow was started at."));
    let code = values::secret().description(Some("The code that the provider sent."));
    let state = values::secret().description(Some("The state that came with it."));
    let iss =
        values::text_of(URL).description(Some("The issuer that came with it, where one did (RFC 9207)."));
    let object = ObjectBuilder::new().description(Some("What the provider sent to the caller's page."));
    let object = member(object, "providerId", provider_id);
    values::closed(member(member(object, "code", code), "state", state).property("iss", iss))
}

pub(in super::super) fn list() -> Operation {
    Operation::new(Tag::Authorizations, "listAuthorizations", "List the caller's own authorizations")
        .gives_list_of::<WireAuthorization<'_>>("All of them.", &examples::authorization())
}

pub(in super::super) fn show() -> Operation {
    Operation::new(Tag::Authorizations, "getAuthorization", "Get an authorization")
        .gives_a::<WireAuthorization<'_>>(StatusCode::OK, "The authorization.", examples::authorization())
}

pub(in super::super) fn delete() -> Operation {
    Operation::new(Tag::Authorizations, "deleteAuthorization", "Delete an authorization")
        .described(
            "It is gone at once. Its tokens are revoked at the provider, which is tried for up to \
                    seven days; `getRevocation` tells what has become of them.",
        )
        .gives_nothing(StatusCode::NO_CONTENT, "It is deleted.")
        .with_header("Location", "The absolute URL of the revocation.", values::url())
}

pub(in super::super) fn access_token() -> Operation {
    let min_ttl = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
    let min_ttl = min_ttl.minimum(Some(0)).maximum(Some(LONGEST_MIN_TTL)).default(Some(0.into()));
    Operation::new(Tag::Authorizations, "getAccessToken", "Get an access token that is valid")
        .described(
            "The stored token, or a fresh one where that has expired or is about to. However many ask at \
             once, the provider is asked once. Where a refresh fails, a stored token that is still valid \
             is handed out.",
        )
        .query("min_ttl", "The token has to live at least so many seconds, where that can be had.", min_ttl)
        .gives_a::<WireToken<'_>>(StatusCode::CREATED, "The access token.", examples::access_token())
        .fails([not_ready_for_tokens(), grant_dead(), provider_silent()])
}

pub(in super::super) fn token() -> Operation {
    access_token()
        .also_called("getToken", "Get an access token that is valid, at the path that the SDK calls")
}

pub(in super::super) fn user_info() -> Operation {
    Operation::new(Tag::Authorizations, "getUserInfo", "Ask the provider who the user is")
        .gives_a::<WireUserInfo<'_>>(StatusCode::OK, "The user.", examples::user_info())
        .fails([not_ready_for_users(), grant_dead(), provider_silent()])
}
