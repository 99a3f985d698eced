use std::collections::BTreeMap;

use super::*;
use crate::accounts::{AccountStore as _, Organization, Standing};
use crate::authorizations::Scopes;
use crate::authorizations::handover::s256;
use crate::fixtures::{CountingRandom, START, opened, organization, provider};
use crate::login::fixtures::{Asked, Browser, Installation, failed, with_code};
use crate::login::{LoginSettings, LoginStore as _, NewAccounts};
use crate::providers::{MockProviderClients, ProviderCatalog as _, ProviderStatus};

fn request() -> WebLoginRequest {
    WebLoginRequest { provider: "github".to_owned(), ..WebLoginRequest::default() }
}

fn asked(at: &Installation) -> Asked {
    at.idp.script().asked.last().cloned().expect("a URL was built")
}

async fn refusal(at: &Installation, request: WebLoginRequest) -> String {
    match at.cases.start_web_login.for_client(request).await {
        Ok(_) => "started".to_owned(),
        Err(error) => failed(&error),
    }
}

#[tokio::test(start_paused = true)]
async fn the_provider_sees_another_state_than_the_poller() {
    let at = Installation::new().await;
    let started = at.start().await;
    let sent = asked(&at).state;
    assert_ne!(sent, started.state.expose());
    // Nor does either do the work of the other.
    let polled = at.cases.poll_login.run(&Secret::new(sent), None).await;
    assert!(matches!(polled, Err(LoginError::UnknownState)));
    let mut swapped = with_code(&started.url, "ada");
    swapped.state = started.state;
    let returned = at.cases.complete_web_login.run(swapped, &[]).await;
    assert!(matches!(returned, Ok(None)));
}

#[tokio::test(start_paused = true)]
async fn a_login_is_stored_with_its_secrets_sealed_and_the_rest_of_them_hashed() {
    let at = Installation::new().await;
    let started = at.start().await;
    let (asked, login) = (asked(&at), at.only_login().await);
    let grant = login.grant().expect("a code comes back");
    let places = Login::handover_places(login.organization_id, login.id);
    let verifier = opened(places.verifier, grant.pkce_verifier.as_ref().unwrap());
    assert_eq!(asked.challenge, Some(s256(&Secret::new(verifier.unwrap()))), "PKCE always");
    assert_eq!(asked.nonce, opened(places.nonce, &grant.nonce));
    assert_eq!(grant.state_hash, SecretHash::of(&asked.state));
    assert_eq!(login.handle_hash(), Some(&SecretHash::of(started.state.expose())));
    let row = format!("{login:?}");
    assert!(!row.contains(&asked.state) && !row.contains(started.state.expose()), "{row}");
    assert_eq!((login.created_at, login.expires_at), (START, START + LOGIN_LIFETIME));
    assert_eq!((login.stage, login.browser_hash), (LoginStage::Pending, None));
    assert_eq!(login.endpoints, provider().endpoints.digest());
    assert!(at.has_audited_nothing().await, "anybody may begin, and the audit log is kept for good");
}

#[tokio::test(start_paused = true)]
async fn the_redirect_uri_is_the_common_one() {
    let at = Installation::new().await;
    at.start().await;
    assert_eq!(asked(&at).redirect_uri, format!("https://broker.example/callback/{}", provider().id));
    let login = at.only_login().await;
    assert_eq!(login.grant().unwrap().redirect_uri, asked(&at).redirect_uri);
}

