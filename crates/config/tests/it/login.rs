//! `[login]`: names of the operator's own, and who is let in.

use std::time::Duration;

use grantkeeper_config::{LoginProvider, NewAccounts, Settings};
use grantkeeper_domain::login::RedirectOrigin;

use crate::support::{SettingsFile, from_environment, from_file, from_overrides, lines, pairs};

const TENANT: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";

/// A login provider with these lines more.
fn with(more: &str) -> String {
    format!("[login.providers.github]\norganization = \"Acme\"\nprovider = \"github\"\n{more}")
}

fn only(settings: Settings) -> LoginProvider {
    let [provider] = <[_; 1]>::try_from(settings.login.providers).expect("one login provider");
    provider
}

/// What is said of a file, without where it is.
fn complaints(text: &str) -> Vec<String> {
    let said = lines(from_file(text));
    said.iter().map(|line| line.replace(" (file grantkeeper.toml)", "")).collect()
}

#[test]
fn a_login_provider_lets_in_nobody_new_unless_that_is_said() {
    let provider = only(from_file(&with("")).unwrap());
    assert_eq!(
        provider,
        LoginProvider {
            name: "github".to_owned(),
            organization: "Acme".to_owned(),
            provider: "github".to_owned(),
            scopes: None,
            new_accounts: NewAccounts::Nobody,
            foreign_tokens: false,
        }
    );
}

#[test]
fn a_login_provider_is_read_whole() {
    let text = format!(
        "[login]\ndevice_provider = \"github\"\ntoken_lifetime_days = 7\nconfirmation_page = false\n\
         redirects = [\"https://a.example\", \"https://b.example:8443\"]\n{}",
        with(&format!(
            "scopes = [\"user:email\"]\nnew_accounts = \"listed\"\nemail_domains = [\"acme.example\"]\n\
             tenants = [\"{}\"]\nforeign_tokens = true\n",
            TENANT.to_uppercase()
        ))
    );
    let login = from_file(&text).unwrap().login;
    assert_eq!(login.device_provider.as_deref(), Some("github"));
    assert_eq!(login.token_lifetime, Duration::from_secs(7 * 24 * 3600));
    let redirects: Vec<_> = login.redirects.iter().map(RedirectOrigin::as_text).collect();
    assert_eq!(redirects, ["https://a.example", "https://b.example:8443"]);
    assert!(!login.confirmation_page);
    let provider = &login.providers[0];
    assert_eq!(provider.scopes.as_ref().unwrap().to_wire(), "user:email");
    assert_eq!(provider.new_accounts.as_str(), "listed");
    assert_eq!(provider.new_accounts.email_domains(), ["acme.example"]);
    let tenants: Vec<_> = provider.new_accounts.tenants().iter().map(ToString::to_string).collect();
    assert_eq!(tenants, [TENANT], "a tenant has one spelling");
    assert!(provider.foreign_tokens);
}

#[test]
fn the_environment_makes_and_completes_login_providers() {
    let file = SettingsFile::new(&with("new_accounts = \"anyone\"\n"));
    let variables = pairs(&[
        ("GRANTKEEPER_LOGIN__DEVICE_PROVIDER", "work"),
        ("GRANTKEEPER_LOGIN__PROVIDERS__GITHUB__ORGANIZATION", "Bolt"),
        ("GRANTKEEPER_LOGIN__PROVIDERS__WORK__ORGANIZATION", "Acme"),
        ("GRANTKEEPER_LOGIN__PROVIDERS__WORK__PROVIDER", "microsoft"),
        ("GRANTKEEPER_LOGIN__PROVIDERS__WORK__NEW_ACCOUNTS", "listed"),
        ("GRANTKEEPER_LOGIN__PROVIDERS__WORK__TENANTS", TENANT),
    ]);
    let overrides = pairs(&[("login.providers.work.provider", "entra")]);
    let login = Settings::load(Some(&file.path), variables.into_iter(), &overrides).unwrap().login;
    let shown: Vec<_> = login
        .providers
        .iter()
        .map(|provider| {
            let LoginProvider { name, organization, provider, new_accounts, .. } = provider;
            (name.as_str(), organization.as_str(), provider.as_str(), new_accounts.as_str())
        })
        .collect();
    assert_eq!(shown, [("github", "Bolt", "github", "anyone"), ("work", "Acme", "entra", "listed")]);
    assert_eq!(login.device_provider.as_deref(), Some("work"));
}

