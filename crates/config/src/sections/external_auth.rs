//! `[external_auth]`: the API of links, and the machines that read their tokens.

use std::time::Duration;

use crate::reader::Reader;

/// How the `external_auth` API is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalAuth {
    /// Whether a caller may put its token into the query of a URL.
    pub tokens_in_query: bool,
    /// How long a machine's call waits for a person to link an account.
    pub listen_limit: Duration,
}

impl Default for ExternalAuth {
    fn default() -> Self {
        Self { tokens_in_query: false, listen_limit: Duration::from_secs(5 * 60) }
    }
}

impl ExternalAuth {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            tokens_in_query: reader
                .switch("external_auth.tokens_in_query")
                .unwrap_or(default.tokens_in_query),
            listen_limit: reader
                .seconds("external_auth.listen_limit", &(1..=3_600))
                .unwrap_or(default.listen_limit),
        }
    }

    /// What is allowed but unwise.
    pub(crate) fn warnings(&self) -> Option<String> {
        self.tokens_in_query.then(|| {
            "external_auth.tokens_in_query is on: callers may put their token into a URL, and URLs end in the logs of \
             proxies and in the histories of browsers"
                .to_owned()
        })
    }
}
