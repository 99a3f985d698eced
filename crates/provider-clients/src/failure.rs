//! Short spellings of the two failures that this crate finds itself, in contrast to those that providers name.

use grantkeeper_domain::providers::UpstreamError;

/// An answer that did not come or made no sense.
pub(crate) fn unavailable(reason: &'static str) -> UpstreamError {
    UpstreamError::Unavailable { reason, retry_after: None }
}

/// An answer that must not be trusted.
pub(crate) fn untrusted(reason: &'static str) -> UpstreamError {
    UpstreamError::Untrusted { reason }
}
