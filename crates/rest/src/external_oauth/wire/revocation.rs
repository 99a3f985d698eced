//! Revocations on the wire.

use grantkeeper_domain::revocations::{Revocation, RevocationStatus};
use serde::Serialize;
use utoipa::ToSchema;

use super::time::Time;
use crate::external_oauth::description::values;

/// What became of the tokens of a deleted authorization. It has no member that could hold one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Revocation)]
pub(in super::super) struct WireRevocation<'a> {
    /// Its id.
    id: String,
    /// The organization that it belongs to.
    org_id: String,
    /// The account that the authorization belonged to.
    user_id: String,
    /// The provider that is to revoke; it may be gone by now.
    provider_id: String,
    /// The authorization that was deleted.
    authorization_id: String,
    #[schema(schema_with = values::revocation_status)]
    status: &'static str,
    /// Why it stands so, as a code: the last failure, or `shared_grant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[schema(schema_with = values::attempts)]
    attempts: u32,
    /// When the authorization was deleted.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it is tried next, while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Time>,
    /// Where the user has to end it themselves, where it was not revoked and the provider has such a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri")]
    settings_url: Option<&'a str>,
}

/// Every status, by its name here.
pub(in super::super) const REVOCATION_STATUSES: [(RevocationStatus, &str); 4] = {
    use RevocationStatus::{Failed, NotSupported, Pending, Revoked};
    [
        (Pending, name(Pending)),
        (Revoked, name(Revoked)),
        (NotSupported, name(NotSupported)),
        (Failed, name(Failed)),
    ]
};

const fn name(status: RevocationStatus) -> &'static str {
    match status {
        RevocationStatus::Pending => "pending",
        RevocationStatus::Revoked => "revoked",
        RevocationStatus::NotSupported => "notSupported",
        RevocationStatus::Failed => "failed",
    }
}

impl<'a> WireRevocation<'a> {
    pub(in super::super) fn of(revocation: &'a Revocation) -> Self {
        let is_pending = revocation.status == RevocationStatus::Pending;
        let settings_url = revocation.settings_url.as_ref().filter(|_| revocation.is_left_to_the_person());
        Self {
            id: revocation.id.to_string(),
            org_id: revocation.organization_id.to_string(),
            user_id: revocation.account_id.to_string(),
            provider_id: revocation.provider_id.to_string(),
            authorization_id: revocation.authorization_id.to_string(),
            status: name(revocation.status),
            reason: revocation.last_error.as_deref(),
            attempts: revocation.attempts,
            created_at: Time(revocation.created_at),
            next_attempt_at: is_pending.then_some(Time(revocation.next_attempt_at)),
            finished_at: revocation.finished_at.map(Time),
            settings_url: settings_url.map(url::Url::as_str),
        }
    }
}