#[test]
fn a_name_may_have_a_dash_and_is_otherwise_plain() {
    for name in ["a", "work-id", "idp2", &"x".repeat(32)] {
        let text = with("").replace("github]", &format!("{name}]"));
        assert_eq!(only(from_file(&text).unwrap()).name, name);
    }
    for name in ["GitHub", "2fa", "-a", "my_idp", "\"a b\"", "\"\"", &"x".repeat(33)] {
        let text = with("surplus = 1\n").replace("github]", &format!("{name}]"));
        let plain = name.trim_matches('"');
        assert_eq!(
            complaints(&text),
            [format!(
                "login.providers.{plain}: {plain:?} is not the name of a login provider; give 1 to 32 of a-z, 0-9 and \
                 -, a letter first"
            )],
            "said once, and nothing of what is in it"
        );
    }
    let empty = "[login.providers.GitHub]\n";
    assert_eq!(complaints(empty).len(), 1, "{:?}", complaints(empty));
}

#[test]
fn what_a_login_provider_needs_is_told() {
    let organization = "login.providers.github.organization: not given; give the name of the organization that people \
                        sign in to; `grantkeeper org list` shows them";
    let provider = "login.providers.github.provider: not given; give the id or the slug of a provider that is \
                    registered in the organization";
    assert_eq!(complaints("[login.providers.github]\n"), [organization, provider]);
    assert_eq!(complaints("[login.providers.github]\norganization = \"Acme\"\n"), [provider]);
}

#[test]
fn an_unknown_key_of_a_login_provider_is_told_with_what_there_is() {
    const PROVIDER: &str = "unknown key; in [login.providers.github] there are email_domains, foreign_tokens, \
                            new_accounts, organization, provider, scopes, tenants";
    const LOGIN: &str = "unknown key; in [login] there are confirmation_page, device_provider, providers, redirects, \
                         token_lifetime_days";
    const PROVIDERS: &str = "unknown key; in [login.providers] there are NAME";
    let table = [
        (with("domains = []\n"), "login.providers.github.domains", PROVIDER),
        (with("scopes.more = 1\n"), "login.providers.github.scopes.more", PROVIDER),
        ("[login]\nproviders = 1\n".to_owned(), "login.providers", LOGIN),
        ("[login]\nproviders.github = 1\n".to_owned(), "login.providers.github", PROVIDERS),
        ("[login]\ndevice = \"x\"\n".to_owned(), "login.device", LOGIN),
    ];
    for (text, key, message) in table {
        assert_eq!(complaints(&text), [format!("{key}: {message}")], "{text}");
    }
    assert_eq!(
        lines(from_environment(&[("GRANTKEEPER_LOGIN__PROVIDERS__GITHUB", "1")])),
        [format!(
            "login.providers.github (environment variable GRANTKEEPER_LOGIN__PROVIDERS__GITHUB): {PROVIDERS}"
        )]
    );
}

