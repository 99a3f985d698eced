//! All use cases, assembled over one bundle of ports.

use std::sync::Arc;

use crate::Ports;
use crate::accounts::{
    AuthenticateCaller, CreateAccount, CreateOrganization, IssueApiToken, ListApiTokens, OpenSession,
    RevokeApiToken, SetRedirectUris,
};
use crate::authorizations::{
    BeginDeviceFlow, CompleteFlow, ConfirmFlow, DeleteAuthorization, ExchangeCode, KeepGrant, LookUpUser,
    PollDeviceFlow, StartFlow, ViewAuthorizations,
};
use crate::clean_up::CleanUp;
use crate::jobs::{DeleteProviderJob, QueueStats, RunNextJob, StatsJob, ViewJobs};
use crate::providers::{
    DeleteProvider, FindProvider, ListProviders, RegisterProvider, UpdateProvider, ViewProvider,
};
use crate::revocations::{RevocationAttempt, RunDueRevocations};
use crate::sealing::{AuditedSealer, TokenSealer};
use crate::tokens::{InFlight, LendAccessToken, RefreshTokensOnce, TokenSettings};

/// What an installation decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the service is reached from outside: an origin without a trailing slash.
    pub public_url: String,
    /// How tokens are kept fresh.
    pub tokens: TokenSettings,
    /// Whether a person has to sign in and say yes on our page before a flow goes on to the provider.
    pub asks_people: bool,
    /// A name for this process that no other process has; it stands in leases.
    pub holder: String,
}