#[tokio::test(start_paused = true)]
async fn no_two_logins_share_a_secret() {
    let at = Installation::new().await;
    let (first, second) = (at.start().await, at.start().await);
    let script = at.idp.script();
    assert_ne!(script.asked[0].state, script.asked[1].state);
    assert_ne!(script.asked[0].challenge, script.asked[1].challenge);
    assert_ne!(script.asked[0].nonce, script.asked[1].nonce);
    assert!(first.state.expose() != second.state.expose());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_that_outlasts_the_persons_presence() {
    for (configured, expected) in
        [(None, "openid"), (Some("read:user user:email offline_access"), "read:user user:email")]
    {
        let at = Installation::with(|login| login.providers[0].scopes = configured.map(Scopes::parse)).await;
        at.start().await;
        assert_eq!((asked(&at).scopes, asked(&at).offline_access), (Scopes::parse(expected), false));
        assert_eq!(at.only_login().await.scopes, Scopes::parse(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_is_not_on_the_list_starts_nothing() {
    let at = Installation::new().await;
    for uri in ["https://golem.cloud.evil.example/", "https://evil.example", "javascript:alert(1)", "//x", ""]
    {
        let return_to = Some(uri.to_owned());
        assert_eq!(refusal(&at, WebLoginRequest { return_to, ..request() }).await, "redirect", "{uri}");
    }
    assert!(at.idp.script().asked.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_is_on_the_list_is_kept_as_it_is() {
    for uri in ["https://golem.cloud/done?x=1", "http://127.0.0.1:4711/done", "http://localhost:8080/"] {
        let at = Installation::new().await;
        let request = WebLoginRequest { return_to: Some(uri.to_owned()), ..request() };
        assert!(at.cases.start_web_login.for_client(request).await.is_ok(), "{uri}");
        let LoginRoute::Client { return_to, .. } = at.only_login().await.route else {
            panic!("a client started it");
        };
        assert_eq!(return_to.as_deref(), Some(uri));
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_configured_is_unknown_and_without_any_nobody_signs_in() {
    let at = Installation::new().await;
    for name in ["", "GitHub", "google", &provider().id.to_string()] {
        let request = WebLoginRequest { provider: name.to_owned(), ..request() };
        assert_eq!(refusal(&at, request).await, "unknown provider", "{name}");
    }
    let off = Installation::with(|login| *login = LoginSettings::default()).await;
    assert_eq!(refusal(&off, request()).await, "not allowed: login_off");
    assert!(off.cases.login_providers.offered().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_in_use_starts_nothing_and_is_not_offered() {
    for status in [ProviderStatus::Inactive, ProviderStatus::Disabled, ProviderStatus::Deleting] {
        let at = Installation::new().await;
        let known = at.store.provider(organization().id, provider().id).await.unwrap().unwrap();
        at.update(Provider { status, ..known }).await;
        assert_eq!(refusal(&at, request()).await, "not allowed: provider_not_available", "{status:?}");
        assert!(at.cases.login_providers.offered().await.unwrap().is_empty(), "{status:?}");
    }
    for change in [
        |login: &mut LoginSettings| login.providers[0].provider = "not-registered-yet".to_owned(),
        |login: &mut LoginSettings| login.providers[0].organization = "Nowhere".to_owned(),
    ] {
        let at = Installation::with(change).await;
        assert_eq!(refusal(&at, request()).await, "not allowed: provider_not_available");
    }
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_is_being_deleted_lets_nobody_sign_in() {
    let at = Installation::new().await;
    let known = at.store.organization(organization().id).await.unwrap().unwrap();
    at.update(Organization { standing: Standing::Deleting, ..known }).await;
    assert_eq!(refusal(&at, request()).await, "not allowed: provider_not_available");
}

#[tokio::test(start_paused = true)]
async fn providers_that_are_in_use_are_offered_by_both_of_their_names() {
    let at = Installation::with(|login| login.providers[0].new_accounts = NewAccounts::Nobody).await;
    let offered = at.cases.login_providers.offered().await.unwrap();
    let [offered] = <[_; 1]>::try_from(offered).expect("one");
    assert_eq!((offered.id, offered.name.as_str()), (provider().id, "github"));
    assert_eq!(offered.title, provider().name);
}

#[tokio::test(start_paused = true)]
async fn a_type_of_provider_that_is_not_built_in_starts_nothing() {
    let at = Installation::new().await;
    let mut clients = MockProviderClients::new();
    clients.expect_client().returning(|_| None);
    let known = &at.cases.start_web_login;
    let starting = StartWebLogin {
        providers: Arc::clone(&known.providers),
        clients: Arc::new(clients),
        sealer: Arc::clone(&known.sealer),
        store: Arc::clone(&known.store),
        clock: Arc::clone(&known.clock),
        random: Arc::clone(&known.random),
        public_url: known.public_url.clone(),
    };
    let started = starting.for_client(request()).await;
    assert!(matches!(started, Err(LoginError::NotAllowed { reason: "provider_not_available" })));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_starts_nothing() {
    let at = Installation::new().await;
    let known = &at.cases.start_web_login;
    let starting = StartWebLogin {
        providers: Arc::clone(&known.providers),
        clients: Arc::clone(&known.clients),
        sealer: Arc::clone(&known.sealer),
        store: at.store_away_at(&[0]),
        clock: Arc::clone(&known.clock),
        random: Arc::clone(&known.random),
        public_url: known.public_url.clone(),
    };
    assert!(matches!(starting.for_client(request()).await, Err(LoginError::Store(_))));
}

#[tokio::test(start_paused = true)]
async fn who_asks_is_kept_for_our_page() {
    let at = Installation::new().await;
    let user_agent = format!("golem\u{1b}[31m/1.3\r\n{}", "x".repeat(1000));
    let request = WebLoginRequest {
        address: Some("192.0.2.7".to_owned()),
        user_agent: Some(user_agent),
        shows_code: true,
        ..request()
    };
    let started = at.cases.start_web_login.for_client(request).await.ok().unwrap();
    let LoginRoute::Client { asked_by, return_to: None, .. } = at.only_login().await.route else {
        panic!("a client started it, and wants to go nowhere");
    };
    let agent = asked_by.user_agent.unwrap();
    assert!(agent.starts_with("golem[31m/1.3x") && agent.len() == LONGEST_USER_AGENT, "{agent:?}");
    assert_eq!((asked_by.address.as_deref(), asked_by.shows_code), (Some("192.0.2.7"), true));
    assert_eq!(asked_by.match_code, started.match_code);
}

#[tokio::test(start_paused = true)]
async fn a_login_of_our_own_page_has_its_cookie_from_the_start_and_nothing_to_poll_with() {
    let at = Installation::new().await;
    let started = at.cases.start_web_login.for_browser("github", "/connect/1".to_owned()).await.ok().unwrap();
    let login = at.store.login(started.id).await.unwrap().unwrap();
    assert_eq!(login.browser_hash, Some(SecretHash::of(started.cookie.expose())));
    assert_eq!(login.handle_hash(), None);
    assert!(matches!(login.route, LoginRoute::Browser { next, .. } if next == "/connect/1"));
    assert_ne!(started.cookie.expose(), asked(&at).state);
    assert_eq!(Browser::default().sees(&at, started.id).await, "unknown");
}

#[test]
fn a_match_code_is_two_times_three_consonants_and_no_letter_is_likelier_than_another() {
    // Single bytes come one after the other: 320 codes use every byte that is used up equally often.
    let random = CountingRandom::default();
    let mut letters = BTreeMap::new();
    for _ in 0..320 {
        let code = match_code(&random);
        assert_eq!((code.len(), code.find('-')), (7, Some(3)), "{code}");
        for letter in code.bytes().filter(|letter| *letter != b'-') {
            *letters.entry(letter).or_insert(0) += 1;
        }
    }
    assert_eq!(letters.keys().copied().collect::<Vec<_>>(), CODE_ALPHABET);
    assert!(letters.values().all(|count| *count == 320 * 6 / 20), "{letters:?}");
}
