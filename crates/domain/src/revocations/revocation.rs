//! Revocations: Pending → Revoked, `NotSupported` or Failed. The ended row is the receipt.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use crate::Lease;
use crate::authorizations::Authorization;
use crate::ids::{AccountId, AuthorizationId, OrganizationId, ProviderId, RevocationId};
use crate::providers::Identity;
use crate::sealing::{SealError, SealedSecret, SecretColumn, SecretPlace, TokenSealer};
use crate::services::Random;
use crate::{Secret, StoreError, Version};

/// For how long a revocation is tried before its tokens are destroyed all the same.
pub const REVOCATION_PERIOD: TimeDelta = TimeDelta::days(7);

/// The revocation (RFC 7009) of one authorization's tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Revocation {
    /// Its id.
    pub id: RevocationId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// The provider that is to revoke.
    pub provider_id: ProviderId,
    /// The authorization that was deleted.
    pub authorization_id: AuthorizationId,
    /// Whose it was.
    pub account_id: AccountId,
    /// Who granted it at the provider, where that was known.
    pub resource_owner: Option<ResourceOwner>,
    /// The access token; gone when the revocation has ended.
    pub access_token: Option<SealedSecret>,
    /// The refresh token, where there was one; gone when the revocation has ended.
    pub refresh_token: Option<SealedSecret>,
    /// Where it stands.
    pub status: RevocationStatus,
    /// Where the person can see and end at the provider what they have granted, where the provider has such a page.
    pub settings_url: Option<Url>,
    /// The last failure, or why it ended as it did, as a code.
    pub last_error: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it is to be tried next.
    pub next_attempt_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// How often it was written.
    pub version: Version,
}

/// The person at the provider who granted access (RFC 6749, 1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceOwner {
    /// Who says so.
    pub issuer: String,
    /// The provider's stable id of them.
    pub subject: String,
}

impl From<&Identity> for ResourceOwner {
    fn from(identity: &Identity) -> Self {
        Self { issuer: identity.issuer.clone(), subject: identity.subject.clone() }
    }
}

/// Why a revocation was not asked for: it would have ended what another authorization still needs.
pub const SHARED_GRANT: &str = "shared_grant";

/// Where a revocation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationStatus {
    /// To be tried, or tried again.
    Pending,
    /// The provider has revoked the tokens.
    Revoked,
    /// The provider has no way to revoke, and the person has to do it in the provider's settings; or, with the reason
    /// [`SHARED_GRANT`], none that leaves others alone, and the grant ends with the last authorization that shares it.
    NotSupported,
    /// Not done within [`REVOCATION_PERIOD`].
    Failed,
}

impl RevocationStatus {
    /// As reports and stores name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Revoked => "revoked",
            Self::NotSupported => "not_supported",
            Self::Failed => "failed",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Revoked, Self::NotSupported, Self::Failed]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

