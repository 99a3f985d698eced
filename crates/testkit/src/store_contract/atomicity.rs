//! Rules of commits as a whole.

use std::sync::Arc;

use grantkeeper_domain::accounts::{Account, ApiToken};
use grantkeeper_domain::providers::Provider;
use grantkeeper_domain::{Change, Row, Store, Unique, Version};

use super::tenant::{Refusal, Tenant, at_version, commit, insert, minutes, refusal_of_all, stored};
use crate::entities::{START, account, audit_entry, organization, provider};

/// Nothing to do is done.
pub async fn a_commit_of_nothing_is_fine(store: &Arc<dyn Store>) {
    commit(store, []).await;
}

/// Inserts of every noun, an update, a delete and an audit entry in one commit.
pub async fn all_changes_of_a_commit_land_together(store: &Arc<dyn Store>) {
    let ground = Ground::prepare(store).await;
    commit(store, ground.changes()).await;
    for row in &ground.inserted {
        assert_eq!(stored(store, row).await.as_ref(), Some(row));
    }
    let updated = at_version(ground.updated.clone(), Version::FIRST.next());
    assert_eq!(stored(store, &updated).await.as_ref(), Some(&updated));
    assert_eq!(stored(store, &ground.deleted).await, None);
    assert_eq!(ground.audited(store).await, 1);
}

/// "All changes, or none", when the last one meets another version.
pub async fn a_conflict_at_the_end_leaves_nothing(store: &Arc<dyn Store>) {
    let ground = Ground::prepare(store).await;
    let stale = at_version(ground.tenant.account.clone().into(), Version::FIRST.next());
    ground.expect_nothing_of(store, Change::Update(stale.clone()), Refusal::Conflict).await;
    ground.expect_nothing_of(store, Change::Delete(stale), Refusal::Conflict).await;
}

/// "All changes, or none", when the last one breaks a uniqueness rule, be it with a row of the same commit.
pub async fn a_duplicate_at_the_end_leaves_nothing(store: &Arc<dyn Store>) {
    let ground = Ground::prepare(store).await;
    let there_already = Change::insert(ground.tenant.provider.clone());
    ground.expect_nothing_of(store, there_already, Refusal::Duplicate(Unique::Id)).await;
    let twice = Change::Insert(ground.inserted[0].clone());
    ground.expect_nothing_of(store, twice, Refusal::Duplicate(Unique::Id)).await;
    let twin = Account { email: ground.tenant.account.email.clone(), ..account(&ground.tenant.organization) };
    ground.expect_nothing_of(store, Change::insert(twin), Refusal::Duplicate(Unique::AccountEmail)).await;
}

/// "All changes, or none", when the last one refers to what is not there.
pub async fn an_unknown_reference_at_the_end_leaves_nothing(store: &Arc<dyn Store>) {
    let ground = Ground::prepare(store).await;
    let stray = Change::insert(account(&organization()));
    ground.expect_nothing_of(store, stray, Refusal::Unexpected).await;
}

/// "In their order": what one change makes possible the next may do, and one row may be written several times.
pub async fn changes_apply_in_their_order(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let freed = at_version(Provider { slug: None, ..tenant.provider.clone() }.into(), Version::FIRST);
    let heir = Provider { slug: tenant.provider.slug.clone(), ..provider(&tenant.organization) };
    let second = Version::FIRST.next();
    let renamed = |name: &str, version| {
        let row = Provider { name: name.to_owned(), version, ..heir.clone() };
        Row::from(row)
    };
    commit(
        store,
        [
            Change::Update(freed.clone()),
            Change::insert(heir.clone()),
            Change::Update(renamed("once", Version::FIRST)),
            Change::Update(renamed("twice", second)),
            Change::Delete(at_version(freed.clone(), second)),
        ],
    )
    .await;
    assert_eq!(stored(store, &freed).await, None);
    assert_eq!(stored(store, &heir.clone().into()).await, Some(renamed("twice", second.next())));
}

/// What a large commit of everything is made on.
struct Ground {
    tenant: Tenant,
    inserted: Vec<Row>,
    updated: Row,
    deleted: Row,
}

impl Ground {
    async fn prepare(store: &Arc<dyn Store>) -> Self {
        let tenant = Tenant::settle(store).await;
        let (before, deleted) = (tenant.api_token(), tenant.authorization());
        insert(store, before.clone()).await;
        insert(store, deleted.clone()).await;
        let updated = ApiToken { revoked_at: Some(minutes(5)), ..before };
        Self {
            inserted: tenant.row_of_every_noun(),
            updated: updated.into(),
            deleted: deleted.into(),
            tenant,
        }
    }

    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<_> = self.inserted.iter().cloned().map(Change::Insert).collect();
        changes.push(Change::Update(self.updated.clone()));
        changes.push(Change::Delete(self.deleted.clone()));
        changes.push(Change::Audit(audit_entry(&self.tenant.organization, START)));
        changes
    }

    async fn audited(&self, store: &Arc<dyn Store>) -> usize {
        store.newest_entries(self.tenant.organization.id, 10).await.expect("a read").len()
    }

    async fn expect_nothing_of(&self, store: &Arc<dyn Store>, last: Change, expected: Refusal) {
        let before = stored(store, &self.updated).await;
        let mut changes = self.changes();
        changes.push(last);
        assert_eq!(refusal_of_all(store, changes).await, expected);
        for row in &self.inserted {
            assert_eq!(stored(store, row).await, None);
        }
        assert_eq!(stored(store, &self.updated).await, before);
        assert_eq!(stored(store, &self.deleted).await.as_ref(), Some(&self.deleted));
        assert_eq!(self.audited(store).await, 0);
    }
}
