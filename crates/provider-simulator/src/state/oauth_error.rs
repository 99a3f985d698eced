//! The errors that RFC 6749 and its relatives define.

/// The `error` of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// RFC 6749 sections 4.1.2.1 and 5.2.
    InvalidRequest,
    /// RFC 6749 section 5.2.
    InvalidClient,
    /// RFC 6749 section 5.2.
    InvalidGrant,
    /// RFC 6749 section 5.2.
    InvalidScope,
    /// RFC 6749 section 5.2.
    UnsupportedGrantType,
    /// RFC 6749 section 4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749 section 4.1.2.1, RFC 8628 section 3.5.
    AccessDenied,
    /// OpenID Connect Core section 3.1.2.6.
    InteractionRequired,
    /// RFC 7009 section 2.2.1.
    UnsupportedTokenType,
    /// RFC 8628 section 3.5.
    AuthorizationPending,
    /// RFC 8628 section 3.5.
    SlowDown,
    /// RFC 8628 section 3.5.
    ExpiredToken,
    /// The body of a token request is no form: an `invalid_request` by the RFCs.
    NotAForm,
    /// The authorization code is unknown, used or expired, or was not proved: an `invalid_grant` by the RFCs.
    InvalidCode,
    /// The redirect URI is not that of the authorization: an `invalid_grant` by the RFCs.
    RedirectUriMismatch,
    /// The refresh token is unknown, used or revoked: an `invalid_grant` by the RFCs.
    InvalidRefreshToken,
    /// The refresh token was not used for too long: an `invalid_grant` by the RFCs.
    ExpiredRefreshToken,
    /// The device code is unknown or used: an `invalid_grant` by the RFCs.
    InvalidDeviceCode,
    /// There is no device grant for this client: an `unauthorized_client` by the RFCs.
    DeviceGrantDisabled,
    /// The token to revoke is unknown where that is an error.
    UnknownToken,
    /// The simulator itself failed.
    ServerError,
}

impl ErrorCode {
    /// The code as the RFCs spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest | Self::NotAForm => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant
            | Self::InvalidCode
            | Self::RedirectUriMismatch
            | Self::InvalidRefreshToken
            | Self::ExpiredRefreshToken
            | Self::InvalidDeviceCode => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::InteractionRequired => "interaction_required",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::DeviceGrantDisabled => "unauthorized_client",
            Self::UnknownToken => "invalid_token",
            Self::ServerError => "server_error",
        }
    }
}

/// An error answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OAuthError {
    /// What kind of error.
    pub(crate) code: ErrorCode,
    /// `error_description`: for people, fixed text, so that it never tells a secret.
    pub(crate) description: &'static str,
    /// With `slow_down`: the interval from now on, in seconds.
    pub(crate) interval: Option<u32>,
}

impl OAuthError {
    /// An error with its description.
    pub(crate) const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description, interval: None }
    }

    /// `invalid_request`.
    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// `invalid_grant`.
    pub(crate) const fn invalid_grant(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }

    /// `slow_down`, with the new interval.
    pub(crate) const fn slow_down(interval: u32) -> Self {
        Self { code: ErrorCode::SlowDown, description: "polls come too fast", interval: Some(interval) }
    }

    /// `invalid_client`.
    pub(crate) const fn invalid_client(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidClient, description)
    }
}
