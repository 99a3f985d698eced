//! All use cases, assembled over one bundle of ports.

use std::sync::Arc;
use std::time::Duration;

use crate::accounts::{
    AuthenticateCaller, CreateAccount, CreateOrganization, DeleteAccount, DeleteOrganization, IssueApiToken,
    ListApiTokens, OpenSession, RemoveTombstones, RevokeApiToken, SetRedirectUris, SuspendAccount,
};
use crate::authorizations::{
    BeginDeviceFlow, CompleteFlow, ConfirmFlow, DeleteAuthorization, ExchangeCode, FinishDeviceFlows,
    KeepGrant, LookUpUser, PollDeviceFlow, StartFlow, ViewAuthorizations,
};
use crate::clean_up::CleanUp;
use crate::jobs::{
    DeleteAccountJob, DeleteOrganizationJob, DeleteProviderJob, EraseAccount, JobEnd, MoveToRevocations,
    QueueStats, RunNextJob, StatsJob, ViewJobs,
};
use crate::links::{
    AnnounceLinks, AwaitLink, CheckLink, LendLinkToken, LinkWaits, ListLinks, Rung, Unlink, ViewLink,
    WakeLinkWaiters,
};
use crate::login::{
    AdmitPerson, BeginDeviceLogin, CompleteDeviceLogin, CompleteWebLogin, ConfirmLogin, LinkIdentity,
    LoginOutcomes, LoginProviders, LoginSettings, PollLogin, ReleaseToken, SignInWithToken, StartWebLogin,
    Waits,
};
use crate::providers::{
    DeleteProvider, FindGitProvider, FindProvider, ListProviders, RegisterProvider, UpdateProvider,
    ViewProvider,
};
use crate::revocations::{RevocationAttempt, RunDueRevocations, ViewRevocations};
use crate::sealing::{AuditedSealer, TokenSealer};
use crate::tokens::{
    AwaitedAnswers, HandOutRecord, InFlight, LendAccessToken, ProviderGates, RecentReads, RecordUses,
    RefreshDueTokens, RefreshTokensOnce, RefreshTurn, RefusedTokens, TokenSettings, UnderWay, Verdicts,
};
use crate::{Ports, UnitOfWork};

