//! One site as the owner of the simulator sees it.

use std::fmt;

use crate::faults::Fault;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::sites::SiteRow;
use crate::state::User;
use crate::stats::Stats;

/// One provider that the simulator plays, with a state of its own.
///
/// ```
/// use grantkeeper_provider_simulator::{RateLimit, Simulator, SimulatorOptions};
///
/// # fn main() -> std::io::Result<()> {
/// let simulator = Simulator::start(SimulatorOptions::default())?;
/// let Some(github) = simulator.site("github") else { unreachable!("it is in the table") };
/// assert_eq!(github.url(), format!("{}/github.com", simulator.url()));
/// github.update_settings(|settings| settings.rate_limit = RateLimit::Github403);
/// # Ok(())
/// # }
/// ```
pub struct Site<'a> {
    row: &'static SiteRow,
    shared: &'a Shared,
    origin: &'a str,
    url: String,
}

impl<'a> Site<'a> {
    /// The site of a row in a simulator at this origin.
    pub(crate) fn new(row: &'static SiteRow, shared: &'a Shared, origin: &'a str) -> Self {
        Self { row, shared, origin, url: row.place(origin).web }
    }

    /// Its name, such as `github`.
    pub fn name(&self) -> &'static str {
        self.row.name
    }

    /// Where its pages are, such as `http://127.0.0.1:41234/github.com`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where all of it is: its hosts, each as a URL of this simulator without a slash at the end.
    pub fn mounts(&self) -> Vec<String> {
        self.row.mounts.iter().map(|mount| format!("{}{}", self.origin, mount.path)).collect()
    }

    /// The user identifier here for somebody whom the simulator knows by this `sub`, as
    /// [`site_subject`](crate::site_subject) has it.
    pub fn subject(&self, sub: &str) -> String {
        (self.row.dialect.subject)(sub)
    }

    /// A personal access token: one that somebody whom the simulator knows by this `sub` has made by hand for these scopes,
    /// and that was issued to no client. `None`: people make none here.
    pub fn personal_token(&self, sub: &str, scope: &str) -> Option<String> {
        self.shared.provider().make_personal_token(User::with_sub(sub), scope)
    }

    /// The calls so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Replaces all faults that wait by these; none clears them.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.set_faults(faults);
    }

    /// The settings now.
    pub fn settings(&self) -> Settings {
        self.shared.settings()
    }

    /// Changes settings from now on.
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.shared.update_settings(change);
    }

    /// Forgets calls and faults and returns to the settings of the start. Tokens, keys and secrets stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Every authorization code, access token, refresh token, ID token and device code ever issued here, and every
    /// client secret and PKCE verifier ever received, each once, in the order of their first appearance.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.shared.provider().issued_secrets()
    }
}

impl fmt::Debug for Site<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Site")
            .field("name", &self.name())
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
