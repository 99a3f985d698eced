//! All settings together.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::layer::Layer;
use crate::problem::{ConfigErrors, Problem};
use crate::reader::Reader;
use crate::sections::browser::Browser;
use crate::sections::database_url::DatabaseUrl;
use crate::sections::external_auth::ExternalAuth;
use crate::sections::jobs::Jobs;
use crate::sections::keys::{KeyText, Keys};
use crate::sections::limits::Limits;
use crate::sections::log::Log;
use crate::sections::login::Login;
use crate::sections::network::Network;
use crate::sections::providers::Providers;
use crate::sections::public_url::PublicUrl;
use crate::sections::simulator::Simulator;
use crate::sections::tokens::Tokens;

/// The validated settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the service listens.
    pub listen: SocketAddr,
    /// Where browsers and providers reach it. Not every command needs it: see [`Settings::for_serving`].
    pub public_url: Option<PublicUrl>,
    /// Where the store is.
    pub database_url: DatabaseUrl,
    /// PostgreSQL: how many connections this process may have for writes and lists.
    pub database_connections: usize,
    /// How many threads answer requests; by default one per core.
    pub workers: Option<usize>,
    /// Where the operator's key is.
    pub keys: Keys,
    /// What is logged, and how.
    pub log: Log,
    /// Who may be called, and which proxies are believed.
    pub network: Network,
    /// How access tokens are kept fresh.
    pub tokens: Tokens,
    /// How often an account and an address may do what costs something.
    pub limits: Limits,
    /// The pages that people see.
    pub browser: Browser,
    /// Where and how people sign in.
    pub login: Login,
    /// How the `external_auth` API is called.
    pub external_auth: ExternalAuth,
    /// The simulated provider.
    pub simulator: Simulator,
    /// Replaced endpoints.
    pub providers: Providers,
    /// Work in the background.
    pub jobs: Jobs,
    /// What is allowed but unwise, one line each, for the log.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Reads the settings: from a file if there is one, from the environment, and from overrides (dotted keys with
    /// their values), each stronger than the one before. Paths in them are relative to the working directory.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        overrides: &[(String, String)],
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Vec::new();
        let layers = [
            file.map(|path| Layer::from_file(path, &mut problems)).unwrap_or_default(),
            Layer::from_environment(environment, &mut problems),
            Layer::from_overrides(overrides),
        ];
        let mut reader = Reader::over(&layers, problems);
        let mut settings = Self::read(&mut reader);
        settings.warnings = settings.unwise(file);
        reader.finish(&layers, settings)
    }

    fn read(reader: &mut Reader) -> Self {
        let public_url = reader.parsed("public_url", PublicUrl::parse);
        let workers = reader.number("workers", &(1..=1_024), "the number of threads");
        let connections = reader.number("database_connections", &(1..=1_000), "the number of connections");
        Self {
            listen: reader
                .parsed("listen", address)
                .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8_080))),
            database_url: reader.parsed("database_url", DatabaseUrl::parse).unwrap_or_default(),
            database_connections: connections.and_then(|number| usize::try_from(number).ok()).unwrap_or(16),
            workers: workers.and_then(|workers| usize::try_from(workers).ok()),
            keys: Keys::read(reader),
            log: Log::read(reader),
            network: Network::read(reader),
            tokens: Tokens::read(reader),
            limits: Limits::read(reader),
            browser: Browser::read(reader, public_url.as_ref()),
            login: Login::read(reader),
            external_auth: ExternalAuth::read(reader),
            simulator: Simulator::read(reader, public_url.as_ref()),
            providers: Providers::read(reader),
            jobs: Jobs::read(reader),
            public_url,
            warnings: Vec::new(),
        }
    }

    /// What serving needs beyond the defaults: the public URL and the key. Tells all that is missing at once.
    pub fn for_serving(&self) -> Result<(&PublicUrl, KeyText), ConfigErrors> {
        let key = self.keys.text();
        let Some(public_url) = &self.public_url else {
            let missing = Problem::missing(
                "public_url",
                "not given; set it, or GRANTKEEPER_PUBLIC_URL, to the origin that browsers reach this service at, \
                 such as https://auth.example.com",
            );
            let others = key.err().into_iter().flat_map(|errors| errors.problems().to_vec());
            return Err(ConfigErrors::of(std::iter::once(missing).chain(others).collect()));
        };
        Ok((public_url, key?))
    }

    fn unwise(&self, file: Option<&Path>) -> Vec<String> {
        let mut warnings = self.keys.warnings(file);
        if self.jobs.shutdown_timeout < self.tokens.upstream_limit {
            warnings.push(
                "jobs.shutdown_timeout is shorter than tokens.upstream_limit: a token that is being refreshed when \
                 the service stops can be lost"
                    .to_owned(),
            );
        }
        warnings.extend(self.login.warnings(self.public_url.as_ref()));
        warnings.extend(self.external_auth.warnings());
        warnings
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not an address with a port; give one such as 127.0.0.1:8080"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::EXAMPLE;

    /// The example's keys, those that are commented out included.
    fn keys_of_the_example() -> BTreeSet<String> {
        let mut section = String::new();
        let mut keys = BTreeSet::new();
        for line in EXAMPLE.lines() {
            let line = line.strip_prefix("# ").unwrap_or(line);
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = format!("{name}.");
            } else if let Some((name, _)) = line.split_once(" = ")
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            {
                keys.insert(format!("{section}{name}"));
            }
        }
        keys
    }

    #[test]
    fn the_example_has_every_key_and_no_other() {
        let one_login_provider = [("login.providers.github.organization".to_owned(), "Acme".to_owned())];
        let mut reader = Reader::over(&[Layer::from_overrides(&one_login_provider)], Vec::new());
        Settings::read(&mut reader);
        // One provider type stands for all of them, and one login provider for both of the example.
        let known: BTreeSet<_> = reader
            .known()
            .iter()
            .filter(|key| !key.starts_with("providers.") || key.starts_with("providers.oidc."))
            .filter(|key| *key != "login.providers.NAME")
            .cloned()
            .collect();
        let of_the_example = keys_of_the_example();
        let of_the_example: BTreeSet<_> =
            of_the_example.iter().map(|key| key.replace(".microsoft.", ".github.")).collect();
        assert_eq!(of_the_example, known);
    }

    #[test]
    fn the_example_explains_every_key() {
        let lines: Vec<_> = EXAMPLE.lines().collect();
        for pair in lines.windows(2) {
            let setting = pair[1].contains(" = ") && !pair[1].contains('`');
            assert!(!setting || pair[0].starts_with("# "), "nothing is said of {}", pair[1]);
        }
    }
}