impl Revocation {
    /// A revocation of nothing yet; [`Self::with_tokens`] gives it the tokens.
    pub(crate) fn new(
        organization_id: OrganizationId,
        provider_id: ProviderId,
        authorization_id: AuthorizationId,
        account_id: AccountId,
        random: &dyn Random,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: RevocationId::generate(random, now),
            organization_id,
            provider_id,
            authorization_id,
            account_id,
            resource_owner: None,
            access_token: None,
            refresh_token: None,
            status: RevocationStatus::Pending,
            settings_url: None,
            last_error: None,
            attempts: 0,
            created_at: now,
            next_attempt_at: now,
            finished_at: None,
            lease: None,
            version: Version::FIRST,
        }
    }

    /// The revocation of an authorization.
    pub(crate) fn of(authorization: &Authorization, random: &dyn Random, now: DateTime<Utc>) -> Self {
        let Authorization { organization_id, provider_id, id, account_id, issuer, subject, .. } =
            authorization;
        let owner = ResourceOwner { issuer: issuer.clone(), subject: subject.clone() };
        Self {
            resource_owner: Some(owner),
            ..Self::new(*organization_id, *provider_id, *id, *account_id, random, now)
        }
    }

    /// The revocation of an authorization's tokens, sealed anew for their new place. Tokens that do not open cannot be
    /// revoked, but must not keep anybody from deleting or replacing them: the receipt tells.
    pub(crate) async fn moving(
        authorization: &Authorization,
        sealer: &dyn TokenSealer,
        random: &dyn Random,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let moved = async {
            let access = sealer.open(authorization.access_token_place(), &authorization.access_token).await?;
            let refresh = match &authorization.refresh_token {
                Some(sealed) => Some(sealer.open(authorization.refresh_token_place(), sealed).await?),
                None => None,
            };
            Self::of(authorization, random, now).with_tokens(Some(&access), refresh.as_ref(), sealer).await
        };
        match moved.await {
            Ok(revocation) => Ok(revocation),
            Err(SealError::Store(error)) => Err(error),
            Err(SealError::UnknownFormat | SealError::UnknownKey | SealError::Tampered) => {
                let reason = Some("secret_rejected".to_owned());
                Ok(Self::of(authorization, random, now).finished(RevocationStatus::Failed, reason, now))
            }
        }
    }

    /// Takes over the tokens that are to be revoked.
    pub(crate) async fn with_tokens(
        mut self,
        access_token: Option<&Secret>,
        refresh_token: Option<&Secret>,
        sealer: &dyn TokenSealer,
    ) -> Result<Self, SealError> {
        if let Some(token) = access_token {
            self.access_token = Some(sealer.seal(self.access_token_place(), token).await?);
        }
        if let Some(token) = refresh_token {
            self.refresh_token = Some(sealer.seal(self.refresh_token_place(), token).await?);
        }
        Ok(self)
    }

    /// Where its access token rests.
    pub fn access_token_place(&self) -> SecretPlace {
        self.place(SecretColumn::RevokedAccessToken)
    }

    /// Where its refresh token rests.
    pub fn refresh_token_place(&self) -> SecretPlace {
        self.place(SecretColumn::RevokedRefreshToken)
    }

    fn place(&self, column: SecretColumn) -> SecretPlace {
        SecretPlace { organization_id: self.organization_id, column, row: self.id.as_uuid() }
    }

    /// Whether the person has to end at the provider what could not be revoked.
    pub fn is_left_to_the_person(&self) -> bool {
        match self.status {
            RevocationStatus::Pending | RevocationStatus::Revoked => false,
            RevocationStatus::NotSupported => self.last_error.as_deref() != Some(SHARED_GRANT),
            RevocationStatus::Failed => true,
        }
    }

    /// Whether a worker may take it now; `hurry` takes it before its time has come.
    pub fn is_claimable(&self, hurry: bool, now: DateTime<Utc>) -> bool {
        self.status == RevocationStatus::Pending
            && (hurry || self.next_attempt_at <= now)
            && self.lease.as_ref().is_none_or(|lease| lease.until <= now)
    }

    /// The claim that [`RevocationQueue::claim_revocations`](super::RevocationQueue::claim_revocations) stores.
    #[must_use]
    pub fn claimed(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self.version = self.version.next();
        self
    }

    /// Ends it: the tokens are destroyed.
    #[must_use]
    pub fn finished(mut self, status: RevocationStatus, error: Option<String>, now: DateTime<Utc>) -> Self {
        self.status = status;
        self.last_error = error;
        self.attempts += 1;
        self.finished_at = Some(now);
        self.access_token = None;
        self.refresh_token = None;
        self.lease = None;
        self
    }

    /// Puts it off after a failure, or gives it up when its period is over. However long the provider wants to be
    /// left alone, there is a last attempt at the end of the period.
    #[must_use]
    pub fn put_off(mut self, error: String, retry_after: Option<TimeDelta>, now: DateTime<Utc>) -> Self {
        let end = self.created_at + REVOCATION_PERIOD;
        if now >= end {
            return self.finished(RevocationStatus::Failed, Some(error), now);
        }
        // A provider that says "at once", or whose clock is behind, must not be asked without end.
        let wait = retry_after.unwrap_or_default().max(back_off(self.attempts));
        self.last_error = Some(error);
        self.attempts += 1;
        self.next_attempt_at = now.checked_add_signed(wait).map_or(end, |next| next.min(end));
        self.lease = None;
        self
    }
}

/// 10 s, 20 s, 40 s … one hour.
fn back_off(attempts: u32) -> TimeDelta {
    TimeDelta::seconds((10_i64 << attempts.min(9)).min(3600))
}

#[cfg(test)]
mod tests;
