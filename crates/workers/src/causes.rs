//! Errors for the log: with what caused them, which their own text leaves out.

use std::error::Error;
use std::fmt;

/// Shows an error and its causes, from the outermost to the innermost.
pub(crate) struct Causes<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::StoreError;

    use super::*;

    #[test]
    fn the_cause_is_shown() {
        let error = StoreError::Unavailable("disk full".into());
        assert_eq!(Causes(&error).to_string(), "the store is not available: disk full");
    }
}
