//! What is wrong with a configuration.

use std::fmt;

/// One thing that is wrong: which key, where its value came from, and what to do.
///
/// It never holds the value of a secret setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    key: Option<String>,
    origin: Option<String>,
    message: String,
}

impl Problem {
    /// With the value of a key that came from `origin`.
    pub(crate) fn with(key: &str, origin: Option<&str>, message: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), origin: origin.map(str::to_owned), message: message.into() }
    }

    /// With a key that was not given.
    pub(crate) fn missing(key: &str, message: impl Into<String>) -> Self {
        Self::with(key, None, message)
    }

    /// With a source as a whole.
    pub(crate) fn of_source(origin: &str, message: impl Into<String>) -> Self {
        Self { key: None, origin: Some(origin.to_owned()), message: message.into() }
    }

    /// The key in dotted form, `tokens.caller_wait`, when it is about one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Where the value came from: `file NAME`, `environment variable NAME` or `flag`.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.origin) {
            (Some(key), Some(origin)) => write!(f, "{key} ({origin}): ")?,
            (Some(one), None) | (None, Some(one)) => write!(f, "{one}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

impl ConfigErrors {
    pub(crate) fn of(problems: Vec<Problem>) -> Self {
        debug_assert!(!problems.is_empty(), "no error without a problem");
        Self(problems)
    }

    /// The problems, never none.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for ConfigErrors {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
