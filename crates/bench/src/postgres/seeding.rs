//! Authorizations by the million.

use chrono::{DateTime, Utc};
use grantkeeper_domain::authorizations::{Authorization, GrantState, Scopes};
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::sealing::SealedSecret;
use tokio::runtime::Runtime;

use super::Database;
use super::binary_copy::{self, Row};
use crate::failure::Failure;
use crate::population::{Population, authorization_id};
use crate::seeds::Seeds;

/// What is copied, in this order.
const AUTHORIZATIONS: &str = "COPY authorizations (id, organization_id, account_id, provider_id, credential_id, issuer, subject, \
    user_info, requested_scopes, granted_scopes, access_token, issued_at, expires_at, refresh_token, \
    refresh_token_expires_at, grant_state, dead_reason, grant_since, last_failure, next_attempt_at, last_refreshed_at, \
    created_at, version, redirect_uri, authorized_at, used_at) FROM STDIN (FORMAT binary)";

/// The same of what stands beside each of them.
const REFRESHES: &str =
    "COPY refreshes (authorization_id, due_at, fence, beat, asked_given_up) FROM STDIN (FORMAT binary)";

/// Copies every authorization into the database, past the store: one by one takes too long. The indices stay in place,
/// and are filled as they are in service.
pub(crate) fn copy_authorizations(
    database: &Database,
    runtime: &Runtime,
    seeds: &Seeds,
    population: Population,
    due: fn(u64) -> DateTime<Utc>,
) -> Result<(), Failure> {
    database.copy_in(AUTHORIZATIONS, |out| {
        binary_copy::begin(out)?;
        for number in 0..population.authorizations {
            authorization_row(&runtime.block_on(seeds.authorization(number))?)?.write(out)?;
        }
        binary_copy::end(out)
    })?;
    // Each authorization has brought such a row along, with no time in it.
    database.sql("TRUNCATE refreshes")?;
    database.copy_in(REFRESHES, |out| {
        binary_copy::begin(out)?;
        for number in 0..population.authorizations {
            refresh_row(authorization_id(number), due(number))?.write(out)?;
        }
        binary_copy::end(out)
    })?;
    // As a database is that has been up for a while: autovacuum would do this in the middle of a measurement.
    database.sql("VACUUM (ANALYZE)")?;
    database.sql("CHECKPOINT")?;
    Ok(())
}

fn authorization_row(authorization: &Authorization) -> Result<Row, Failure> {
    let (state, reason) = match &authorization.grant {
        GrantState::Live => ("live", None),
        GrantState::Dead { reason } => ("dead", Some(reason.as_str())),
    };
    let mut row = Row::default();
    row.uuid(authorization.id.as_uuid())?
        .uuid(authorization.organization_id.as_uuid())?
        .uuid(authorization.account_id.as_uuid())?
        .uuid(authorization.provider_id.as_uuid())?
        .uuid(authorization.credential_id.as_uuid())?
        .text(authorization.issuer.as_str())?
        .text(authorization.subject.as_str())?
        .json(&authorization.user)?
        .json(&list(&authorization.requested_scopes))?
        .json(&list(&authorization.granted_scopes))?
        .bytea(authorization.access_token.as_bytes())?
        .time(authorization.issued_at)?
        .time(authorization.expires_at)?
        .bytea(authorization.refresh_token.as_ref().map(SealedSecret::as_bytes))?
        .time(authorization.refresh_token_expires_at)?
        .text(state)?
        .text(reason)?
        .time(authorization.grant_since)?
        .text(authorization.last_failure.as_deref())?
        .time(authorization.next_attempt_at)?
        .time(authorization.last_refreshed_at)?
        .time(authorization.created_at)?
        .bigint(authorization.version.get())?
        .text(authorization.redirect_uri.as_deref())?
        .time(authorization.authorized_at)?
        .time(authorization.used_at)?;
    Ok(row)
}

fn refresh_row(authorization: AuthorizationId, due: DateTime<Utc>) -> Result<Row, Failure> {
    let mut row = Row::default();
    row.uuid(authorization.as_uuid())?.time(due)?.bigint(0)?.bigint(0)?.boolean(false)?;
    Ok(row)
}

fn list(scopes: &Scopes) -> Vec<&str> {
    scopes.iter().collect()
}
