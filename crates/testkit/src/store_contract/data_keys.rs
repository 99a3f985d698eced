//! Rules of data keys and the canary.

use std::sync::Arc;

use grantkeeper_domain::Store;
use grantkeeper_domain::ids::DataKeyId;
use grantkeeper_domain::sealing::WrappedDataKey;

use super::tenant::{Tenant, long_secret, minutes};
use crate::entities::{FRESH, START, data_key, sealed};

/// Every field of a data key is kept.
pub async fn a_data_key_comes_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let key =
        WrappedDataKey { wrapped: long_secret(), created_at: minutes(7), ..data_key(&tenant.organization) };
    assert_eq!(store.newest_data_key(tenant.organization.id).await.expect("a read"), None);
    assert_eq!(store.data_key(key.id).await.expect("a read"), None);
    assert_eq!(store.add_first_data_key(key.clone()).await.expect("a write"), key);
    assert_eq!(store.newest_data_key(tenant.organization.id).await.expect("a read"), Some(key.clone()));
    assert_eq!(store.data_key(key.id).await.expect("a read"), Some(key));
    assert_eq!(store.data_key(DataKeyId::generate(&FRESH, START)).await.expect("a read"), None);
}

/// "Of two that are added one stays, and both calls return that one", even when the second says that it is older.
pub async fn the_first_data_key_stays(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = data_key(&tenant.organization);
    store.add_first_data_key(first.clone()).await.expect("a write");
    for age in [-10, 10] {
        let late = WrappedDataKey { created_at: minutes(age), ..data_key(&tenant.organization) };
        assert_eq!(store.add_first_data_key(late.clone()).await.expect("a write"), first);
        assert_eq!(store.data_key(late.id).await.expect("a read"), None);
        assert_eq!(store.newest_data_key(tenant.organization.id).await.expect("a read"), Some(first.clone()));
    }
}

/// Organizations do not share keys.
pub async fn each_organization_has_its_own_data_key(store: &Arc<dyn Store>) {
    for tenant in [Tenant::settle(store).await, Tenant::settle(store).await] {
        let key = data_key(&tenant.organization);
        assert_eq!(store.add_first_data_key(key.clone()).await.expect("a write"), key);
        assert_eq!(store.newest_data_key(tenant.organization.id).await.expect("a read"), Some(key));
    }
}

/// There is one canary in a store: the first.
pub async fn the_first_canary_stays(store: &Arc<dyn Store>) {
    assert_eq!(store.canary().await.expect("a read"), None);
    let first = long_secret();
    assert_eq!(store.add_canary(first.clone()).await.expect("a write"), first);
    assert_eq!(store.add_canary(sealed("another")).await.expect("a write"), first);
    assert_eq!(store.canary().await.expect("a read"), Some(first));
}
