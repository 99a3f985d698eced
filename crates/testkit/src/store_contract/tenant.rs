//! The ground that rules stand on: an organization with an account and a provider, and short ways to write and read.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::accounts::{Account, ApiToken, Organization};
use grantkeeper_domain::authorizations::{Authorization, DeviceFlow, Flow};
use grantkeeper_domain::jobs::Job;
use grantkeeper_domain::login::{Login, LoginIdentity};
use grantkeeper_domain::providers::Provider;
use grantkeeper_domain::revocations::Revocation;
use grantkeeper_domain::{Change, CommitError, Row, Store, StoreError, Unique, Version};

use crate::entities::{
    START, account, api_token, authorization, device_flow, flow, job, login, login_identity, organization,
    provider, revocation,
};

/// An organization of its own for every rule, in the store already.
pub(crate) struct Tenant {
    pub(crate) organization: Organization,
    pub(crate) account: Account,
    pub(crate) provider: Provider,
}

impl Tenant {
    pub(crate) async fn settle(store: &Arc<dyn Store>) -> Self {
        let organization = organization();
        let account = account(&organization);
        let provider = provider(&organization);
        insert(store, organization.clone()).await;
        insert(store, account.clone()).await;
        insert(store, provider.clone()).await;
        Self { organization, account, provider }
    }

    pub(crate) fn api_token(&self) -> ApiToken {
        api_token(&self.account)
    }

    pub(crate) fn authorization(&self) -> Authorization {
        authorization(&self.account, &self.provider)
    }

    pub(crate) fn flow(&self) -> Flow {
        flow(&self.account, &self.provider)
    }

    pub(crate) fn device_flow(&self) -> DeviceFlow {
        device_flow(&self.account, &self.provider)
    }

    pub(crate) fn login(&self) -> Login {
        login(&self.provider)
    }

    pub(crate) fn login_identity(&self) -> LoginIdentity {
        login_identity(&self.account)
    }

    pub(crate) fn job(&self) -> Job {
        job(&self.account)
    }

    pub(crate) fn revocation(&self) -> Revocation {
        revocation(&self.authorization())
    }

    /// A new row of every noun.
    pub(crate) fn row_of_every_noun(&self) -> Vec<Row> {
        vec![
            organization().into(),
            account(&self.organization).into(),
            self.api_token().into(),
            provider(&self.organization).into(),
            self.authorization().into(),
            self.flow().into(),
            self.device_flow().into(),
            self.login().into(),
            self.login_identity().into(),
            self.job().into(),
            self.revocation().into(),
        ]
    }
}

/// That many minutes after the start.
pub(crate) fn minutes(count: i64) -> DateTime<Utc> {
    START + TimeDelta::minutes(count)
}

/// Commits one insert.
pub(crate) async fn insert(store: &Arc<dyn Store>, row: impl Into<Row>) {
    commit(store, [Change::insert(row)]).await;
}

/// Commits one update.
pub(crate) async fn update(store: &Arc<dyn Store>, row: impl Into<Row>) {
    commit(store, [Change::update(row)]).await;
}

/// Commits changes that nothing speaks against.
pub(crate) async fn commit(store: &Arc<dyn Store>, changes: impl IntoIterator<Item = Change>) {
    store.commit(changes.into_iter().collect()).await.expect("nothing speaks against this commit");
}

/// How a commit of one change was refused.
pub(crate) async fn refusal(store: &Arc<dyn Store>, change: Change) -> Refusal {
    refusal_of_all(store, vec![change]).await
}

/// How a commit was refused.
pub(crate) async fn refusal_of_all(store: &Arc<dyn Store>, changes: Vec<Change>) -> Refusal {
    let what = format!("{changes:?}");
    match store.commit(changes).await {
        Ok(()) => panic!("the store should have refused {what}"),
        Err(refusal) => Refusal::from(refusal),
    }
}

/// A [`CommitError`] that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Conflict,
    Duplicate(Unique),
    Unexpected,
    Unavailable,
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Self::Conflict,
            CommitError::Duplicate(rule) => Self::Duplicate(rule),
            CommitError::Store(StoreError::Unexpected(_)) => Self::Unexpected,
            CommitError::Store(StoreError::Unavailable(_)) => Self::Unavailable,
        }
    }
}

