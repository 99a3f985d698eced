//! The example file is the defaults.

use grantkeeper_config::{EXAMPLE, Settings};

use crate::support::from_file;

#[test]
fn the_example_is_the_defaults() {
    let defaults = Settings::load(None, std::iter::empty(), &[]).unwrap();
    assert_eq!(from_file(EXAMPLE).unwrap(), defaults);
}

#[test]
fn what_is_commented_out_in_the_example_can_be_switched_on() {
    let complete: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            // Of the two ways to give a key, only one may be used.
            Some(setting) if is_setting(setting) && !setting.starts_with("key = ") => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let settings = from_file(&complete).unwrap();
    assert_eq!(settings.public_url.unwrap().as_str(), "https://auth.example.com");
    assert_eq!(settings.workers, Some(2));
    assert!(settings.keys.file().is_some());
    let oidc = settings.providers.get("oidc").unwrap();
    assert_eq!(oidc.issuer.as_deref(), Some("https://id.example.com"));
    assert_eq!(oidc.api_url.as_ref().unwrap().as_str(), "https://id.example.com/api");
    assert_eq!(oidc.settings_url.as_ref().unwrap().as_str(), "https://id.example.com/settings");
    let login = settings.login;
    assert_eq!(login.device_provider.as_deref(), Some("github"));
    let names: Vec<_> = login.providers.iter().map(|provider| provider.name.as_str()).collect();
    assert_eq!(names, ["github", "microsoft"]);
    assert_eq!(login.providers[0].new_accounts.email_domains(), ["acme.example"]);
    assert_eq!(login.providers[1].new_accounts.tenants().len(), 1);
}

fn is_setting(line: &str) -> bool {
    let section = line.starts_with('[') && line.ends_with(']');
    let assignment = line
        .split_once(" = ")
        .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    section || assignment
}
