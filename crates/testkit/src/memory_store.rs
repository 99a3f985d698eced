//! The suites over the in-memory store. They run here because the domain's own tests do without this crate.

use std::future::{Ready, ready};
use std::sync::Arc;

use grantkeeper_domain::Store;
use grantkeeper_domain::memory::MemoryStore;

fn fresh_store() -> Ready<Arc<dyn Store>> {
    ready(Arc::new(MemoryStore::new()))
}

mod contract {
    crate::store_contract_tests!(super::fresh_store());
}

mod races {
    crate::store_race_tests!(super::fresh_store());
}
