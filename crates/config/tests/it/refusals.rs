//! Wrong settings: which key, where it came from, what to do.

use grantkeeper_config::Settings;

use crate::support::{SettingsFile, from_environment, from_file, from_overrides, lines, pairs};

/// Key, wrong value, what is said of it.
const WRONG: &[(&str, &str, &str)] = &[
    ("listen", "8080", r#""8080" is not an address with a port; give one such as 127.0.0.1:8080"#),
    (
        "listen",
        "localhost:80",
        r#""localhost:80" is not an address with a port; give one such as 127.0.0.1:8080"#,
    ),
    (
        "public_url",
        "auth.example.com",
        "not a URL (relative URL without a base); give one such as https://host.example/path",
    ),
    ("public_url", "http://auth.example.com", HTTPS),
    ("public_url", "http://localhost.example.com", HTTPS),
    ("public_url", "ftp://localhost", HTTPS),
    ("public_url", "https://auth.example.com/", ORIGIN),
    ("public_url", "https://auth.example.com/path", ORIGIN),
    ("public_url", "https://auth.example.com?query", ORIGIN),
    ("public_url", "https://Auth.example.com", ORIGIN),
    ("public_url", "https://auth.example.com:443", ORIGIN),
    ("public_url", "https://auth.example.com#here", "leave out the fragment (what follows #)"),
    ("public_url", "https://me:password@auth.example.com", "leave out the user name and password"),
    ("database_url", "mysql://me:password@host/db", DATABASE),
    ("database_url", "postgres://", DATABASE),
    ("database_url", "sqlite://", DATABASE),
    ("database_url", "grantkeeper.db", DATABASE),
    ("workers", "0", r#""0" does not do; give the number of threads, a whole number from 1 to 1024"#),
    ("log.format", "xml", r#""xml" is not a format; give "human" or "json""#),
    (
        "log.level",
        "inof",
        r#""inof" is not a filter; give one of off, error, warn, info, debug, trace, or levels per module as in "info,grantkeeper_rest=debug""#,
    ),
    (
        "log.level",
        "info,a-b=debug",
        r#""info,a-b=debug" is not a filter; give one of off, error, warn, info, debug, trace, or levels per module as in "info,grantkeeper_rest=debug""#,
    ),
    (
        "network.allow",
        "10.0.0.1/8",
        r#""10.0.0.1/8": the address is not the network's first; did you mean 10.0.0.0/8?"#,
    ),
    (
        "network.allow",
        "10.0.0.0/33",
        r#""10.0.0.0/33": give a network such as 10.0.0.0/8 or fd12::/16, or one address"#,
    ),
    (
        "network.allow",
        "0x7f.1",
        r#""0x7f.1": give a network such as 10.0.0.0/8, an address, or the name of a host"#,
    ),
    (
        "network.allow",
        "https://gitlab.internal",
        r#""https://gitlab.internal": give a network such as 10.0.0.0/8 or fd12::/16, or one address"#,
    ),
    (
        "network.allow",
        "gitlab.internal:443",
        r#""gitlab.internal:443": give a network such as 10.0.0.0/8, an address, or the name of a host"#,
    ),
    (
        "network.allow",
        "*.internal",
        r#""*.internal": give the host's name alone: lower case, no port, no wildcard, no dot at the end"#,
    ),
    (
        "network.allow",
        "gitlab.internal.",
        r#""gitlab.internal.": give the host's name alone: lower case, no port, no wildcard, no dot at the end"#,
    ),
    (
        "network.allow",
        "GitLab.internal",
        r#""GitLab.internal": give the host's name alone: lower case, no port, no wildcard, no dot at the end"#,
    ),
    (
        "network.allow",
        "::ffff:169.254.0.0/112",
        r#""::ffff:169.254.0.0/112": give an IPv4 network in its own form, without ::ffff:"#,
    ),
    (
        "network.allow",
        "169.254.169.254",
        r#""169.254.169.254": link-local addresses are never called; give networks that have none"#,
    ),
    (
        "network.allow",
        "169.254.0.0/20",
        r#""169.254.0.0/20": link-local addresses are never called; give networks that have none"#,
    ),
    (
        "network.allow",
        "0.0.0.0/0",
        r#""0.0.0.0/0": link-local addresses are never called; give networks that have none"#,
    ),
    (
        "network.allow",
        "fe80::1",
        r#""fe80::1": link-local addresses are never called; give networks that have none"#,
    ),
    (
        "network.allow",
        "::/0",
        r#""::/0": link-local addresses are never called; give networks that have none"#,
    ),
    (
        "network.allow",
        "168.63.129.16",
        r#""168.63.129.16": the metadata service of a cloud is never called; take it out"#,
    ),
    (
        "network.allow",
        "fd00:ec2::254/128",
        r#""fd00:ec2::254/128": the metadata service of a cloud is never called; take it out"#,
    ),
    (
        "network.allow",
        "metadata.google.internal",
        r#""metadata.google.internal": the metadata service of a cloud is never called; take it out"#,
    ),
    (
        "network.trusted_proxies",
        "proxy.internal",
        r#""proxy.internal": give a network such as 10.0.0.0/8 or fd12::/16, or one address"#,
    ),
    (
        "network.trusted_proxies",
        "0.0.0.0/0",
        r#""0.0.0.0/0": this would believe every client; give the addresses of your proxies"#,
    ),
    ("tokens.freshness_margin", "3601", r#""3601" does not do; give seconds, a whole number from 0 to 3600"#),
    ("tokens.freshness_margin", "-1", r#""-1" does not do; give seconds, a whole number from 0 to 3600"#),
    ("tokens.caller_wait", "5", r#""5" does not do; give seconds, a whole number from 1 to 4"#),
    ("tokens.caller_wait", "4s", r#""4s" does not do; give seconds, a whole number from 1 to 4"#),
    ("tokens.upstream_limit", "31", r#""31" does not do; give seconds, a whole number from 5 to 30"#),
    (
        "limits.flows_per_caller",
        "6000001",
        r#""6000001" does not do; give requests a minute, or 0 for no limit, a whole number from 0 to 6000000"#,
    ),
    (
        "limits.wrong_tokens_per_address",
        "off",
        r#""off" does not do; give requests a minute, or 0 for no limit, a whole number from 0 to 6000000"#,
    ),
    (
        "limits.connections",
        "0",
        r#""0" does not do; give the number of connections, a whole number from 1 to 1000000"#,
    ),
    (
        "browser.session_cookie",
        "a b",
        r#""a b" is not a cookie's name; give up to 64 letters, digits, - and _"#,
    ),
    ("browser.confirmation", "no", r#""no" is neither true nor false"#),
    ("external_auth.tokens_in_query", "yes", r#""yes" is neither true nor false"#),
    ("external_auth.listen_limit", "0", r#""0" does not do; give seconds, a whole number from 1 to 3600"#),
    (
        "external_auth.listen_limit",
        "3601",
        r#""3601" does not do; give seconds, a whole number from 1 to 3600"#,
    ),
    (
        "simulator.listen",
        "0.0.0.0:9099",
        r#""0.0.0.0:9099" is not an address of this machine with a port; give one such as 127.0.0.1:9099"#,
    ),
    (
        "simulator.plays_everyone",
        "true",
        "the providers in the cloud are played by the simulator, and it is switched off; switch both on, with \
         simulator.enabled = true, or neither",
    ),
    ("simulator.enabled", "1", r#""1" is neither true nor false"#),
    ("providers.oidc.token_url", "http://id.example.com/token", HTTPS),
    ("providers.oidc.token_url", "https://me@id.example.com/token", "leave out the user name and password"),
    ("providers.oidc.issuer", "https://id.example.com?tenant=1", "leave out the query (what follows ?)"),
    ("providers.github.api_url", "https://api.github.com/", "leave out the slash at the end"),
    ("providers.github.api_url", "https://api.github.com?x", "leave out the query (what follows ?)"),
    (
        "providers.github.jwks_url",
        "/jwks",
        "not a URL (relative URL without a base); give one such as https://host.example/path",
    ),
    ("jobs.poll_interval_ms", "9", r#""9" does not do; give milliseconds, a whole number from 10 to 60000"#),
    ("jobs.shutdown_timeout", "601", r#""601" does not do; give seconds, a whole number from 0 to 600"#),
    ("keys.file", "", "give the path of a file that holds the key"),
];

#[test]
fn every_wrong_setting_is_told_by_key_source_and_remedy() {
    let long_name = "x".repeat(65);
    for (key, value, message) in WRONG {
        assert_eq!(
            lines(from_overrides(&[(key, value)])),
            [format!("{key} (flag): {message}")],
            "{key} = {value}"
        );
    }
    let found = lines(from_overrides(&[("browser.session_cookie", &long_name)]));
    assert!(found[0].ends_with("give up to 64 letters, digits, - and _"), "{found:?}");
}

const HTTPS: &str = "give an https URL; http is only for localhost, 127.0.0.0/8 and [::1]";
const ORIGIN: &str =
    "give the origin alone, as https://auth.example.com: no path, no slash at the end, no default port";
const DATABASE: &str = "give sqlite://PATH (sqlite:///PATH for an absolute one), \
                        postgres://USER:PASSWORD@HOST/DATABASE, or sqlite::memory:";

#[test]
fn the_source_is_told() {
    let message = r#""5" does not do; give seconds, a whole number from 1 to 4"#;
    assert_eq!(
        lines(from_environment(&[("GRANTKEEPER_TOKENS__CALLER_WAIT", "5")])),
        [format!("tokens.caller_wait (environment variable GRANTKEEPER_TOKENS__CALLER_WAIT): {message}")]
    );
    assert_eq!(
        lines(from_file("[tokens]\ncaller_wait = 5\n")),
        [
            "tokens.caller_wait (file grantkeeper.toml): 5 does not do; give seconds, a whole number from 1 to 4"
        ]
    );
}

#[test]
fn the_source_is_that_of_the_value_that_counts() {
    let file = SettingsFile::new("[tokens]\ncaller_wait = 99\n");
    let load =
        |variables: &[(&str, &str)]| Settings::load(Some(&file.path), pairs(variables).into_iter(), &[]);
    load(&[("GRANTKEEPER_TOKENS__CALLER_WAIT", "2")]).unwrap();
    let found = lines(load(&[("GRANTKEEPER_TOKENS__CALLER_WAIT", "9")]));
    assert!(found[0].contains("(environment variable GRANTKEEPER_TOKENS__CALLER_WAIT): \"9\""), "{found:?}");
}

#[test]
fn wrong_types_in_a_file_are_told() {
    let table = [
        ("listen = 8080\n", "listen (file grantkeeper.toml): give a text, in quotes"),
        (
            "workers = 1.5\n",
            "workers (file grantkeeper.toml): 1.5 does not do; give the number of threads, a whole number from 1 \
             to 1024",
        ),
        ("[network]\nallow = 10\n", "network.allow (file grantkeeper.toml): give a list of texts"),
        ("[network]\nallow = [10]\n", "network.allow (file grantkeeper.toml): give a list of texts"),
        (
            "[browser]\nconfirmation = 0\n",
            "browser.confirmation (file grantkeeper.toml): 0 is neither true nor false",
        ),
    ];
    for (text, line) in table {
        assert_eq!(lines(from_file(text)), [line], "{text}");
    }
}

#[test]
fn unknown_keys_are_told_with_what_there_is() {
    const TOP: &str = "unknown key; at the top there are browser, database_connections, database_url, external_auth, jobs, keys, limits, listen, log, \
                       login, network, providers, public_url, simulator, tokens, workers";
    const TOKENS: &str = "unknown key; in [tokens] there are caller_wait, freshness_margin, \
                 hand_out_record, in_use_days, refresh_lease, refreshes_at_once, refreshes_per_second, upstream_limit";
    const TYPES: &str = "unknown key; in [providers] there are bitbucket, box, github, gitlab, google, microsoft, \
                         oidc, test";
    let files = [
        ("lisen = \"x\"\n", "lisen", TOP),
        ("Listen = \"127.0.0.1:1\"\n", "Listen", TOP),
        ("\"tokens.caller wait\" = 1\n", "tokens.caller wait", TOKENS),
        ("[token]\ncaller_wait = 1\n", "token.caller_wait", TOP),
        ("[token]\n", "token", TOP),
        ("[tokens]\ncaller_wiat = 1\n", "tokens.caller_wiat", TOKENS),
        ("[tokens.caller_wait]\nseconds = 1\n", "tokens.caller_wait.seconds", TOKENS),
        ("tokens = 1\n", "tokens", TOP),
        ("[providers.okta]\nissuer = \"https://x.example\"\n", "providers.okta.issuer", TYPES),
        ("[providers.okta]\n", "providers.okta", TYPES),
        ("[[providers]]\nissuer = \"https://x.example\"\n", "providers", TOP),
    ];
    for (text, key, message) in files {
        assert_eq!(lines(from_file(text)), [format!("{key} (file grantkeeper.toml): {message}")], "{text}");
    }
    assert_eq!(
        lines(from_environment(&[("GRANTKEEPER_TOKENS__WAIT", "1")])),
        [format!("tokens.wait (environment variable GRANTKEEPER_TOKENS__WAIT): {TOKENS}")]
    );
    assert_eq!(lines(from_overrides(&[("a..b", "1")])), [format!("a..b (flag): {TOP}")]);
}

#[test]
fn an_unknown_key_is_told_even_where_a_stronger_layer_covers_it() {
    let file = SettingsFile::new("tokens = 1\n");
    let overrides = pairs(&[("tokens.caller_wait", "2")]);
    let found = lines(Settings::load(Some(&file.path), std::iter::empty(), &overrides));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("tokens (file grantkeeper.toml): unknown key"), "{found:?}");
}

#[test]
fn a_file_that_is_not_toml_is_told_by_line_and_column() {
    let found = lines(from_file("workers = 1\nlisten = \n"));
    assert_eq!(found.len(), 1);
    let position = "file grantkeeper.toml: TOML parse error at line 2, column 10: ";
    assert!(found[0].starts_with(position) && found[0].len() > position.len(), "{found:?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let file = SettingsFile::new("lisen = \"x\"\n[log]\nformat = \"xml\"\n");
    let environment = pairs(&[("GRANTKEEPER_WORKERS", "many"), ("GRANTKEEPER_NOTHING", "1")]);
    let overrides = pairs(&[("network.allow", "fe80::1,10.0.0.0/8,*")]);
    let error = Settings::load(Some(&file.path), environment.into_iter(), &overrides).unwrap_err();
    let keys: Vec<_> = error.problems().iter().filter_map(|problem| problem.key()).collect();
    assert_eq!(keys, ["workers", "log.format", "network.allow", "network.allow", "lisen", "nothing"]);
    assert_eq!(error.to_string().lines().count(), 6);
}

#[test]
fn people_confirm_unless_the_service_is_on_this_machine() {
    let refused = [("public_url", "https://auth.example.com"), ("browser.confirmation", "false")];
    assert_eq!(
        lines(from_overrides(&refused)),
        ["browser.confirmation (flag): without the page, a victim could be led to link their account to an \
          attacker's; leave it on, except where public_url is on this machine (localhost, 127.0.0.0/8, [::1])"]
    );
    for here in ["http://localhost:8080", "http://127.0.0.2:8080", "http://[::1]:8080", "https://localhost"] {
        let settings = from_overrides(&[("public_url", here), ("browser.confirmation", "false")]).unwrap();
        assert!(!settings.browser.confirmation);
        assert_eq!(settings.public_url.unwrap().as_str(), here);
    }
}

#[test]
fn the_simulator_beside_a_public_url_takes_two_switches() {
    let refused = [("public_url", "https://auth.example.com"), ("simulator.enabled", "true")];
    assert_eq!(
        lines(from_overrides(&refused)),
        [
            "simulator.enabled (flag): it approves anybody, and public_url is not on this machine; switch it off, or \
          set simulator.allow_with_public_url = true as well if that is what you want"
        ]
    );
    let both = [refused[0], refused[1], ("simulator.allow_with_public_url", "true")];
    assert!(from_overrides(&both).unwrap().simulator.enabled);
    let local = [("public_url", "http://127.0.0.1:8080"), ("simulator.enabled", "true")];
    assert!(from_overrides(&local).unwrap().simulator.enabled);
}