/// What an installation decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the service is reached from outside: an origin without a trailing slash.
    pub public_url: String,
    /// How tokens are kept fresh.
    pub tokens: TokenSettings,
    /// When a hand-out is in the store.
    pub hand_out_record: HandOutRecord,
    /// Whether a person has to sign in and say yes on our page before a flow goes on to the provider.
    pub asks_people: bool,
    /// How long a machine's call waits for a person to link an account.
    pub link_wait: Duration,
    /// Where and how people sign in.
    pub login: LoginSettings,
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
    /// Queues the deletion of organizations.
    delete_organization: DeleteOrganization,
    /// Creates accounts.
    create_account: CreateAccount,
    /// Queues the deletion of accounts.
    delete_account: DeleteAccount,
    /// Suspends accounts, and lets them in again.
    suspend_account: SuspendAccount,
    /// Links identities to accounts.
    link_identity: LinkIdentity,
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
    /// Finds the providers at which people sign in.
    login_providers: LoginProviders,
    /// Starts logins on the web.
    start_web_login: StartWebLogin,
    /// Completes logins on the web.
    complete_web_login: CompleteWebLogin,
    /// Our page after the provider's.
    confirm_login: ConfirmLogin,
    /// Polls logins on the web.
    poll_login: PollLogin,
    /// Begins logins by device code.
    begin_device_login: BeginDeviceLogin,
    /// Waits for the person of a device login.
    complete_device_login: CompleteDeviceLogin,
    /// Signs in with a provider's access token.
    sign_in_with_token: SignInWithToken,
    /// Registers providers.
    register_provider: RegisterProvider,
    /// Lists providers.
    list_providers: ListProviders,
    /// Shows a provider.
    view_provider: ViewProvider,
    /// Finds a provider by its id or slug.
    find_provider: FindProvider,
    /// Finds the provider of a git remote.
    find_git_provider: FindGitProvider,
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
    /// Finishes device flows whose callers have left.
    finish_device_flows: FinishDeviceFlows,
    /// Lists links.
    list_links: ListLinks,
    /// Shows a link.
    view_link: ViewLink,
    /// Ends links.
    unlink: Unlink,
    /// Hands the tokens of links to machines.
    lend_link_token: LendLinkToken,
    /// Waits until there is a link.
    await_link: AwaitLink,
    /// Wakes those who wait for a link.
    wake_link_waiters: WakeLinkWaiters,
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
    /// Shows what became of revocations.
    view_revocations: ViewRevocations,
    /// Refreshes ahead of expiry.
    refresh_due_tokens: RefreshDueTokens,
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
        // Whatever is written goes by way of those who remember what was read.
        let reads = RecentReads::of(
            ports.store.clone(),
            ports.store.clone(),
            ports.store.clone(),
            ports.clock.clone(),
        );
        let waits = LinkWaits::default();
        let store: Arc<dyn UnitOfWork> =
            Arc::new(AnnounceLinks { store: reads.clone(), waits: waits.clone() });
        let uses = RecordUses::new(
            ports.store.clone(),
            ports.tasks.clone(),
            ports.clock.clone(),
            ports.random.clone(),
            settings.hand_out_record,
        );
        let authenticate = Arc::new(AuthenticateCaller {
            tokens: reads.clone(),
            uses: uses.clone(),
            clock: ports.clock.clone(),
        });
        let grants = Arc::new(KeepGrant {
            authorizations: ports.store.clone(),
            accounts: ports.store.clone(),
            catalog: ports.store.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            store: store.clone(),
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
        let gates =
            ProviderGates::new(ports.clock.clone(), tokens.refreshes_at_once, tokens.refreshes_per_second);
        let turn = Arc::new(RefreshTurn {
            authorizations: ports.store.clone(),
            leases: ports.store.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            settings: tokens,
            gates: gates.clone(),
            awaited: AwaitedAnswers::default(),
        });
        let refresh = Arc::new(RefreshTokensOnce {
            authorizations: ports.store.clone(),
            leases: ports.store.clone(),
            turn,
            tasks: ports.tasks.clone(),
            clock: ports.clock.clone(),
            settings: tokens,
            holder: settings.holder.clone(),
            in_flight: InFlight::default(),
        });
        let refresh_due_tokens = Arc::new(RefreshDueTokens {
            leases: ports.store.clone(),
            refresh: refresh.clone(),
            gates,
            clients: ports.clients.clone(),
            store: store.clone(),
            tasks: ports.tasks.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            settings: tokens,
            holder: settings.holder.clone(),
            under_way: UnderWay::default(),
        });
        let lend_access_token = Arc::new(LendAccessToken {
            reads: reads.clone(),
            sealer: ports.sealer.clone(),
            refresh,
            uses: uses.clone(),
            clients: ports.clients.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            settings: tokens,
        });
        let find_provider = Arc::new(FindProvider { catalog: ports.store.clone() });
        let poll_device_flow = Arc::new(PollDeviceFlow {
            catalog: ports.store.clone(),
            flows: ports.store.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            store: store.clone(),
            grants: grants.clone(),
            tasks: ports.tasks.clone(),
            clock: ports.clock.clone(),
            settings: tokens,
        });
        let list_providers =
            Arc::new(ListProviders { catalog: ports.store.clone(), clients: ports.clients.clone() });
        let verdicts = Arc::new(Verdicts::default());
        let refused_tokens = Arc::new(RefusedTokens {
            lend: lend_access_token.clone(),
            verdicts: verdicts.clone(),
            clock: ports.clock.clone(),
        });
        let look_up_user = Arc::new(LookUpUser {
            verdicts: verdicts.clone(),
            tokens: refused_tokens.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            settings: tokens,
        });
        let check = Arc::new(CheckLink {
            tokens: refused_tokens,
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            verdicts: verdicts.clone(),
            clock: ports.clock.clone(),
        });
        let lend_link_token = Arc::new(LendLinkToken {
            authorizations: ports.store.clone(),
            lend: lend_access_token.clone(),
            check: check.clone(),
            clock: ports.clock.clone(),
        });
        let login_providers = Arc::new(LoginProviders {
            accounts: ports.store.clone(),
            find: find_provider.clone(),
            settings: settings.login.clone(),
        });
        let admit = Arc::new(AdmitPerson {
            logins: ports.store.clone(),
            accounts: ports.store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        });
        let outcomes = Arc::new(LoginOutcomes {
            providers: login_providers.clone(),
            logins: ports.store.clone(),
            admit: admit.clone(),
            grants,
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        });
        let release = Arc::new(ReleaseToken {
            logins: ports.store.clone(),
            accounts: ports.store.clone(),
            tokens: ports.store.clone(),
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            lifetime: settings.login.token_lifetime,
        });
        let delete_authorization = Arc::new(DeleteAuthorization {
            authorizations: ports.store.clone(),
            sealer: ports.sealer.clone(),
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        });
        let attempt = Arc::new(RevocationAttempt {
            catalog: ports.store.clone(),
            grants: ports.store.clone(),
            clients: ports.clients.clone(),
            sealer: ports.sealer.clone(),
            store: store.clone(),
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
        let mover = Arc::new(MoveToRevocations {
            leases: ports.store.clone(),
            detach: delete_authorization.clone(),
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            lease_silence: tokens.lease_silence,
        });
        let job_end = Arc::new(JobEnd {
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        });
        let erase = Arc::new(EraseAccount {
            accounts: ports.store.clone(),
            deletions: ports.store.clone(),
            mover: mover.clone(),
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        });
        let delete_account_job =
            DeleteAccountJob { erase: erase.clone(), revocations: ports.store.clone(), end: job_end.clone() };
        let delete_organization_job = DeleteOrganizationJob {
            accounts: ports.store.clone(),
            catalog: ports.store.clone(),
            erase,
            store: store.clone(),
            end: job_end.clone(),
            clock: ports.clock.clone(),
        };
        let delete_provider_job = DeleteProviderJob {
            catalog: ports.store.clone(),
            authorizations: ports.store.clone(),
            flows: ports.store.clone(),
            device_flows: ports.store.clone(),
            mover,
            revoke: run_due_revocations.clone(),
            revocations: ports.store.clone(),
            queue: ports.store.clone(),
            store: store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
        };
        let stats_job = StatsJob {
            catalog: ports.store.clone(),
            authorizations: ports.store.clone(),
            audit: ports.store.clone(),
            end: job_end.clone(),
            clock: ports.clock.clone(),
        };
        Self {
            create_organization: Arc::new(CreateOrganization {
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            set_redirect_uris: Arc::new(SetRedirectUris {
                accounts: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            delete_organization: Arc::new(DeleteOrganization {
                accounts: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            create_account: Arc::new(CreateAccount {
                accounts: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            delete_account: Arc::new(DeleteAccount {
                accounts: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            suspend_account: Arc::new(SuspendAccount {
                accounts: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            link_identity: Arc::new(LinkIdentity {
                accounts: ports.store.clone(),
                logins: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            issue_api_token: Arc::new(IssueApiToken {
                accounts: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            list_api_tokens: Arc::new(ListApiTokens { tokens: ports.store.clone() }),
            revoke_api_token: Arc::new(RevokeApiToken {
                tokens: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            open_session: Arc::new(OpenSession {
                authenticate: authenticate.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            start_web_login: Arc::new(StartWebLogin {
                providers: login_providers.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                public_url: settings.public_url.clone(),
            }),
            complete_web_login: Arc::new(CompleteWebLogin {
                catalog: ports.store.clone(),
                logins: ports.store.clone(),
                exchange: exchange.clone(),
                outcomes: outcomes.clone(),
                sealer: ports.sealer.clone(),
                store: store.clone(),
                tasks: ports.tasks.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            confirm_login: Arc::new(ConfirmLogin {
                logins: ports.store.clone(),
                accounts: ports.store.clone(),
                catalog: ports.store.clone(),
                outcomes: outcomes.clone(),
                release: release.clone(),
                clock: ports.clock.clone(),
            }),
            poll_login: Arc::new(PollLogin {
                logins: ports.store.clone(),
                release: release.clone(),
                clock: ports.clock.clone(),
            }),
            begin_device_login: Arc::new(BeginDeviceLogin {
                providers: login_providers.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            complete_device_login: Arc::new(CompleteDeviceLogin {
                catalog: ports.store.clone(),
                logins: ports.store.clone(),
                clients: ports.clients.clone(),
                poll: poll_device_flow.clone(),
                outcomes,
                release: release.clone(),
                store: store.clone(),
                tasks: ports.tasks.clone(),
                clock: ports.clock.clone(),
                waits: Waits::default(),
            }),
            sign_in_with_token: Arc::new(SignInWithToken {
                providers: login_providers.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                admit,
                release,
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            login_providers,
            register_provider: Arc::new(RegisterProvider {
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            list_links: Arc::new(ListLinks {
                authorizations: ports.store.clone(),
                providers: list_providers.clone(),
                check: check.clone(),
                clock: ports.clock.clone(),
            }),
            view_link: Arc::new(ViewLink {
                authorizations: ports.store.clone(),
                look_up: look_up_user.clone(),
                check: check.clone(),
                lend: lend_access_token.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                clock: ports.clock.clone(),
            }),
            unlink: Arc::new(Unlink {
                authorizations: ports.store.clone(),
                delete: delete_authorization.clone(),
                queue: ports.store.clone(),
                revoke: run_due_revocations.clone(),
                tasks: ports.tasks.clone(),
                clock: ports.clock.clone(),
                settings: tokens,
            }),
            await_link: Arc::new(AwaitLink {
                lend: lend_link_token.clone(),
                authenticate: authenticate.clone(),
                waits: waits.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                limit: settings.link_wait,
            }),
            wake_link_waiters: Arc::new(WakeLinkWaiters {
                authorizations: ports.store.clone(),
                waits,
                clock: ports.clock.clone(),
                rung: Rung::default(),
            }),
            finish_device_flows: Arc::new(FinishDeviceFlows {
                flows: ports.store.clone(),
                accounts: ports.store.clone(),
                poll: poll_device_flow.clone(),
                clock: ports.clock.clone(),
            }),
            find_git_provider: Arc::new(FindGitProvider { catalog: ports.store.clone() }),
            list_providers,
            look_up_user,
            lend_link_token,
            view_provider: Arc::new(ViewProvider {
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
            }),
            find_provider,
            update_provider: Arc::new(UpdateProvider {
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            delete_provider: Arc::new(DeleteProvider {
                catalog: ports.store.clone(),
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            start_flow: Arc::new(StartFlow {
                accounts: ports.store.clone(),
                catalog: ports.store.clone(),
                clients: ports.clients.clone(),
                sealer: ports.sealer.clone(),
                store: store.clone(),
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
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                asks_people: settings.asks_people,
            }),
            complete_flow: Arc::new(CompleteFlow {
                catalog: ports.store.clone(),
                flows: ports.store.clone(),
                authorizations: ports.store.clone(),
                store: store.clone(),
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
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
                settings: tokens,
            }),
            poll_device_flow,
            view_authorizations: Arc::new(ViewAuthorizations {
                authorizations: ports.store.clone(),
                clock: ports.clock.clone(),
            }),
            queue_stats: Arc::new(QueueStats {
                store: store.clone(),
                clock: ports.clock.clone(),
                random: ports.random.clone(),
            }),
            view_jobs: Arc::new(ViewJobs { queue: ports.store.clone() }),
            run_next_job: Arc::new(RunNextJob {
                queue: ports.store.clone(),
                delete_provider: delete_provider_job,
                delete_account: delete_account_job,
                delete_organization: delete_organization_job,
                stats: stats_job,
                end: job_end,
                clock: ports.clock.clone(),
                holder: settings.holder.clone(),
            }),
            clean_up: Arc::new(CleanUp {
                flows: ports.store.clone(),
                device_flows: ports.store.clone(),
                logins: ports.store.clone(),
                tokens: ports.store.clone(),
                revocations: ports.store.clone(),
                tombstones: Arc::new(RemoveTombstones {
                    accounts: ports.store.clone(),
                    catalog: ports.store.clone(),
                    queue: ports.store.clone(),
                    revocations: ports.store.clone(),
                    deletions: ports.store.clone(),
                    store: store.clone(),
                    clock: ports.clock.clone(),
                    random: ports.random.clone(),
                }),
                clock: ports.clock.clone(),
            }),
            view_revocations: Arc::new(ViewRevocations { queue: ports.store.clone() }),
            authenticate,
            lend_access_token,
            refresh_due_tokens,
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
