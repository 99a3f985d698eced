//! The registry of typed ids. Every id is a UUID version 7 (RFC 9562, 5.7), so that ids sort by age.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::services::Random;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id from the time and 74 random bits.
            pub fn generate(random: &dyn Random, now: DateTime<Utc>) -> Self {
                Self(uuid_v7(random, now))
            }

            /// Takes an id as a store kept it.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as stores keep it.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let uuid = Uuid::try_parse(text).map_err(|_| NotAnId)?;
                // One id, one spelling: a caller's cache must not hold two names of one thing.
                let mut canonical = Uuid::encode_buffer();
                let canonical = uuid.hyphenated().encode_lower(&mut canonical);
                if *canonical == *text { Ok(Self(uuid)) } else { Err(NotAnId) }
            }
        }
    )+};
}

typed_ids! {
    /// An organization: the tenant that owns providers and accounts.
    OrganizationId,
    /// A user of one organization.
    AccountId,
    /// An API token issued by this service.
    ApiTokenId,
    /// An OAuth client that an organization registered at a provider.
    ProviderId,
    /// A set of sealed credentials (a client's, or those of one authorization).
    CredentialId,
    /// A user's authorization (RFC 6749, 1.3) at a provider, with its tokens.
    AuthorizationId,
    /// One run of the authorization code flow.
    FlowId,
    /// One run of the device flow.
    DeviceFlowId,
    /// One run of signing in.
    LoginId,
    /// Somebody at a provider who signs in as an account.
    LoginIdentityId,
    /// A background job.
    JobId,
    /// A durable revocation of one authorization's tokens.
    RevocationId,
    /// An entry of the audit log.
    AuditId,
    /// A data key that seals one organization's secrets.
    DataKeyId,
}

/// The text is not the canonical form of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

fn uuid_v7(random: &dyn Random, now: DateTime<Utc>) -> Uuid {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}
