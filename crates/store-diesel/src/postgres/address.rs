//! Where a PostgreSQL database is, and how the way there is protected.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::OpenError;

/// A database's address.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) protection: Protection,
}

/// How a connection is protected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Not at all: on this machine, or because the operator says so.
    None,
    /// By TLS, with a certificate for the host that these authorities signed: the ones in a PEM file, or those that the
    /// system trusts.
    Tls { authorities: Option<PathBuf> },
}

impl Address {
    /// Reads a URL as libpq does (PostgreSQL manual, 34.1.1.2), but for `sslmode`: what it leaves open to whoever listens
    /// on the wire is refused, so `require` verifies the server as `verify-full` does.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
        let mut others = form_urlencoded::Serializer::new(String::new());
        let (mut mode, mut authorities) = (None, None);
        // A plus sign in such a URL is a plus sign.
        let parameters = parameters.replace('+', "%2B");
        for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" if value == "system" => authorities = None,
                "sslrootcert" => authorities = Some(PathBuf::from(value.into_owned())),
                _ => {
                    others.append_pair(&name, &value);
                }
            }
        }
        let others = others.finish().replace('+', "%20");
        let mut config =
            Config::from_str(&format!("{base}?{others}")).map_err(|source| OpenError::Address {
                // The text names the parameter, never its value.
                source: source.into(),
            })?;
        let protection = protection(&config, mode.as_deref(), authorities)?;
        config.ssl_mode(match protection {
            Protection::None => SslMode::Disable,
            Protection::Tls { .. } => SslMode::Require,
        });
        if config.get_application_name().is_none() {
            config.application_name("grantkeeper");
        }
        Ok(Self { config, protection })
    }

    /// What messages call the database: no user, no password.
    pub(crate) fn name(&self) -> String {
        let hosts: Vec<_> = self.config.get_hosts().iter().map(host_name).collect();
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres");
        format!("the PostgreSQL database {database} at {}", hosts.join(", "))
    }
}

fn protection(
    config: &Config,
    mode: Option<&str>,
    authorities: Option<PathBuf>,
) -> Result<Protection, OpenError> {
    match mode {
        None if authorities.is_none() && is_local(config) => Ok(Protection::None),
        Some("disable") => Ok(Protection::None),
        None | Some("require" | "verify-full") => Ok(Protection::Tls { authorities }),
        Some(_) => Err(OpenError::SslMode),
    }
}

/// Whether all there is to connect to is this machine.
fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

/// Whether a host is this machine, whose wire nobody else is on.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::parse(url).unwrap()
    }

    fn tls(authorities: Option<&str>) -> Protection {
        Protection::Tls { authorities: authorities.map(PathBuf::from) }
    }

    #[test]
    fn the_way_to_another_machine_is_protected() {
        assert_eq!(address("postgres://u:p@db.example/grants").protection, tls(None));
        assert_eq!(address("postgresql://u:p@10.0.0.7:6432/grants").protection, tls(None));
        assert_eq!(address("postgres://u:p@db.example/grants?sslmode=require").protection, tls(None));
        assert_eq!(address("postgres://u:p@db.example/grants?sslmode=disable").protection, Protection::None);
    }

    #[test]
    fn nobody_listens_on_the_way_to_this_machine() {
        for url in [
            "postgres://u:p@localhost/grants",
            "postgres://u:p@127.0.0.1:6432/grants",
            "postgres://u:p@[::1]/grants",
            "postgres:///grants?host=/run/postgresql",
            "postgres://u:p@localhost/grants?hostaddr=127.0.0.1",
        ] {
            assert_eq!(address(url).protection, Protection::None, "{url}");
        }
        assert_eq!(address("postgres://u:p@localhost/grants?sslmode=verify-full").protection, tls(None));
        assert_eq!(address("postgres://u:p@localhost,db.example/grants").protection, tls(None));
        assert_eq!(address("postgres://u:p@localhost/grants?hostaddr=192.0.2.2").protection, tls(None));
    }

    #[test]
    fn the_authorities_may_be_named() {
        let named = "postgres://u:p@localhost/grants?sslrootcert=/etc/my%20c+a.pem";
        assert_eq!(address(named).protection, tls(Some("/etc/my c+a.pem")));
        let system = "postgres://u:p@db.example/grants?sslmode=verify-full&sslrootcert=system";
        assert_eq!(address(system).protection, tls(None));
    }

    #[test]
    fn a_mode_that_trusts_whoever_answers_is_refused() {
        for mode in ["allow", "prefer", "verify-ca", "no"] {
            let refused = Address::parse(&format!("postgres://u:p@db.example/grants?sslmode={mode}"));
            assert!(matches!(refused, Err(OpenError::SslMode)), "{mode}");
        }
    }

    #[test]
    fn other_parameters_are_kept() {
        let address = address(
            "postgres://u:p@db.example/grants?connect_timeout=3&options=-c%20geqo%3Doff&sslmode=require",
        );
        assert_eq!(address.config.get_connect_timeout(), Some(&std::time::Duration::from_secs(3)));
        assert_eq!(address.config.get_options(), Some("-c geqo=off"));
    }

    #[test]
    fn a_message_names_the_database_and_no_credential() {
        let address = address("postgres://alice:hunter2@db.example:6432/grants");
        assert_eq!(address.name(), "the PostgreSQL database grants at db.example");
        let refused = Address::parse("postgres://alice:hunter2@db.example/grants?color=blue").unwrap_err();
        let text = format!("{refused} {refused:?}");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("color"), "{text}");
    }
}
