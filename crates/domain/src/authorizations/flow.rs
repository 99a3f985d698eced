//! Flows: one run of the authorization code grant, from start to the provider's answer.

use chrono::{DateTime, TimeDelta, Utc};

use super::Scopes;
use super::handover::HandoverPlaces;
use crate::Version;
use crate::ids::{AccountId, AuthorizationId, FlowId, OrganizationId, ProviderId};
use crate::sealing::{SealedSecret, SecretColumn, SecretPlace};
use crate::secret::SecretHash;

/// How long a flow may take.
pub const FLOW_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// How long an exchange may take, with everything around it; one that is "running" after that died with its process.
pub const EXCHANGE_LIMIT: TimeDelta = TimeDelta::seconds(90);

/// One run of the authorization code grant.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Its id: public, it stands in the path of our page.
    pub id: FlowId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Who started it.
    pub account_id: AccountId,
    /// At which provider.
    pub provider_id: ProviderId,
    /// Which way the person goes.
    pub route: FlowRoute,
    /// The hash of the state that the provider was given; on our own route there is none before the person's yes.
    pub state_hash: Option<SecretHash>,
    /// The redirect URI that the provider was given.
    pub redirect_uri: String,
    /// On our own route: where the browser goes when the account is linked, a path of ours; `None`: to the page that tells how
    /// the flow ended.
    pub return_to: Option<String>,
    /// The PKCE verifier, where the provider supports PKCE.
    pub pkce_verifier: Option<SealedSecret>,
    /// The nonce.
    pub nonce: SealedSecret,
    /// The scopes that are asked for.
    pub scopes: Scopes,
    /// Whether the provider is to show its consent page.
    pub force_consent: bool,
    /// The digest of the provider's endpoints at the start.
    pub endpoints: SecretHash,
    /// How far it has come.
    pub stage: FlowStage,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When it can no longer be finished.
    pub expires_at: DateTime<Utc>,
    /// How often it was written.
    pub version: Version,
}

/// Which way the person goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowRoute {
    /// The provider sends the person to the caller's page, which brings code and state to our API.
    Caller,
    /// Our page sends the person to the provider, and the provider to our callback, where the browser has to show
    /// the cookie that our page gave it (RFC 9700, 4.7).
    Browser {
        /// The hash of the cookie; set by the person's yes.
        cookie_hash: Option<SecretHash>,
    },
}

/// How far a flow has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowStage {
    /// On our own route: the person has not yet said yes.
    Unconfirmed,
    /// The person is at the provider.
    Pending,
    /// The state is used up and the code is being redeemed.
    Exchanging(CodeInUse),
    /// It is over.
    Finished {
        /// Which code was redeemed; `None` where none was.
        redeemed: Option<CodeInUse>,
        /// How it ended.
        outcome: FlowOutcome,
        /// When.
        at: DateTime<Utc>,
    },
}

/// A code that was sent to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeInUse {
    /// Which code.
    pub code_hash: SecretHash,
    /// When its exchange began.
    pub since: DateTime<Utc>,
}

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowOutcome {
    /// With an authorization.
    Authorized(AuthorizationId),
    /// The provider or a check of ours refused: a code.
    Refused(String),
    /// The provider gave no answer that makes sense: a code.
    Unavailable(String),
}

impl Flow {
    /// Where its PKCE verifier rests.
    pub fn verifier_place(organization_id: OrganizationId, id: FlowId) -> SecretPlace {
        SecretPlace { organization_id, column: SecretColumn::PkceVerifier, row: id.as_uuid() }
    }

    /// Where its nonce rests.
    pub fn nonce_place(organization_id: OrganizationId, id: FlowId) -> SecretPlace {
        SecretPlace { organization_id, column: SecretColumn::Nonce, row: id.as_uuid() }
    }

    /// Both.
    pub(super) fn handover_places(organization_id: OrganizationId, id: FlowId) -> HandoverPlaces {
        HandoverPlaces {
            verifier: Self::verifier_place(organization_id, id),
            nonce: Self::nonce_place(organization_id, id),
        }
    }

    /// Whether its state may still be used up.
    pub fn is_usable(&self, now: DateTime<Utc>) -> bool {
        self.stage == FlowStage::Pending && now < self.expires_at
    }

    /// The stage that [`FlowStore::use_up`](super::FlowStore::use_up) stores.
    #[must_use]
    pub fn exchanging(mut self, code_hash: SecretHash, now: DateTime<Utc>) -> Self {
        self.stage = FlowStage::Exchanging(CodeInUse { code_hash, since: now });
        self.version = self.version.next();
        self
    }

    /// Ends it.
    #[must_use]
    pub fn finished(mut self, outcome: FlowOutcome, now: DateTime<Utc>) -> Self {
        let redeemed = match self.stage {
            FlowStage::Exchanging(code) => Some(code),
            FlowStage::Unconfirmed | FlowStage::Pending | FlowStage::Finished { .. } => None,
        };
        self.stage = FlowStage::Finished { redeemed, outcome, at: now };
        self
    }
}