macro_rules! use_cases {
    ($($(#[$doc:meta])* $field:ident: $type:ty),+ $(,)?) => {
        /// Every use case.
        #[derive(Clone)]
        pub struct UseCases {
            $($(#[$doc])* pub $field: Arc<$type>),+
        }
    };
}

use_cases! {
    /// Creates organizations.
    create_organization: CreateOrganization,
    /// Replaces redirect allow-lists.
    set_redirect_uris: SetRedirectUris,
    /// Creates accounts.
    create_account: CreateAccount,
    /// Issues API tokens.
    issue_api_token: IssueApiToken,
    /// Lists API tokens.
    list_api_tokens: ListApiTokens,
    /// Revokes API tokens.
    revoke_api_token: RevokeApiToken,
    /// Authenticates callers.
    authenticate: AuthenticateCaller,
    /// Opens browser sessions.
    open_session: OpenSession,
    /// Registers providers.
    register_provider: RegisterProvider,
    /// Lists providers.
    list_providers: ListProviders,
    /// Shows a provider.
    view_provider: ViewProvider,
    /// Finds a provider by its id or slug.
    find_provider: FindProvider,
    /// Changes providers.
    update_provider: UpdateProvider,
    /// Queues the deletion of providers.
    delete_provider: DeleteProvider,
    /// Starts flows.
    start_flow: StartFlow,
    /// Our page before the provider's.
    confirm_flow: ConfirmFlow,
    /// Completes flows.
    complete_flow: CompleteFlow,
    /// Begins device flows.
    begin_device_flow: BeginDeviceFlow,
    /// Polls device flows.
    poll_device_flow: PollDeviceFlow,
    /// Shows authorizations.
    view_authorizations: ViewAuthorizations,
    /// Deletes authorizations.
    delete_authorization: DeleteAuthorization,
    /// Hands out access tokens.
    lend_access_token: LendAccessToken,
    /// Asks providers who the user is.
    look_up_user: LookUpUser,
    /// Queues statistics.
    queue_stats: QueueStats,
    /// Shows jobs.
    view_jobs: ViewJobs,
    /// Runs jobs.
    run_next_job: RunNextJob,
    /// Runs revocations.
    run_due_revocations: RunDueRevocations,
    /// Removes what has had its time.
    clean_up: CleanUp,
}

impl UseCases {
    /// Assembles all of them.
    #[expect(clippy::too_many_lines, reason = "a list of what goes where has nothing to take apart")]
    pub fn over(ports: &Ports, settings: &Settings) -> Self {
        let ports = &Ports { sealer: audited(ports), ..ports.clone() };
        let tokens = settings.tokens;
        let authenticate =
            Arc::new(AuthenticateCaller { tokens: ports.store.clone(), clock: ports.clock.clone() });
        let grants = Arc::new(KeepGrant {
            authorizations: ports.store.clone(),
            catalog: ports.store.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            settings: tokens,
        });
        let exchange = Arc::new(ExchangeCode {
            flows: ports.store.clone(),
            catalog: ports.store.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            grants: grants.clone(),
            clock: ports.clock.clone(),
            settings: tokens,
        });
        let refresh = Arc::new(RefreshTokensOnce {
            authorizations: ports.store.clone(),
            leases: ports.store.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            store: ports.store.clone(),
            tasks: ports.tasks.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            settings: tokens,
            holder: settings.holder.clone(),
            in_flight: InFlight::default(),
        });
        let lend_access_token = Arc::new(LendAccessToken {
            authorizations: ports.store.clone(),
            sealer: ports.sealer.clone(),
            refresh,
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            settings: tokens,
        });
        let delete_authorization = Arc::new(DeleteAuthorization {
            authorizations: ports.store.clone(),
            sealer: ports.sealer.clone(),
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        });
        let attempt = Arc::new(RevocationAttempt {
            catalog: ports.store.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            settings: tokens,
        });
        let run_due_revocations = Arc::new(RunDueRevocations {
            queue: ports.store.clone(),
            attempt,
            clock: ports.clock.clone(),
            holder: settings.holder.clone(),
        });
        let delete_provider_job = DeleteProviderJob {
            catalog: ports.store.clone(),
            authorizations: ports.store.clone(),
            flows: ports.store.clone(),
            device_flows: ports.store.clone(),
            leases: ports.store.clone(),
            detach: delete_authorization.clone(),
            revoke: run_due_revocations.clone(),
            revocations: ports.store.clone(),
            queue: ports.store.clone(),
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        };
        let stats_job = StatsJob {
            catalog: ports.store.clone(),
            authorizations: ports.store.clone(),
            audit: ports.store.clone(),
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        };
        Self {
            create_organization: Arc::new(CreateOrganization {
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            set_redirect_uris: Arc::new(SetRedirectUris {
                accounts: ports.store.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            create_account: Arc::new(CreateAccount {
                accounts: ports.store.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            issue_api_token: Arc::new(IssueApiToken {
                accounts: ports.store.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            list_api_tokens: Arc::new(ListApiTokens { tokens: ports.store.clone() }),
            revoke_api_token: Arc::new(RevokeApiToken {
                tokens: ports.store.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            open_session: Arc::new(OpenSession {
                authenticate: authenticate.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            register_provider: Arc::new(RegisterProvider {
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            list_providers: Arc::new(ListProviders {
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
            }),
            view_provider: Arc::new(ViewProvider {
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
            }),
            find_provider: Arc::new(FindProvider { catalog: ports.store.clone() }),
            update_provider: Arc::new(UpdateProvider {
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            delete_provider: Arc::new(DeleteProvider {
                catalog: ports.store.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            start_flow: Arc::new(StartFlow {
                accounts: ports.store.clone(),
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                public_url: settings.public_url.clone(),
            }),
            confirm_flow: Arc::new(ConfirmFlow {
                flows: ports.store.clone(),
                accounts: ports.store.clone(),
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                asks_people: settings.asks_people,
            }),
            complete_flow: Arc::new(CompleteFlow {
                catalog: ports.store.clone(),
                flows: ports.store.clone(),
                authorizations: ports.store.clone(),
                store: ports.store.clone(),
                exchange,
                tasks: ports.tasks.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            begin_device_flow: Arc::new(BeginDeviceFlow {
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            poll_device_flow: Arc::new(PollDeviceFlow {
                catalog: ports.store.clone(),
                flows: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: ports.store.clone(),
                grants,
                tasks: ports.tasks.clone(),
                clock: ports.clock.clone(),
                settings: tokens,
            }),
            view_authorizations: Arc::new(ViewAuthorizations {
                authorizations: ports.store.clone(),
                clock: ports.clock.clone(),
            }),
            look_up_user: Arc::new(LookUpUser {
                lend: lend_access_token.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            queue_stats: Arc::new(QueueStats {
                store: ports.store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            view_jobs: Arc::new(ViewJobs { queue: ports.store.clone() }),
            run_next_job: Arc::new(RunNextJob {
                queue: ports.store.clone(),
                delete_provider: delete_provider_job,
                stats: stats_job,
                clock: ports.clock.clone(),
                holder: settings.holder.clone(),
            }),
            clean_up: Arc::new(CleanUp {
                flows: ports.store.clone(),
                device_flows: ports.store.clone(),
                tokens: ports.store.clone(),
                leases: ports.store.clone(),
                revocations: ports.store.clone(),
                clock: ports.clock.clone(),
            }),
            authenticate,
            lend_access_token,
            delete_authorization,
            run_due_revocations,
        }
    }
}

fn audited(ports: &Ports) -> Arc<dyn TokenSealer> {
    Arc::new(AuditedSealer {
        sealer: ports.sealer.clone(),
        store: ports.store.clone(),
        clock: ports.clock.clone(),
        random: ports.random.clone(),
    })
}
