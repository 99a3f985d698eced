//! Who signs in as which account.

use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::Version;
use grantkeeper_domain::login::LoginIdentity;

use crate::columns::{Id, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::rows::{FromRow, versioned};
use crate::schema::{accounts, login_identities};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = login_identities)]
pub(crate) struct LoginIdentityRow {
    id: Id,
    organization_id: Id,
    account_id: Id,
    issuer: String,
    subject: String,
    created_at: Time,
    version: i64,
}

impl LoginIdentityRow {
    fn of(identity: &LoginIdentity, version: Version) -> Self {
        Self {
            id: identity.id.into(),
            organization_id: identity.organization_id.into(),
            account_id: identity.account_id.into(),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            created_at: identity.created_at.into(),
            version: version.get(),
        }
    }
}

impl FromRow for LoginIdentity {
    type Row = LoginIdentityRow;

    fn from_row(row: LoginIdentityRow) -> Result<Self, Unreadable> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            account_id: row.account_id.into(),
            issuer: row.issuer,
            subject: row.subject,
            created_at: row.created_at.into(),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(LoginIdentity, LoginIdentityRow in login_identities);

#[auto_type]
pub(crate) fn with_account(organization: Id, issuer: String, subject: String) -> _ {
    login_identities::table
        .inner_join(accounts::table)
        .filter(login_identities::organization_id.eq(organization))
        .filter(login_identities::issuer.eq(issuer))
        .filter(login_identities::subject.eq(subject))
}

#[auto_type]
pub(crate) fn of_account(account: Id) -> _ {
    login_identities::table
        .filter(login_identities::account_id.eq(account))
        .order((login_identities::created_at, login_identities::id))
}
