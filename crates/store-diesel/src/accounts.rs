//! Accounts, and the port that reads them with their organizations.

use async_trait::async_trait;
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::accounts::{Account, AccountStore, Email, Organization, Role};
use grantkeeper_domain::ids::{AccountId, OrganizationId};
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::organizations;
use crate::rows::{FromRow, versioned};
use crate::schema::accounts;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = accounts)]
pub(crate) struct AccountRow {
    id: Id,
    organization_id: Id,
    email: String,
    role: String,
    created_at: Time,
    version: i64,
}

impl AccountRow {
    fn of(account: &Account, version: Version) -> Self {
        Self {
            id: account.id.into(),
            organization_id: account.organization_id.into(),
            email: account.email.as_str().to_owned(),
            role: account.role.as_str().to_owned(),
            created_at: account.created_at.into(),
            version: version.get(),
        }
    }
}

impl FromRow for Account {
    type Row = AccountRow;

    fn from_row(row: AccountRow) -> Result<Self, Unreadable> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            email: Email::parse(&row.email).map_err(|_| Unreadable("accounts.email"))?,
            role: Role::from_name(&row.role).ok_or(Unreadable("accounts.role"))?,
            created_at: row.created_at.into(),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(Account, AccountRow in accounts);

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    accounts::table.filter(accounts::id.eq(id))
}

#[auto_type]
pub(crate) fn by_email(email: String) -> _ {
    accounts::table.filter(accounts::email.eq(email)).order((accounts::created_at, accounts::id))
}

#[auto_type]
pub(crate) fn of_organization(organization: Id) -> _ {
    accounts::table
        .filter(accounts::organization_id.eq(organization))
        .order((accounts::created_at, accounts::id))
}

#[async_trait]
impl AccountStore for DieselStore {
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
        self.one(organizations::by_id(id.into())).await
    }

    async fn organization_named(&self, name: &str) -> Result<Option<Organization>, StoreError> {
        let name = name.to_owned();
        self.one(organizations::by_name(name)).await
    }

    async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        self.all(organizations::oldest_first()).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.one(by_id(id.into())).await
    }

    async fn accounts_with_email(&self, email: &str) -> Result<Vec<Account>, StoreError> {
        let email = email.to_owned();
        self.all(by_email(email)).await
    }

    async fn accounts_in(&self, organization: OrganizationId) -> Result<Vec<Account>, StoreError> {
        self.all(of_organization(organization.into())).await
    }
}
