//! The values that members and parameters may have.

use grantkeeper_domain::authorizations::AuthorizationStatus;
use grantkeeper_domain::jobs::{JobKindName, JobStatus};
use grantkeeper_domain::providers::{ProviderKind, RevocationScope};
use utoipa::openapi::schema::{AdditionalProperties, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Array, ArrayBuilder, Object, ObjectBuilder};

use super::super::fields::{SECRET, TextRule};
use super::super::wire::{LONGEST_ID, REVOCATION_STATUSES};
use super::examples;
use crate::openapi::{list_of, member, one_of, text};

pub(in super::super) fn provider_type() -> Object {
    one_of(ProviderKind::ALL.map(ProviderKind::as_str))
        .description(Some(
            "What it is; `oidc` is any OpenID Connect provider by its issuer, `test` the built-in \
             simulated one.",
        ))
        .build()
}

pub(in super::super) fn provider_status() -> Object {
    one_of(["active", "inactive", "disabled", "deleted"])
        .description(Some(
            "`inactive`: an administrator has paused it, no tokens are handed out. `disabled`: the \
             provider refuses our client credentials; tokens that are still valid are handed out, and a \
             new `clientSecret` makes it active again. `deleted`: it could not be deleted, and takes only \
             DELETE.",
        ))
        .build()
}

pub(in super::super) fn revocation_scope() -> Object {
    one_of(RevocationScope::ALL.map(RevocationScope::as_str))
        .description(Some(
            "What a revocation at the provider ends, where it can revoke. `token`: the tokens of this \
             authorization and nothing else, so that the user's consent stays. `pair`: the access token with \
             its refresh token. `grant`: every token that the user gave this client. `project`: what the user \
             gave to any client of the same project.",
        ))
        .build()
}

pub(super) fn requested_status() -> Object {
    one_of(["active", "inactive", "disabled"])
        .description(Some("`inactive` pauses it; `active` resumes it."))
        .build()
}

pub(in super::super) fn authorization_status() -> Object {
    use AuthorizationStatus::{Active, Expired, InvalidOauthClient, InvalidProviderState};
    one_of([Active, Expired, InvalidOauthClient, InvalidProviderState].map(AuthorizationStatus::as_str))
        .description(Some(
            "`expired`: the grant is dead, the user has to authorize again. `invalidOAuthClient`: the \
             provider refuses our client credentials. `invalidProviderState`: the provider is paused, or \
             could not be deleted.",
        ))
        .build()
}

pub(in super::super) fn job_type() -> Object {
    one_of(JobKindName::ALL.map(JobKindName::as_str)).description(Some("What it does.")).build()
}

pub(in super::super) fn job_status() -> Object {
    one_of(
        [JobStatus::Pending, JobStatus::Running, JobStatus::Completed, JobStatus::Error]
            .map(JobStatus::as_str),
    )
    .description(Some("Where it stands; in `ERROR` the report says what is left."))
    .build()
}

pub(in super::super) fn revocation_status() -> Object {
    one_of(REVOCATION_STATUSES.map(|(_, name)| name))
        .description(Some(
            "`pending`: it is tried, and tried again for up to seven days. `revoked`: the provider has revoked \
             the tokens, or did not know them any more. `notSupported`: the provider cannot revoke; or, with the \
             reason `shared_grant`, it could only end what another authorization of the same person still needs, \
             and the grant ends with the last of these. `failed`: not done in time. However it ended, the tokens \
             are destroyed here.",
        ))
        .build()
}

pub(in super::super) fn attempts() -> Object {
    let number = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).minimum(Some(0));
    number.description(Some("How often it was tried.")).build()
}

pub(in super::super) fn job_details() -> Array {
    let detail = member(ObjectBuilder::new(), "name", text().description(Some("What it tells.")));
    let value = text().description(Some("Text; a list or an object is JSON in it."));
    list_of(member(detail, "value", value))
        .description(Some("The report; it grows while the job runs."))
        .build()
}

/// Text that people or other services made up; neither blank nor, unless it is a secret, with control characters.
pub(super) fn text_of(rule: TextRule) -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(rule.longest))
}

/// An id as this API gave it.
pub(super) fn id() -> ObjectBuilder {
    text().max_length(Some(LONGEST_ID)).examples([examples::ID])
}

/// A secret: it is taken, and never given back.
pub(super) fn secret() -> ObjectBuilder {
    text_of(SECRET).write_only(true)
}

/// An absolute URL.
pub(super) fn url() -> Object {
    text().format(Some(SchemaFormat::Custom("uri".to_owned()))).build()
}

/// Scopes (RFC 6749, 3.3), none of them with a comma.
pub(super) fn scopes() -> ArrayBuilder {
    list_of(text().pattern(Some(r"^[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]+$"))).min_items(Some(1))
}

/// An object that has no other members.
pub(super) fn closed(object: ObjectBuilder) -> Object {
    object.additional_properties(Some(AdditionalProperties::FreeForm(false))).build()
}
