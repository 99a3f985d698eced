//! Entries of the audit log.

use chrono::{DateTime, Utc};

use crate::accounts::Caller;
use crate::ids::{AccountId, ApiTokenId, AuditId, AuthorizationId, OrganizationId, ProviderId};
use crate::secret::Fingerprint;
use crate::services::Random;

/// One entry. Once written it is never changed or removed.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its id; ids sort by time.
    pub id: AuditId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// In which organization.
    pub organization_id: OrganizationId,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Why it ended so: a code, never text of a provider.
    pub reason: Option<String>,
    /// The provider concerned.
    pub provider_id: Option<ProviderId>,
    /// The authorization concerned.
    pub authorization_id: Option<AuthorizationId>,
    /// Any other thing concerned (an account, a token, a job), by its id.
    pub subject: Option<String>,
    /// Which token was handed out, saved or revoked.
    pub token: Option<Fingerprint>,
    /// The request that caused it, as the request log names it; of several the first.
    pub request_id: Option<String>,
    /// How often it happened: equal hand-outs of one second are one entry.
    pub count: u32,
    /// When it happened last, where it happened more than once.
    pub last_at: Option<DateTime<Utc>>,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, with the API token they called with.
    Account {
        /// The user.
        account_id: AccountId,
        /// The token.
        token_id: ApiTokenId,
    },
    /// The operator, by a command on the machine.
    Operator,
    /// This service, finishing what a user began.
    ServiceFor {
        /// The user.
        account_id: AccountId,
    },
    /// This service on its own: a refresh, a job, a retry.
    Service,
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The name it is stored and shown under.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// What is stored under that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

names! {
    /// What was done.
    AuditAction {
        /// An organization was made.
        OrganizationCreated = "organization.created",
        /// An organization was changed.
        OrganizationChanged = "organization.changed",
        /// The deletion of an organization was asked for.
        OrganizationDeletionRequested = "organization.deletion_requested",
        /// An organization was removed, and its data keys destroyed.
        OrganizationDeleted = "organization.deleted",
        /// An account was made.
        AccountCreated = "account.created",
        /// The deletion of an account was asked for.
        AccountDeletionRequested = "account.deletion_requested",
        /// An account was removed.
        AccountDeleted = "account.deleted",
        /// An account was suspended: nobody gets in as it.
        AccountSuspended = "account.suspended",
        /// An account is no longer suspended.
        AccountResumed = "account.resumed",
        /// Somebody at a provider may sign in as an account from now on.
        IdentityLinked = "identity.linked",
        /// Somebody at a provider may no longer sign in as an account.
        IdentityUnlinked = "identity.unlinked",
        /// Somebody whom a provider has told about signed in, or did not.
        LoginFinished = "login.finished",
        /// An API token was issued.
        ApiTokenIssued = "api_token.issued",
        /// An API token was revoked.
        ApiTokenRevoked = "api_token.revoked",
        /// A person signed in in a browser.
        SessionOpened = "session.opened",
        /// A provider was registered.
        ProviderRegistered = "provider.registered",
        /// A provider was changed.
        ProviderChanged = "provider.changed",
        /// The provider refused our client credentials; it is disabled until they are replaced.
        ProviderDisabled = "provider.disabled",
        /// The deletion of a provider was asked for.
        ProviderDeletionRequested = "provider.deletion_requested",
        /// A provider was removed.
        ProviderDeleted = "provider.deleted",
        /// A flow was started.
        FlowStarted = "flow.started",
        /// A person said yes or no on our page.
        FlowConfirmed = "flow.confirmed",
        /// A flow came back from the provider.
        FlowFinished = "flow.finished",
        /// An authorization was made, or made anew with fresh tokens.
        AuthorizationGranted = "authorization.granted",
        /// An authorization was deleted; its revocation is due.
        AuthorizationDeleted = "authorization.deleted",
        /// The provider said that the grant is dead.
        AuthorizationExpired = "authorization.expired",
        /// A token was refreshed, or could not be.
        TokenRefreshed = "token.refreshed",
        /// An access token was handed to a caller, or refused.
        TokenHandedOut = "token.handed_out",
        /// The provider was asked who the user is.
        UserLookedUp = "user.looked_up",
        /// A revocation was attempted at the provider.
        TokenRevoked = "token.revoked",
        /// A job was queued.
        JobQueued = "job.queued",
        /// A job ended.
        JobFinished = "job.finished",
        /// A sealed secret did not open.
        SecretRejected = "secret.rejected",
    }
}

names! {
    /// How it ended.
    AuditOutcome {
        /// As asked.
        Done = "done",
        /// Refused by a rule of ours or by the provider.
        Refused = "refused",
        /// Something failed; it may work later.
        Failed = "failed",
    }
}

impl AuditEntry {
    /// An entry about something a caller did.
    pub fn by(caller: &Caller, action: AuditAction, random: &dyn Random, now: DateTime<Utc>) -> Self {
        let actor = Actor::Account { account_id: caller.account_id, token_id: caller.token_id };
        let mut entry = Self::new(caller.organization_id, actor, action, random, now);
        entry.request_id.clone_from(&caller.request_id);
        entry
    }

    /// An entry with an outcome of [`AuditOutcome::Done`].
    pub fn new(
        organization_id: OrganizationId,
        actor: Actor,
        action: AuditAction,
        random: &dyn Random,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: AuditId::generate(random, now),
            at: now,
            organization_id,
            actor,
            action,
            outcome: AuditOutcome::Done,
            reason: None,
            provider_id: None,
            authorization_id: None,
            subject: None,
            token: None,
            request_id: None,
            count: 1,
            last_at: None,
        }
    }

    /// With another outcome and the code of its reason.
    #[must_use]
    pub fn ending(mut self, outcome: AuditOutcome, reason: impl Into<String>) -> Self {
        self.outcome = outcome;
        self.reason = Some(reason.into());
        self
    }

    /// About a provider.
    #[must_use]
    pub fn about_provider(mut self, id: ProviderId) -> Self {
        self.provider_id = Some(id);
        self
    }

    /// About an authorization.
    #[must_use]
    pub fn about_authorization(mut self, id: AuthorizationId) -> Self {
        self.authorization_id = Some(id);
        self
    }

    /// About any other thing.
    #[must_use]
    pub fn about(mut self, id: impl std::fmt::Display) -> Self {
        self.subject = Some(id.to_string());
        self
    }

    /// About a token.
    #[must_use]
    pub fn about_token(mut self, token: Fingerprint) -> Self {
        self.token = Some(token);
        self
    }
}
