//! Where an SQLite database is.

use std::path::{self, PathBuf};

use crate::OpenError;

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// In memory, for as long as its one connection is open.
    Memory,
    /// In a file, by its absolute path: SQLite would read some relative ones as something else (`file:`, `:memory:`).
    File(PathBuf),
}

impl Location {
    /// Reads a URL.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        if url == "sqlite::memory:" {
            return Ok(Self::Memory);
        }
        let path = url.strip_prefix("sqlite://").ok_or(OpenError::UnknownUrl)?;
        if path.is_empty() || path.ends_with('/') || path.ends_with(":memory:") || path.contains('\0') {
            return Err(OpenError::UnknownUrl);
        }
        if path.contains('?') {
            return Err(OpenError::Parameters);
        }
        path::absolute(path).map(Self::File).map_err(|_| OpenError::UnknownUrl)
    }

    /// The path, as messages name it.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Memory => PathBuf::from(":memory:"),
            Self::File(path) => path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn file(url: &str) -> PathBuf {
        Location::parse(url).unwrap().path()
    }

    #[test]
    fn a_path_is_taken_letter_by_letter() {
        assert_eq!(file("sqlite:///srv/grant keeper/%20.db"), Path::new("/srv/grant keeper/%20.db"));
        assert_eq!(file("sqlite://grantkeeper.db"), path::absolute("grantkeeper.db").unwrap());
        assert_eq!(file("sqlite://./data/file:x.db"), path::absolute("data/file:x.db").unwrap());
    }

    #[test]
    fn memory_has_a_spelling_of_its_own() {
        assert_eq!(Location::parse("sqlite::memory:").unwrap(), Location::Memory);
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["", "grantkeeper.db", "sqlite:", "sqlite:grantkeeper.db", "sqlite://", "mysql://x/y"] {
            assert!(matches!(Location::parse(url), Err(OpenError::UnknownUrl)), "{url}");
        }
        for url in ["sqlite://:memory:", "sqlite:///folder/", "sqlite://a\0b"] {
            assert!(matches!(Location::parse(url), Err(OpenError::UnknownUrl)), "{url}");
        }
        assert!(matches!(Location::parse("sqlite://x.db?mode=ro"), Err(OpenError::Parameters)));
    }
}
