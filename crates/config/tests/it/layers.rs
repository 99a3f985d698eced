//! File, environment and overrides.

use std::time::Duration;

use grantkeeper_config::{AllowedPeer, LogFormat, Settings};
use grantkeeper_domain::login::RedirectOrigin;

use crate::support::{SettingsFile, from_environment, from_file, from_overrides, lines, pairs};

#[test]
fn the_defaults_are_as_documented() {
    let settings = Settings::load(None, std::iter::empty(), &[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.public_url, None);
    assert_eq!(settings.database_url.as_str(), "sqlite://grantkeeper.db");
    assert_eq!(settings.database_connections, 16);
    assert_eq!(settings.workers, None);
    assert_eq!((settings.log.format, settings.log.level.as_str()), (LogFormat::Human, "info"));
    assert!(settings.network.allow.is_empty() && settings.network.trusted_proxies.is_empty());
    assert_eq!(settings.tokens.freshness_margin, Duration::from_secs(60));
    assert_eq!(settings.tokens.caller_wait, Duration::from_secs(4));
    assert_eq!(settings.tokens.upstream_limit, Duration::from_secs(30));
    let limits = settings.limits;
    assert_eq!((limits.flows_per_caller, limits.flows_per_address), (600, 6_000));
    assert_eq!((limits.callbacks_per_caller, limits.callbacks_per_address), (1_200, 12_000));
    assert_eq!((limits.token_reads_per_caller, limits.token_reads_per_address), (60_000, 300_000));
    assert_eq!((limits.wrong_tokens_per_address, limits.connections), (3_000, 10_000));
    assert_eq!(settings.browser.session_cookie, "coder_session_token");
    assert!(settings.browser.confirmation);
    let login = settings.login;
    assert_eq!((login.device_provider, login.providers), (None, vec![]));
    assert_eq!(login.token_lifetime, Duration::from_secs(90 * 24 * 3600));
    let redirects: Vec<_> = login.redirects.iter().map(RedirectOrigin::as_text).collect();
    assert_eq!(redirects, ["https://golem.cloud"]);
    assert!(login.confirmation_page);
    assert!(!settings.simulator.enabled && !settings.simulator.auto_consent);
    assert!(!settings.simulator.allow_with_public_url);
    assert_eq!(settings.simulator.listen.to_string(), "127.0.0.1:9099");
    assert_eq!(settings.providers.iter().count(), 0);
    assert_eq!(settings.jobs.poll_interval, Duration::from_millis(500));
    assert_eq!(settings.jobs.shutdown_timeout, Duration::from_secs(35));
    assert!(settings.warnings.is_empty());
}

#[test]
fn flags_beat_the_environment_and_the_environment_beats_the_file() {
    let file = SettingsFile::new(
        "listen = \"127.0.0.1:1\"\nworkers = 1\n[tokens]\ncaller_wait = 1\nupstream_limit = 11\nfreshness_margin = 1\n",
    );
    let environment = [("GRANTKEEPER_LISTEN", "127.0.0.1:2"), ("GRANTKEEPER_TOKENS__CALLER_WAIT", "2")];
    let environment = pairs(&[environment[0], environment[1], ("GRANTKEEPER_TOKENS__UPSTREAM_LIMIT", "12")]);
    let overrides = pairs(&[("listen", "127.0.0.1:3"), ("tokens.caller_wait", "3")]);
    let settings = Settings::load(Some(&file.path), environment.into_iter(), &overrides).unwrap();

    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.workers, Some(1));
    assert_eq!(settings.tokens.caller_wait, Duration::from_secs(3));
    assert_eq!(settings.tokens.upstream_limit, Duration::from_secs(12));
    assert_eq!(settings.tokens.freshness_margin, Duration::from_secs(1));
}

