//! The settings that are in effect, for showing: without the key, and without passwords.

use grantkeeper_config::{
    AllowedPeer, EndpointReplacements, Limits, LogFormat, Login, LoginProvider, Settings,
};
use grantkeeper_domain::login::RedirectOrigin;
use serde_json::{Map, Value, json};
use url::Url;

/// All settings by their names; those without a value are left out.
pub(crate) fn of(settings: &Settings) -> Value {
    let allow: Vec<String> = settings.network.allow.iter().map(peer).collect();
    let proxies: Vec<String> = settings.network.trusted_proxies.iter().map(ToString::to_string).collect();
    let providers: Map<String, Value> =
        settings.providers.iter().map(|(name, replaced)| (name.to_owned(), endpoints(replaced))).collect();
    without_nulls(json!({
        "listen": settings.listen.to_string(),
        "public_url": settings.public_url.as_ref().map(ToString::to_string),
        "database_url": without_password(settings.database_url.as_str()),
        "database_connections": settings.database_connections,
        "workers": settings.workers,
        "keys": { "file": settings.keys.file() },
        "log": {
            "format": match settings.log.format { LogFormat::Human => "human", LogFormat::Json => "json" },
            "level": settings.log.level,
        },
        "network": { "allow": allow, "trusted_proxies": proxies },
        "tokens": {
            "freshness_margin": settings.tokens.freshness_margin.as_secs(),
            "caller_wait": settings.tokens.caller_wait.as_secs(),
            "upstream_limit": settings.tokens.upstream_limit.as_secs(),
            "refresh_lease": settings.tokens.refresh_lease.as_secs(),
            "in_use_days": settings.tokens.in_use_for.as_secs() / (24 * 3600),
            "refreshes_at_once": settings.tokens.refreshes_at_once,
            "refreshes_per_second": settings.tokens.refreshes_per_second,
            "hand_out_record": settings.tokens.hand_out_record.as_str(),
        },
        "limits": limits(&settings.limits),
        "browser": {
            "session_cookie": settings.browser.session_cookie,
            "confirmation": settings.browser.confirmation,
        },
        "login": login(&settings.login),
        "external_auth": {
            "tokens_in_query": settings.external_auth.tokens_in_query,
            "listen_limit": settings.external_auth.listen_limit.as_secs(),
        },
        "simulator": {
            "enabled": settings.simulator.enabled,
            "listen": settings.simulator.listen.to_string(),
            "auto_consent": settings.simulator.auto_consent,
            "plays_everyone": settings.simulator.plays_everyone,
            "allow_with_public_url": settings.simulator.allow_with_public_url,
        },
        "providers": providers,
        "jobs": {
            "poll_interval_ms": u64::try_from(settings.jobs.poll_interval.as_millis()).unwrap_or(u64::MAX),
            "shutdown_timeout": settings.jobs.shutdown_timeout.as_secs(),
        },
    }))
}

/// Dotted keys and their values in the order of their names, as one line each: what a file would say.
pub(crate) fn lines(settings: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    collect("", settings, &mut lines);
    lines
}

fn collect(prefix: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                collect(&key, value, lines);
            }
        }
        // TOML writes texts, numbers, switches and lists of these as JSON does.
        other => lines.push(format!("{prefix} = {other}")),
    }
}

fn peer(peer: &AllowedPeer) -> String {
    match peer {
        AllowedPeer::Net(network) => network.to_string(),
        AllowedPeer::Host(host) => host.clone(),
    }
}

fn limits(limits: &Limits) -> Value {
    json!({
        "flows_per_caller": limits.flows_per_caller,
        "flows_per_address": limits.flows_per_address,
        "callbacks_per_caller": limits.callbacks_per_caller,
        "callbacks_per_address": limits.callbacks_per_address,
        "token_reads_per_caller": limits.token_reads_per_caller,
        "token_reads_per_address": limits.token_reads_per_address,
        "wrong_tokens_per_address": limits.wrong_tokens_per_address,
        "connections": limits.connections,
    })
}

fn login(login: &Login) -> Value {
    let redirects: Vec<_> = login.redirects.iter().map(RedirectOrigin::as_text).collect();
    let providers: Map<_, _> =
        login.providers.iter().map(|provider| (provider.name.clone(), login_provider(provider))).collect();
    json!({
        "device_provider": login.device_provider,
        "token_lifetime_days": login.token_lifetime.as_secs() / (24 * 3600),
        "redirects": redirects,
        "confirmation_page": login.confirmation_page,
        "providers": providers,
    })
}

