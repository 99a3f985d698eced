//! All ports in one bundle.

use std::sync::Arc;

use crate::accounts::{AccountStore, ApiTokenStore, DeletionStore};
use crate::audit::AuditLog;
use crate::authorizations::{AuthorizationStore, DeviceFlowStore, FlowStore};
use crate::jobs::JobQueue;
use crate::login::LoginStore;
use crate::providers::{ProviderCatalog, ProviderClients};
use crate::revocations::{RevocationQueue, SharedGrants};
use crate::sealing::{DataKeyStore, TokenSealer};
use crate::services::{Clock, Random};
use crate::tokens::{RefreshLeases, UseLog};
use crate::{BackgroundTasks, StoreError, UnitOfWork};

/// What a whole store can do.
#[async_trait::async_trait]
pub trait Store:
    AccountStore
    + ApiTokenStore
    + AuditLog
    + AuthorizationStore
    + DataKeyStore
    + DeletionStore
    + DeviceFlowStore
    + FlowStore
    + JobQueue
    + LoginStore
    + ProviderCatalog
    + RefreshLeases
    + RevocationQueue
    + SharedGrants
    + UnitOfWork
    + UseLog
{
    /// Whether it can be reached and has the schema of this version.
    async fn check(&self) -> Result<(), StoreError>;
}

/// What the use cases need of the world.
#[derive(Clone)]
pub struct Ports {
    /// Everything that is kept.
    pub store: Arc<dyn Store>,
    /// The providers.
    pub clients: Arc<dyn ProviderClients>,
    /// How secrets rest.
    pub sealer: Arc<dyn TokenSealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Where detached work runs.
    pub tasks: BackgroundTasks,
}
