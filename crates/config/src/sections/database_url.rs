//! `database_url`.

use std::fmt;

/// Where the store is: `sqlite://PATH`, `postgres://…` or `sqlite::memory:`. `Debug` shows only the scheme, as a
/// database URL may have a password in it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let is_known = ["sqlite://", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        if is_known || text == "sqlite::memory:" {
            Ok(Self(text.to_owned()))
        } else {
            Err("give sqlite://PATH (sqlite:///PATH for an absolute one), postgres://USER:PASSWORD@HOST/DATABASE, or \
                 sqlite::memory:"
                .to_owned())
        }
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self("sqlite://grantkeeper.db".to_owned())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.split(':').next().unwrap_or_default();
        write!(f, "DatabaseUrl({scheme}:…)")
    }
}