#[test]
fn devices_sign_in_at_a_login_provider() {
    assert_eq!(
        complaints("[login]\ndevice_provider = \"github\"\n"),
        ["login.device_provider: there are no login providers; make one as [login.providers.github], with \
          organization and provider"]
    );
    let other = format!("[login]\ndevice_provider = \"gitlab\"\n{}", with(""));
    assert_eq!(
        complaints(&other),
        [r#"login.device_provider: "gitlab" is no login provider; there are github"#]
    );
}

#[test]
fn a_list_is_there_exactly_where_those_on_it_are_let_in() {
    const NOBODY: &str = "login.providers.github.new_accounts: nobody is on a list; give email_domains, or tenants at \
                          Microsoft, whose addresses are not verified";
    const NOTHING: &str = "this list counts for nothing; set new_accounts = \"listed\", or take it out";
    assert_eq!(complaints(&with("new_accounts = \"listed\"\n")), [NOBODY]);
    assert_eq!(complaints(&with("new_accounts = \"listed\"\nemail_domains = []\n")), [NOBODY]);
    for word in ["", "new_accounts = \"nobody\"\n", "new_accounts = \"anyone\"\n"] {
        let text = with(&format!("{word}email_domains = [\"a.example\"]\ntenants = [\"{TENANT}\"]\n"));
        let expected =
            ["email_domains", "tenants"].map(|list| format!("login.providers.github.{list}: {NOTHING}"));
        assert_eq!(complaints(&text), expected, "{text}");
        assert!(from_file(&with(&format!("{word}tenants = []\n"))).is_ok(), "nobody relies on it");
    }
    assert_eq!(
        complaints(&with("new_accounts = \"list\"\nemail_domains = [\"a.example\"]\n")),
        [r#"login.providers.github.new_accounts: "list" is none of nobody, listed and anyone"#]
    );
}

#[test]
fn a_domain_stands_alone() {
    const DOMAIN: &str = "give a domain alone, such as acme.example: lower case, ASCII, no @, no wildcard, no dot at \
                          either end; it is compared exactly, so that a subdomain is another one";
    let list = |entry: &str| with(&format!("new_accounts = \"listed\"\nemail_domains = [\"{entry}\"]\n"));
    for good in ["acme.example", "sub.acme.example", "xn--bcher-kva.example"] {
        assert_eq!(only(from_file(&list(good)).unwrap()).new_accounts.email_domains(), [good]);
    }
    let wrong = [
        "Acme.example",
        "@acme.example",
        "ada@acme.example",
        "*.acme.example",
        ".acme.example",
        "acme.example.",
        "bücher.example",
        "acme.example/x",
        "https://acme.example",
        "acme.example:443",
        "10.0.0.1",
        "a b.example",
        "",
    ];
    for wrong in wrong {
        assert_eq!(
            complaints(&list(wrong)),
            [format!("login.providers.github.email_domains: {wrong:?}: {DOMAIN}")],
            "and nothing else"
        );
    }
}

#[test]
fn every_wrong_setting_is_told_by_key_and_remedy() {
    const ORIGIN: &str = "give an https origin, such as https://app.example.com: no path, no slash at the end, no default \
                          port; loopback addresses are allowed as it is";
    for wrong in [
        "https://a.example/",
        "https://a.example:443",
        "https://a.example/login",
        "https://A.example",
        "https://me@a.example",
        "http://a.example",
        "https://*.a.example",
        "*",
    ] {
        assert_eq!(
            lines(from_overrides(&[("login.redirects", wrong)])),
            [format!("login.redirects (flag): {wrong:?}: {ORIGIN}")]
        );
    }
    let table = [
        ("login.token_lifetime_days", "0", r#""0" does not do; give days, a whole number from 1 to 3650"#),
        (
            "login.token_lifetime_days",
            "3651",
            r#""3651" does not do; give days, a whole number from 1 to 3650"#,
        ),
        ("login.confirmation_page", "no", r#""no" is neither true nor false"#),
        ("login.providers.github.foreign_tokens", "no", r#""no" is neither true nor false"#),
        (
            "login.providers.github.organization",
            "",
            "a name has 1 to 100 characters and no control characters",
        ),
        (
            "login.providers.github.provider",
            "GitHub.com",
            r#""GitHub.com" is neither an id nor a slug; a slug has 1 to 64 characters of a-z, 0-9 and -, and no - at either end"#,
        ),
        (
            "login.providers.github.scopes",
            "read:user user:email",
            r#""read:user user:email": give one scope an entry: printable ASCII with no space, quote or backslash in it"#,
        ),
        (
            "login.providers.github.tenants",
            "common",
            r#""common": give the tenant's id, such as 8eaef023-2b34-4da1-9baa-8bc8c9d6a490; to let in every tenant, set new_accounts = "anyone""#,
        ),
    ];
    let good = [
        ("login.providers.github.organization", "Acme"),
        ("login.providers.github.provider", "github"),
        ("login.providers.github.new_accounts", "listed"),
        ("login.providers.github.email_domains", "acme.example"),
    ];
    for (key, value, message) in table {
        let given = [&good[..], &[(key, value)]].concat();
        assert_eq!(lines(from_overrides(&given)), [format!("{key} (flag): {message}")], "{key} = {value}");
    }
}

#[test]
fn who_lets_in_more_people_than_it_seems_is_warned() {
    let warnings = |text: &str| from_file(text).unwrap().warnings;
    let nothing = Vec::<String>::new();
    assert_eq!(warnings(&with("new_accounts = \"anyone\"\n")), nothing, "that is plain");
    assert_eq!(
        warnings(&with("foreign_tokens = true\n")),
        [
            "login.providers.github.foreign_tokens is on: tokens are taken of which the provider cannot tell to which \
             program they were issued, and every program to which a person has given one can sign in as them"
        ]
    );
    let tenants = |tenant: &str| with(&format!("new_accounts = \"listed\"\ntenants = [\"{tenant}\"]\n"));
    assert_eq!(warnings(&tenants(TENANT)), nothing);
    assert_eq!(
        warnings(&tenants("9188040d-6c67-4c5b-b112-36a304b66dad")),
        [
            "login.providers.github.tenants has that of all personal Microsoft accounts: everybody can make one"
        ]
    );

    let silent = |public_url: &str, more: &str| {
        format!("public_url = \"{public_url}\"\n[login]\nconfirmation_page = false\n{more}")
    };
    assert_eq!(warnings(&silent("https://auth.example.com", "")), nothing, "nobody signs in");
    assert_eq!(
        warnings(&silent("http://127.0.0.1:8080", &with(""))),
        nothing,
        "nobody else can start a login"
    );
    assert_eq!(
        warnings(&silent("https://auth.example.com", &with(""))),
        [
            "login.confirmation_page is off: who starts a login and has somebody else's browser finish it gets that \
          person's token"
        ]
    );
}
