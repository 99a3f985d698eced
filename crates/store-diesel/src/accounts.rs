//! Accounts, the port that reads them with their organizations, and what deleting either takes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, count_star};
use diesel::prelude::*;
use grantkeeper_domain::accounts::{
    Account, AccountStore, DeletionStore, Email, Organization, Role, Standing,
};
use grantkeeper_domain::authorizations::Authorization;
use grantkeeper_domain::ids::{AccountId, OrganizationId};
use grantkeeper_domain::providers::Provider;
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::organizations;
use crate::rows::{FromRow, versioned};
use crate::schema::{
    accounts, api_tokens, authorizations, data_keys, device_flows, flows, jobs, login_identities, logins,
    providers,
};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = accounts, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct AccountRow {
    id: Id,
    organization_id: Id,
    email: String,
    role: String,
    created_at: Time,
    version: i64,
    standing: String,
    suspended_at: Option<Time>,
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
            standing: account.standing.as_str().to_owned(),
            suspended_at: account.suspended_at.map(Time),
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
            standing: Standing::from_name(&row.standing).ok_or(Unreadable("accounts.standing"))?,
            suspended_at: row.suspended_at.map(Into::into),
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

#[auto_type]
pub(crate) fn some_authorizations_of(account: Id, limit: i64) -> _ {
    authorizations::table
        .inner_join(providers::table)
        .filter(authorizations::account_id.eq(account))
        .limit(limit)
}

#[auto_type]
pub(crate) fn exchanging(account: Id, since: Time) -> _ {
    flows::table
        .filter(flows::account_id.eq(account))
        .filter(flows::code_since.ge(since))
        .filter(flows::stage.eq("exchanging"))
        .select(count_star())
}

#[auto_type]
pub(crate) fn polling(account: Id, since: Time) -> _ {
    device_flows::table
        .filter(device_flows::account_id.eq(account))
        .filter(device_flows::polling_since.ge(since))
        .select(count_star())
}

#[auto_type]
pub(crate) fn flows_of(account: Id) -> _ {
    flows::table.filter(flows::account_id.eq(account))
}

#[auto_type]
pub(crate) fn device_flows_of(account: Id) -> _ {
    device_flows::table.filter(device_flows::account_id.eq(account))
}

#[auto_type]
pub(crate) fn logins_of(account: Id) -> _ {
    logins::table.filter(logins::account_id.eq(account))
}

#[auto_type]
pub(crate) fn login_identities_of(account: Id) -> _ {
    login_identities::table.filter(login_identities::account_id.eq(account))
}

#[auto_type]
pub(crate) fn api_tokens_of(account: Id) -> _ {
    api_tokens::table.filter(api_tokens::account_id.eq(account))
}

#[auto_type]
pub(crate) fn jobs_of(organization: Id) -> _ {
    jobs::table.filter(jobs::organization_id.eq(organization))
}

#[auto_type]
pub(crate) fn data_keys_of(organization: Id) -> _ {
    data_keys::table.filter(data_keys::organization_id.eq(organization))
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

#[async_trait]
impl DeletionStore for DieselStore {
    async fn some_authorizations_of(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<(Authorization, Provider)>, StoreError> {
        self.all(some_authorizations_of(account.into(), limit.into())).await
    }

    async fn exchanges_of(&self, account: AccountId, since: DateTime<Utc>) -> Result<u64, StoreError> {
        let (account, since) = (account.into(), Time(since));
        let exchanging: Option<u64> = self.one(exchanging(account, since)).await?;
        let polling: Option<u64> = self.one(polling(account, since)).await?;
        Ok(exchanging.unwrap_or_default() + polling.unwrap_or_default())
    }

    async fn remove_belongings(&self, account: AccountId) -> Result<u64, StoreError> {
        let account = account.into();
        let removed = self.write(move |c| {
            Box::pin(async move {
                Ok(c.execute(diesel::delete(flows_of(account))).await?
                    + c.execute(diesel::delete(device_flows_of(account))).await?
                    + c.execute(diesel::delete(logins_of(account))).await?
                    + c.execute(diesel::delete(login_identities_of(account))).await?
                    + c.execute(diesel::delete(api_tokens_of(account))).await?)
            })
        });
        Ok(removed.await? as u64)
    }

    async fn remove_remains(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        let organization = organization.into();
        let removed = self.write(move |c| {
            Box::pin(async move {
                Ok(c.execute(diesel::delete(jobs_of(organization))).await?
                    + c.execute(diesel::delete(data_keys_of(organization))).await?)
            })
        });
        Ok(removed.await? as u64)
    }
}
