//! The feature `mock` exports a mock of every port.

use std::sync::Arc;

use grantkeeper_domain::accounts::{
    AccountStore, ApiTokenStore, DeletionStore, MockAccountStore, MockApiTokenStore, MockDeletionStore,
};
use grantkeeper_domain::audit::{AuditLog, MockAuditLog};
use grantkeeper_domain::authorizations::{
    AuthorizationStore, DeviceFlowStore, FlowStore, MockAuthorizationStore, MockDeviceFlowStore,
    MockFlowStore,
};
use grantkeeper_domain::jobs::{JobQueue, MockJobQueue};
use grantkeeper_domain::login::{LoginStore, MockLoginStore};
use grantkeeper_domain::providers::{
    AuthorizeDevices, CheckAudience, IdentifyUser, ListInstallations, MockAuthorizeDevices,
    MockCheckAudience, MockIdentifyUser, MockListInstallations, MockProviderCatalog, MockProviderClient,
    MockProviderClients, MockRefreshTokens, MockRevokeTokens, MockValidateTokens, ProviderCatalog,
    ProviderClient, ProviderClients, RefreshTokens, RevokeTokens, ValidateTokens,
};
use grantkeeper_domain::revocations::{MockRevocationQueue, MockSharedGrants, RevocationQueue, SharedGrants};
use grantkeeper_domain::sealing::{DataKeyStore, MockDataKeyStore, MockTokenSealer, TokenSealer};
use grantkeeper_domain::services::{Clock, MockClock, MockRandom, Random};
use grantkeeper_domain::tokens::{MockRefreshLeases, MockUseLog, RefreshLeases, UseLog};
use grantkeeper_domain::{MockUnitOfWork, UnitOfWork};

macro_rules! each_port_has_its_mock {
    ($($mock:ident: $port:ident),+ $(,)?) => {
        #[test]
        fn each_port_has_its_mock() {
            $(let _: Arc<dyn $port> = Arc::new($mock::new());)+
        }
    };
}

each_port_has_its_mock! {
    MockAccountStore: AccountStore,
    MockApiTokenStore: ApiTokenStore,
    MockAuditLog: AuditLog,
    MockAuthorizationStore: AuthorizationStore,
    MockAuthorizeDevices: AuthorizeDevices,
    MockCheckAudience: CheckAudience,
    MockClock: Clock,
    MockDataKeyStore: DataKeyStore,
    MockDeletionStore: DeletionStore,
    MockDeviceFlowStore: DeviceFlowStore,
    MockFlowStore: FlowStore,
    MockIdentifyUser: IdentifyUser,
    MockJobQueue: JobQueue,
    MockListInstallations: ListInstallations,
    MockLoginStore: LoginStore,
    MockProviderCatalog: ProviderCatalog,
    MockProviderClient: ProviderClient,
    MockProviderClients: ProviderClients,
    MockRandom: Random,
    MockRefreshLeases: RefreshLeases,
    MockRefreshTokens: RefreshTokens,
    MockRevocationQueue: RevocationQueue,
    MockRevokeTokens: RevokeTokens,
    MockSharedGrants: SharedGrants,
    MockTokenSealer: TokenSealer,
    MockUnitOfWork: UnitOfWork,
    MockUseLog: UseLog,
    MockValidateTokens: ValidateTokens,
}