/// A row as the store has it now.
pub(crate) async fn stored(store: &Arc<dyn Store>, row: &Row) -> Option<Row> {
    let found = match row {
        Row::Organization(row) => store.organization(row.id).await.map(|found| found.map(Row::from)),
        Row::Account(row) => store.account(row.id).await.map(|found| found.map(Row::from)),
        Row::ApiToken(row) => store.token(row.id).await.map(|found| found.map(Row::from)),
        Row::Provider(row) => store.provider_anywhere(row.id).await.map(|found| found.map(Row::from)),
        Row::Authorization(row) => {
            let found = store.authorization(row.organization_id, row.id).await;
            found.map(|found| found.map(|(authorization, _)| Row::from(authorization)))
        }
        Row::Flow(row) => store.flow(row.id).await.map(|found| found.map(Row::from)),
        Row::DeviceFlow(row) => store.device_flow(row.id).await.map(|found| found.map(Row::from)),
        Row::Login(row) => store.login(row.id).await.map(|found| found.map(Row::from)),
        Row::LoginIdentity(row) => {
            let found = store.identities_of(row.account_id).await;
            found.map(|found| found.into_iter().find(|identity| identity.id == row.id).map(Row::from))
        }
        Row::Job(row) => store.job(row.organization_id, row.id).await.map(|found| found.map(Row::from)),
        Row::Revocation(row) => {
            let found = store.revocations_of(row.provider_id).await;
            found.map(|found| found.into_iter().find(|receipt| receipt.id == row.id).map(Row::from))
        }
    };
    found.expect("the store can be read")
}

/// Writes one row in one state after another and expects each back exactly so: whatever a column holds can be
/// replaced by whatever it may hold, a `Some` by `None` too.
pub(crate) async fn expect_states<N: Into<Row>>(store: &Arc<dyn Store>, states: impl IntoIterator<Item = N>) {
    let mut version = Version::FIRST;
    for (turn, state) in states.into_iter().enumerate() {
        let row = at_version(state.into(), version);
        if turn == 0 {
            insert(store, row.clone()).await;
            assert_eq!(stored(store, &row).await.as_ref(), Some(&row));
            continue;
        }
        update(store, row.clone()).await;
        version = version.next();
        assert_eq!(stored(store, &row).await, Some(at_version(row, version)));
    }
}

/// The row with another version.
pub(crate) fn at_version(mut row: Row, to: Version) -> Row {
    *version_of(&mut row) = to;
    row
}

fn version_of(row: &mut Row) -> &mut Version {
    match row {
        Row::Organization(row) => &mut row.version,
        Row::Account(row) => &mut row.version,
        Row::ApiToken(row) => &mut row.version,
        Row::Provider(row) => &mut row.version,
        Row::Authorization(row) => &mut row.version,
        Row::Flow(row) => &mut row.version,
        Row::DeviceFlow(row) => &mut row.version,
        Row::Login(row) => &mut row.version,
        Row::LoginIdentity(row) => &mut row.version,
        Row::Job(row) => &mut row.version,
        Row::Revocation(row) => &mut row.version,
    }
}

/// What a store must keep as it is: every plane of Unicode, quotes, and no normalization.
pub(crate) const UNICODE: &str = "Zoë \u{5a}\u{6f}\u{65}\u{308} 日本 🦀 'quoted' \"too\" \\ %_ \u{200f}";

/// A token of 8 KiB, with every byte value.
pub(crate) fn long_secret() -> grantkeeper_domain::sealing::SealedSecret {
    grantkeeper_domain::sealing::SealedSecret::from_bytes((0..8192_u32).map(|n| n.to_le_bytes()[0]).collect())
}

/// Rows whose ids, ages and order of insertion all disagree, and how `created_at` sorts them: two are of one age,
/// and there the id decides. `make` gives a row with a fresh id and that `created_at`.
pub(crate) fn of_mixed_age<N, I: Ord>(
    mut rows: [N; 4],
    id: impl Fn(&N) -> I,
    mut set_age: impl FnMut(&mut N, DateTime<Utc>),
) -> ([N; 4], Vec<I>) {
    rows.sort_by_key(&id);
    for (row, age) in rows.iter_mut().zip([20, 10, 20, 0]) {
        set_age(row, minutes(age));
    }
    let oldest_first = [3, 1, 0, 2].map(|at| id(&rows[at])).into_iter().collect();
    rows.swap(0, 1);
    rows.swap(2, 3);
    rows.swap(1, 3);
    (rows, oldest_first)
}
