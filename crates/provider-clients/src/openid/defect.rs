//! What can be wrong with an ID token.

use grantkeeper_domain::providers::UpstreamError;
use openidconnect::{ClaimsVerificationError, SignatureVerificationError};

use crate::failure::untrusted;

/// Why an ID token is not trusted (OpenID Connect Core, 3.1.3.7; RFC 8725).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// There is none.
    Missing,
    /// Not a JWT, or claims that every ID token has are not there.
    Malformed,
    /// Encrypted, nested, of another type, or with header fields that must be understood and are not.
    Unsupported,
    /// The header brings a key, or points to one.
    BringsItsKey,
    /// `alg` is `none`.
    Unsigned,
    /// `alg` is not one of the public-key algorithms that we take.
    Algorithm,
    /// No key of the provider fits.
    UnknownKey,
    /// Several keys of the provider fit, and the token does not say which.
    AmbiguousKey,
    /// The signature is wrong.
    Signature,
    /// `iss` is somebody else.
    Issuer,
    /// `aud` is not us.
    Audience,
    /// `azp` is not us, or is missing beside several audiences.
    AuthorizedParty,
    /// `exp` is past.
    Expired,
    /// `iat` is in the future.
    IssuedInFuture,
    /// `nonce` is not the one of the flow.
    Nonce,
    /// `at_hash` is not that of the access token.
    AccessTokenHash,
}

impl Defect {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Missing => "id_token_missing",
            Self::Malformed => "id_token_malformed",
            Self::Unsupported => "id_token_unsupported",
            Self::BringsItsKey => "id_token_brings_its_key",
            Self::Unsigned => "id_token_unsigned",
            Self::Algorithm => "id_token_algorithm",
            Self::UnknownKey => "id_token_unknown_key",
            Self::AmbiguousKey => "id_token_ambiguous_key",
            Self::Signature => "id_token_signature",
            Self::Issuer => "id_token_issuer",
            Self::Audience => "id_token_audience",
            Self::AuthorizedParty => "id_token_authorized_party",
            Self::Expired => "id_token_expired",
            Self::IssuedInFuture => "id_token_issued_in_future",
            Self::Nonce => "id_token_nonce",
            Self::AccessTokenHash => "id_token_access_token_hash",
        }
    }
}

impl From<Defect> for UpstreamError {
    fn from(defect: Defect) -> Self {
        untrusted(defect.code())
    }
}

impl From<ClaimsVerificationError> for Defect {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::Expired(_) => Self::Expired,
            ClaimsVerificationError::InvalidAudience(_) => Self::Audience,
            ClaimsVerificationError::InvalidIssuer(_) => Self::Issuer,
            ClaimsVerificationError::InvalidNonce(_) => Self::Nonce,
            ClaimsVerificationError::SignatureVerification(error) => error.into(),
            ClaimsVerificationError::Unsupported(_) => Self::Unsupported,
            _ => Self::Malformed,
        }
    }
}

impl From<SignatureVerificationError> for Defect {
    fn from(error: SignatureVerificationError) -> Self {
        match error {
            SignatureVerificationError::NoSignature => Self::Unsigned,
            SignatureVerificationError::DisallowedAlg(_) | SignatureVerificationError::UnsupportedAlg(_) => {
                Self::Algorithm
            }
            SignatureVerificationError::NoMatchingKey => Self::UnknownKey,
            SignatureVerificationError::AmbiguousKeyId(_) => Self::AmbiguousKey,
            _ => Self::Signature,
        }
    }
}
