//! Why a command failed, as its user reads it.

use std::error::Error;
use std::fmt;

/// What a failing command tells: every error of a command ends here, with its causes.
///
/// It is no [`Error`] itself, so that any error converts into it with `?`.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure in words.
    pub(crate) fn of(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The same with what was being done in front.
    #[must_use]
    pub(crate) fn in_context(self, doing: impl fmt::Display) -> Self {
        Self(format!("{doing}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let this = error.to_string();
            // Some errors repeat their cause in their own text.
            if !text.ends_with(&this) {
                text = format!("{text}: {this}");
            }
            cause = error.source();
        }
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::StoreError;

    use super::*;

    #[test]
    fn the_causes_are_told() {
        let failure = Failure::from(StoreError::Unavailable("disk full".into()));
        assert_eq!(failure.to_string(), "the store is not available: disk full");
        assert_eq!(failure.in_context("saving").to_string(), "saving: the store is not available: disk full");
    }
}
