//! Where and how people sign in, as the domain takes it.

use grantkeeper_config::{self as config, Login, LoginProvider};
use grantkeeper_domain::login::{LoginProviderSettings, LoginRedirects, LoginSettings, NewAccounts};

/// Where and how people sign in.
pub(crate) fn login_settings(login: &Login) -> LoginSettings {
    LoginSettings {
        providers: login.providers.iter().map(provider).collect(),
        device_provider: login.device_provider.clone(),
        token_lifetime: login.token_lifetime,
        redirects: LoginRedirects::new(login.redirects.clone()),
        asks_people: login.confirmation_page,
    }
}

fn provider(given: &LoginProvider) -> LoginProviderSettings {
    LoginProviderSettings {
        name: given.name.clone(),
        organization: given.organization.clone(),
        provider: given.provider.clone(),
        scopes: given.scopes.clone(),
        new_accounts: new_accounts(&given.new_accounts),
        foreign_tokens: given.foreign_tokens,
    }
}

fn new_accounts(given: &config::NewAccounts) -> NewAccounts {
    match given {
        config::NewAccounts::Nobody => NewAccounts::Nobody,
        config::NewAccounts::Listed { email_domains, tenants } => NewAccounts::Listed {
            email_domains: email_domains.clone(),
            tenants: tenants.iter().map(ToString::to_string).collect(),
        },
        config::NewAccounts::Anyone => NewAccounts::Anyone,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use grantkeeper_config::Settings;
    use grantkeeper_domain::login::RedirectOrigin;

    use super::*;

    #[test]
    fn every_setting_of_a_login_goes_where_it_belongs() {
        let given = [
            ("login.device_provider", "github"),
            ("login.token_lifetime_days", "1"),
            ("login.redirects", "https://a.example"),
            ("login.confirmation_page", "false"),
            ("login.providers.github.organization", "Acme"),
            ("login.providers.github.provider", "hub"),
            ("login.providers.github.scopes", "user:email,read:user"),
            ("login.providers.github.new_accounts", "listed"),
            ("login.providers.github.email_domains", "acme.example"),
            ("login.providers.github.tenants", "8EAEF023-2b34-4da1-9baa-8bc8c9d6a490"),
            ("login.providers.github.foreign_tokens", "true"),
        ];
        let given = given.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = Settings::load(None, std::iter::empty(), &given).expect("good settings");
        let wanted = LoginSettings {
            providers: vec![LoginProviderSettings {
                name: "github".to_owned(),
                organization: "Acme".to_owned(),
                provider: "hub".to_owned(),
                scopes: Some(["read:user", "user:email"].into_iter().collect()),
                new_accounts: NewAccounts::Listed {
                    email_domains: vec!["acme.example".to_owned()],
                    tenants: vec!["8eaef023-2b34-4da1-9baa-8bc8c9d6a490".to_owned()],
                },
                foreign_tokens: true,
            }],
            device_provider: Some("github".to_owned()),
            token_lifetime: Duration::from_secs(24 * 3600),
            redirects: LoginRedirects::new(RedirectOrigin::parse("https://a.example").into_iter().collect()),
            asks_people: false,
        };
        assert_eq!(login_settings(&settings.login), wanted);
    }

    #[test]
    fn who_gets_an_account_is_who_was_said_to() {
        assert_eq!(new_accounts(&config::NewAccounts::Nobody), NewAccounts::Nobody);
        assert_eq!(new_accounts(&config::NewAccounts::Anyone), NewAccounts::Anyone);
    }
}
