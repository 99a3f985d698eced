//! Data keys and the canary.

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::StoreError;
use crate::accounts::Organization;
use crate::ids::{DataKeyId, OrganizationId};
use crate::sealing::{DataKeyStore, SealedSecret, WrappedDataKey};

#[async_trait]
impl DataKeyStore for MemoryStore {
    async fn data_key(&self, id: DataKeyId) -> Result<Option<WrappedDataKey>, StoreError> {
        Ok(self.state().data_keys.get(&id).cloned())
    }

    async fn newest_data_key(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<WrappedDataKey>, StoreError> {
        Ok(self.state().newest_data_key(organization))
    }

    async fn add_first_data_key(&self, key: WrappedDataKey) -> Result<WrappedDataKey, StoreError> {
        let mut state = self.state();
        if let Some(first) = state.newest_data_key(key.organization_id) {
            return Ok(first);
        }
        if state.row::<Organization>(key.organization_id).is_none() {
            return Err(StoreError::Unexpected("the data key is for an unknown organization".into()));
        }
        if state.data_keys.contains_key(&key.id) {
            return Err(StoreError::Unexpected("two organizations with one data key".into()));
        }
        state.data_keys.insert(key.id, key.clone());
        Ok(key)
    }

    async fn canary(&self) -> Result<Option<SealedSecret>, StoreError> {
        Ok(self.state().canary.clone())
    }

    async fn add_canary(&self, canary: SealedSecret) -> Result<SealedSecret, StoreError> {
        Ok(self.state().canary.get_or_insert(canary).clone())
    }
}

impl State {
    fn newest_data_key(&self, organization: OrganizationId) -> Option<WrappedDataKey> {
        let keys = self.data_keys.values().filter(|key| key.organization_id == organization);
        keys.max_by_key(|key| (key.created_at, key.id)).cloned()
    }
}