#[test]
fn the_environment_reaches_every_section() {
    let settings = from_environment(&[
        ("GRANTKEEPER_PUBLIC_URL", "http://localhost:8080"),
        ("GRANTKEEPER_BROWSER__CONFIRMATION", "false"),
        ("GRANTKEEPER_NETWORK__ALLOW", "10.0.0.0/8, 127.0.0.1 ,gitlab.internal"),
        ("GRANTKEEPER_NETWORK__TRUSTED_PROXIES", "::1"),
        ("GRANTKEEPER_SIMULATOR__ENABLED", "true"),
        ("GRANTKEEPER_PROVIDERS__TEST__TOKEN_URL", "http://127.0.0.1:9099/token"),
        ("GRANTKEEPER_LIMITS__TOKEN_READS_PER_CALLER", "0"),
        ("GRANTKEEPER_LOG__FORMAT", "json"),
        ("GRANTKEEPER_LOG__LEVEL", "warn,grantkeeper_rest::error=debug"),
    ])
    .unwrap();
    let net = |text: &str| AllowedPeer::Net(text.parse().unwrap());
    let host = AllowedPeer::Host("gitlab.internal".to_owned());
    assert_eq!(settings.network.allow, [net("10.0.0.0/8"), net("127.0.0.1/32"), host]);
    assert_eq!(settings.network.trusted_proxies, ["::1/128".parse().unwrap()]);
    assert!(settings.simulator.enabled && !settings.browser.confirmation);
    assert_eq!(settings.limits.token_reads_per_caller, 0);
    assert_eq!(settings.log.format, LogFormat::Json);
    let types: Vec<_> = settings.providers.iter().map(|(name, _)| name).collect();
    assert_eq!(types, ["test"]);
    let token_url = settings.providers.get("test").unwrap().token_url.as_ref();
    assert_eq!(token_url.unwrap().as_str(), "http://127.0.0.1:9099/token");
}

#[test]
fn a_section_may_be_empty() {
    from_file("[tokens]\n[providers]\n[providers.oidc]\n[login]\n[login.providers]\n").unwrap();
}

#[test]
fn other_variables_are_left_alone() {
    from_environment(&[
        ("PATH", "/bin"),
        ("LISTEN", "nonsense"),
        ("GRANTKEEPERS", "nonsense"),
        ("GRANTKEEPER_CONFIG", "grantkeeper.toml"),
        // What Kubernetes sets in every pod beside a service of this name.
        ("GRANTKEEPER_SERVICE_HOST", "10.96.0.7"),
        ("GRANTKEEPER_SERVICE_PORT_HTTP", "80"),
        ("GRANTKEEPER_PORT", "tcp://10.96.0.7:80"),
        ("GRANTKEEPER_PORT_80_TCP_ADDR", "10.96.0.7"),
    ])
    .unwrap();
}

#[test]
fn an_empty_variable_is_not_set() {
    let file = SettingsFile::new("workers = 3\n");
    let environment = pairs(&[("GRANTKEEPER_WORKERS", ""), ("GRANTKEEPER_KEY", "")]);
    let settings = Settings::load(Some(&file.path), environment.into_iter(), &[]).unwrap();
    assert_eq!(settings.workers, Some(3));
}

#[test]
fn of_two_overrides_the_later_counts() {
    let settings = from_overrides(&[("workers", "1"), ("workers", "2")]).unwrap();
    assert_eq!(settings.workers, Some(2));
}

#[test]
fn an_override_that_is_a_path_into_a_list_is_unknown() {
    // The merging crate would take it for one, and make a list of that length.
    let found = lines(from_overrides(&[("network.allow[9999999999999]", "x")]));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("network.allow[9999999999999] (flag): unknown key; in [network] there are ")
    );
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grantkeeper.toml");
    assert_eq!(
        lines(Settings::load(Some(&path), std::iter::empty(), &[])),
        ["file grantkeeper.toml: cannot be read: No such file or directory (os error 2)"]
    );
}

#[test]
fn a_short_shutdown_is_a_warning() {
    let settings = from_overrides(&[("jobs.shutdown_timeout", "5")]).unwrap();
    assert_eq!(
        settings.warnings,
        [
            "jobs.shutdown_timeout is shorter than tokens.upstream_limit: a token that is being refreshed when the \
          service stops can be lost"
        ]
    );
}
