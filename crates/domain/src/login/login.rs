//! Logins: one run of signing in, from its start to the token.

use chrono::{DateTime, TimeDelta, Utc};

use super::Person;
use crate::Version;
use crate::authorizations::handover::HandoverPlaces;
use crate::authorizations::{EXCHANGE_LIMIT, PollPace, Scopes};
use crate::ids::{AccountId, ApiTokenId, LoginId, OrganizationId, ProviderId};
use crate::sealing::{SealedSecret, SecretColumn, SecretPlace};
use crate::secret::SecretHash;

/// How long a login on the web may take.
pub const LOGIN_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// For how long an answer that was lost may be asked for again.
const REPEAT_PERIOD: TimeDelta = TimeDelta::seconds(30);

/// One run of signing in.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// Its id: public, it stands in the path of our page.
    pub id: LoginId,
    /// The organization that the person signs in to.
    pub organization_id: OrganizationId,
    /// At which provider.
    pub provider_id: ProviderId,
    /// What the configuration calls that provider.
    pub provider_name: String,
    /// Which way the person goes.
    pub route: LoginRoute,
    /// The scopes that are asked for.
    pub scopes: Scopes,
    /// The digest of the provider's endpoints at the start.
    pub endpoints: SecretHash,
    /// The hash of the cookie that the person's browser has to show: of one that has it from our sign-in page from the
    /// start, of another from the callback on.
    pub browser_hash: Option<SecretHash>,
    /// How far it has come.
    pub stage: LoginStage,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When it can no longer be finished.
    pub expires_at: DateTime<Utc>,
    /// How often it was written.
    pub version: Version,
}

/// Which way the person goes.
#[derive(Clone, Debug, PartialEq)]
pub enum LoginRoute {
    /// A client opens the provider's page in a browser, and polls for the token.
    Client {
        /// What the person takes to the provider.
        grant: CodeGrant,
        /// The hash of what the client polls with: another value than the one that the provider sees.
        poll_hash: SecretHash,
        /// Who asks, for our page.
        asked_by: AskingClient,
        /// Where the browser goes at the end; `None`: to our own page.
        return_to: Option<String>,
    },
    /// The browser of our own sign-in page, which becomes signed in itself.
    Browser {
        /// What the person takes to the provider.
        grant: CodeGrant,
        /// The page of ours to which it goes at the end: a path.
        next: String,
    },
    /// A client shows a code, and waits (RFC 8628).
    Device(DevicePoll),
}

/// What goes to the provider's page and comes back from it.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeGrant {
    /// The hash of the state that the provider was given.
    pub state_hash: SecretHash,
    /// The redirect URI that the provider was given.
    pub redirect_uri: String,
    /// The PKCE verifier, where the provider supports PKCE.
    pub pkce_verifier: Option<SealedSecret>,
    /// The nonce.
    pub nonce: SealedSecret,
}

/// A client that asks for a token, as it looked when it asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskingClient {
    /// Its network address, where it is known.
    pub address: Option<String>,
    /// What it calls itself, cut to a sensible length.
    pub user_agent: Option<String>,
    /// The code that the person can compare.
    pub match_code: String,
    /// Whether the client says that it shows that code.
    pub shows_code: bool,
}

/// What a device login is polled with.
#[derive(Clone, Debug, PartialEq)]
pub struct DevicePoll {
    /// The hash of the client's handle.
    pub handle_hash: SecretHash,
    /// The provider's device code.
    pub device_code: SealedSecret,
    /// How often the provider may be asked.
    pub pace: PollPace,
}

/// How far a login has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginStage {
    /// The person is at the provider.
    Pending,
    /// The provider is being asked.
    Asking {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It is known who the person is; whether they want this is not.
    Identified(Person),
    /// The token may be had.
    Granted {
        /// As whom.
        account_id: AccountId,
    },
    /// The token was released.
    Released {
        /// As whom.
        account_id: AccountId,
        /// The token that is good: of one that was asked for again, the last.
        token_id: ApiTokenId,
        /// When the first was released.
        at: DateTime<Utc>,
    },
    /// It ended without a token.
    Ended(LoginEnd),
}

/// How a login ended without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginEnd {
    /// The provider, the person or a check of ours refused: a code.
    Refused(String),
    /// The person may not sign in here: a code.
    NotAllowed(String),
    /// The provider gave no answer that makes sense: a code.
    Unavailable(String),
}

impl Login {
    /// Where its device code rests.
    pub fn device_code_place(organization_id: OrganizationId, id: LoginId) -> SecretPlace {
        SecretPlace { organization_id, column: SecretColumn::LoginDeviceCode, row: id.as_uuid() }
    }

    /// Where its PKCE verifier and its nonce rest.
    pub(super) fn handover_places(organization_id: OrganizationId, id: LoginId) -> HandoverPlaces {
        let place = |column| SecretPlace { organization_id, column, row: id.as_uuid() };
        HandoverPlaces {
            verifier: place(SecretColumn::LoginPkceVerifier),
            nonce: place(SecretColumn::LoginNonce),
        }
    }

    /// What the client asks with: the hash of its state or handle.
    pub fn handle_hash(&self) -> Option<&SecretHash> {
        match &self.route {
            LoginRoute::Client { poll_hash, .. } => Some(poll_hash),
            LoginRoute::Browser { .. } => None,
            LoginRoute::Device(device) => Some(&device.handle_hash),
        }
    }

    /// What the person took to the provider; a device takes nothing.
    pub fn grant(&self) -> Option<&CodeGrant> {
        match &self.route {
            LoginRoute::Client { grant, .. } | LoginRoute::Browser { grant, .. } => Some(grant),
            LoginRoute::Device(_) => None,
        }
    }

    /// As whom the person signs in, once that is settled.
    pub fn account_id(&self) -> Option<AccountId> {
        match self.stage {
            LoginStage::Granted { account_id } | LoginStage::Released { account_id, .. } => Some(account_id),
            LoginStage::Pending
            | LoginStage::Asking { .. }
            | LoginStage::Identified(_)
            | LoginStage::Ended(_) => None,
        }
    }

    /// Whether somebody asks the provider just now; one that has asked for longer than it may died with its process.
    pub(super) fn is_being_asked(&self, now: DateTime<Utc>) -> bool {
        matches!(self.stage, LoginStage::Asking { since } if now < since + EXCHANGE_LIMIT)
    }

    /// Whether nothing comes of it any more. An answer that is on its way may come late.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        match self.stage {
            LoginStage::Released { at, .. } => now > at + REPEAT_PERIOD,
            _ => now >= self.expires_at && !self.is_being_asked(now),
        }
    }

    /// The same at another stage.
    #[must_use]
    pub(super) fn at(self, stage: LoginStage) -> Self {
        Self { stage, ..self }
    }

    /// As it is stored after a commit.
    #[must_use]
    pub(super) fn stored(self) -> Self {
        Self { version: self.version.next(), ..self }
    }
}
