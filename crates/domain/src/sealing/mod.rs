//! Sealing: how secrets rest. A store only ever sees [`SealedSecret`]s.

mod audited;

pub use audited::AuditedSealer;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::{DataKeyId, OrganizationId};
use crate::providers::UpstreamError;
use crate::{Secret, StoreError};

/// A secret under authenticated encryption, with the id of its key in its header.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Vec<u8>);

impl SealedSecret {
    /// Takes a sealed secret as a sealer made it or a store kept it.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Header, nonce, ciphertext and tag.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedSecret({} bytes)", self.0.len())
    }
}

/// Where a secret rests. It is bound into the seal as associated data (RFC 5116, 2.1), so a ciphertext that is
/// copied to another organization, table, column or row does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretPlace {
    /// Whose secret it is.
    pub organization_id: OrganizationId,
    /// Which of the columns that hold secrets.
    pub column: SecretColumn,
    /// The id of the row.
    pub row: Uuid,
}

/// Every column that holds a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretColumn {
    /// `providers.client_secret`
    ClientSecret,
    /// `authorizations.access_token`
    AccessToken,
    /// `authorizations.refresh_token`
    RefreshToken,
    /// `flows.pkce_verifier`
    PkceVerifier,
    /// `flows.nonce`
    Nonce,
    /// `device_flows.device_code`
    DeviceCode,
    /// `logins.pkce_verifier`
    LoginPkceVerifier,
    /// `logins.nonce`
    LoginNonce,
    /// `logins.device_code`
    LoginDeviceCode,
    /// `revocations.access_token`
    RevokedAccessToken,
    /// `revocations.refresh_token`
    RevokedRefreshToken,
}

impl SecretColumn {
    /// `table.column`, as it goes into the associated data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecret => "providers.client_secret",
            Self::AccessToken => "authorizations.access_token",
            Self::RefreshToken => "authorizations.refresh_token",
            Self::PkceVerifier => "flows.pkce_verifier",
            Self::Nonce => "flows.nonce",
            Self::DeviceCode => "device_flows.device_code",
            Self::LoginPkceVerifier => "logins.pkce_verifier",
            Self::LoginNonce => "logins.nonce",
            Self::LoginDeviceCode => "logins.device_code",
            Self::RevokedAccessToken => "revocations.access_token",
            Self::RevokedRefreshToken => "revocations.refresh_token",
        }
    }
}

/// Seals and opens secrets.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait TokenSealer: Send + Sync {
    /// Seals a secret for its place. Sealing the same secret twice gives two different ciphertexts.
    async fn seal(&self, place: SecretPlace, secret: &Secret) -> Result<SealedSecret, SealError>;

    /// Opens what was sealed for this very place.
    async fn open(&self, place: SecretPlace, sealed: &SealedSecret) -> Result<Secret, SealError>;
}

/// Why a secret could not be sealed or opened. Never holds a part of the secret or of a key.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The header is not one of ours.
    #[error("the sealed secret has an unknown format")]
    UnknownFormat,
    /// The key named in the header is not among the keys of this process.
    #[error("the key that sealed this secret is not available")]
    UnknownKey,
    /// Changed, moved to another place, or sealed under another key of the same id.
    #[error("the sealed secret does not open in this place")]
    Tampered,
    /// The data keys could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SealError {
    /// For a call to a provider that cannot be made because a secret of ours does not open.
    pub(crate) fn into_upstream_error(self) -> UpstreamError {
        let reason = if matches!(self, Self::Store(_)) { "store_unavailable" } else { "secret_rejected" };
        UpstreamError::Unavailable { reason, retry_after: None }
    }

    /// For a secret of our own that must open: when it does not, the store holds what it should not.
    pub fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            error @ (Self::UnknownFormat | Self::UnknownKey | Self::Tampered) => {
                StoreError::Unexpected(Box::new(error))
            }
        }
    }
}

/// A data key of one organization, wrapped by the operator's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedDataKey {
    /// Its id, as it stands in the header of what it sealed.
    pub id: DataKeyId,
    /// Whose secrets it seals.
    pub organization_id: OrganizationId,
    /// The key under the operator's key.
    pub wrapped: SealedSecret,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Keeps wrapped data keys and the canary that tells a right operator's key from a wrong one.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait DataKeyStore: Send + Sync {
    /// The data key with this id.
    async fn data_key(&self, id: DataKeyId) -> Result<Option<WrappedDataKey>, StoreError>;

    /// The newest data key of an organization: the one that seals.
    async fn newest_data_key(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<WrappedDataKey>, StoreError>;

    /// Adds the organization's first data key. MUST be atomic: of two that are added at once one stays, and both
    /// calls return that one.
    async fn add_first_data_key(&self, key: WrappedDataKey) -> Result<WrappedDataKey, StoreError>;

    /// The canary, once there is one.
    async fn canary(&self) -> Result<Option<SealedSecret>, StoreError>;

    /// Adds the canary. MUST be atomic in the same way.
    async fn add_canary(&self, canary: SealedSecret) -> Result<SealedSecret, StoreError>;
}