fn login_provider(provider: &LoginProvider) -> Value {
    let scopes = provider.scopes.as_ref().map(|scopes| scopes.iter().collect::<Vec<_>>());
    let domains = Some(provider.new_accounts.email_domains()).filter(|domains| !domains.is_empty());
    let tenants: Vec<_> = provider.new_accounts.tenants().iter().map(ToString::to_string).collect();
    json!({
        "organization": provider.organization,
        "provider": provider.provider,
        "scopes": scopes,
        "new_accounts": provider.new_accounts.as_str(),
        "email_domains": domains,
        "tenants": Some(tenants).filter(|tenants| !tenants.is_empty()),
        "foreign_tokens": provider.foreign_tokens,
    })
}

fn endpoints(replaced: &EndpointReplacements) -> Value {
    json!({
        "issuer": replaced.issuer,
        "api_url": replaced.api_url.as_ref().map(Url::as_str),
        "authorization_url": replaced.authorization_url.as_ref().map(Url::as_str),
        "token_url": replaced.token_url.as_ref().map(Url::as_str),
        "userinfo_url": replaced.userinfo_url.as_ref().map(Url::as_str),
        "revocation_url": replaced.revocation_url.as_ref().map(Url::as_str),
        "jwks_url": replaced.jwks_url.as_ref().map(Url::as_str),
        "device_authorization_url": replaced.device_authorization_url.as_ref().map(Url::as_str),
        "settings_url": replaced.settings_url.as_ref().map(Url::as_str),
    })
}

/// By its text, since a URL of PostgreSQL may have several hosts; a parameter may be a password as well.
fn without_password(url: &str) -> String {
    let (base, parameters) = url.split_once('?').map_or((url, ""), |(base, _)| (base, "?…"));
    let Some((scheme, (user, place))) =
        base.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)))
    else {
        return format!("{base}{parameters}");
    };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:…@{place}{parameters}"),
        None => format!("{scheme}://{user}@{place}{parameters}"),
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)]) -> Settings {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::load(None, environment, &[]).expect("good settings")
    }

    #[test]
    fn the_key_is_not_shown() {
        let settings = load(&[("GRANTKEEPER_KEY", "gkk_do-not-show-me")]);
        assert!(!of(&settings).to_string().contains("do-not-show-me"));
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = without_password("postgres://gk:secret@db.internal/gk");
        assert!(shown.starts_with("postgres://gk:") && shown.ends_with("@db.internal/gk"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
        for url in ["sqlite://grantkeeper.db", "sqlite::memory:", "sqlite:///var/lib/gk.db"] {
            assert_eq!(without_password(url), url);
        }
    }

    #[test]
    fn lines_are_what_a_file_would_say() {
        let lines = lines(&of(&load(&[("GRANTKEEPER_NETWORK__ALLOW", "10.0.0.0/8,gitlab.internal")])));
        for line in [
            r#"listen = "127.0.0.1:8080""#,
            r#"network.allow = ["10.0.0.0/8","gitlab.internal"]"#,
            "tokens.caller_wait = 4",
            "browser.confirmation = true",
        ] {
            assert!(lines.iter().any(|shown| shown == line), "{line} in {lines:#?}");
        }
        assert!(!lines.iter().any(|line| line.contains("null")), "{lines:#?}");
    }

    #[test]
    fn login_providers_are_shown_by_their_names() {
        let lines = lines(&of(&load(&[
            ("GRANTKEEPER_LOGIN__DEVICE_PROVIDER", "github"),
            ("GRANTKEEPER_LOGIN__PROVIDERS__GITHUB__ORGANIZATION", "Acme"),
            ("GRANTKEEPER_LOGIN__PROVIDERS__GITHUB__PROVIDER", "github"),
            ("GRANTKEEPER_LOGIN__PROVIDERS__GITHUB__NEW_ACCOUNTS", "listed"),
            ("GRANTKEEPER_LOGIN__PROVIDERS__GITHUB__EMAIL_DOMAINS", "acme.example"),
        ])));
        let shown: Vec<_> = lines.iter().filter(|line| line.starts_with("login.")).collect();
        assert_eq!(
            shown,
            [
                r"login.confirmation_page = true",
                r#"login.device_provider = "github""#,
                r#"login.providers.github.email_domains = ["acme.example"]"#,
                r"login.providers.github.foreign_tokens = false",
                r#"login.providers.github.new_accounts = "listed""#,
                r#"login.providers.github.organization = "Acme""#,
                r#"login.providers.github.provider = "github""#,
                r#"login.redirects = ["https://golem.cloud"]"#,
                r"login.token_lifetime_days = 90",
            ],
            "a file that says this is read as the same"
        );
    }

    #[test]
    fn every_setting_that_has_a_default_is_shown() {
        let shown = lines(&of(&load(&[]))).join("\n");
        let mut section = String::new();
        for line in grantkeeper_config::EXAMPLE.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = format!("{name}.");
            } else if let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
                assert!(shown.contains(&format!("{section}{name} = ")), "{section}{name}");
            }
        }
    }
}
