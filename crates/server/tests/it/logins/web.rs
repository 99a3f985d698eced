//! Signing in on the web: a client opens the provider's page in a browser, and polls.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::at_either_provider;
use super::client::{SignedIn, assert_refused};
use super::upstream::{REFUSER, Upstream};
use super::world::LoginWorld;
use crate::callers::answer;
use crate::stores::StoreKind;

at_either_provider!(
    a_login_with_a_redirect_ends_there,
    a_login_without_a_redirect_ends_on_our_page,
    the_provider_sees_another_state_than_the_client,
    a_person_may_refuse_at_the_provider,
    a_person_may_refuse_on_our_page,
    an_unknown_or_expired_state_is_not_found,
    a_login_is_nobodys_until_the_browser_that_came_back_says_yes,
    two_logins_at_once_never_get_each_others_token,
    a_lost_answer_can_be_asked_for_again,
    a_person_keeps_their_account,
);

/// Where nothing has to listen.
const CLIENTS_PAGE: &str = "http://127.0.0.1:1/signed-in?from=a%20client";

async fn a_login_with_a_redirect_ends_there(world: LoginWorld) {
    let login = world.client.start(Some(CLIENTS_PAGE)).await;
    assert_eq!(world.client.poll(&login.state).await, (StatusCode::ACCEPTED, json!({})));
    let mut browser = world.browser();
    let back = world.upstream.sign_in(&login.page, "alice").await;
    let (path, page) = browser.come_back(&back).await;
    assert!(page.contains(&login.match_code), "{page}");
    assert_eq!(world.client.poll(&login.state).await, (StatusCode::ACCEPTED, json!({})));
    let answered = browser.press(&path, &page, "yes").await;
    assert_eq!(answered.leads_on(), CLIENTS_PAGE, "and no token travels in it");
    SignedIn::read(&world.client.poll(&login.state).await);
}

async fn a_login_without_a_redirect_ends_on_our_page(world: LoginWorld) {
    let login = world.client.start(None).await;
    let mut browser = world.browser();
    let back = world.upstream.sign_in(&login.page, "alice").await;
    let (path, page) = browser.come_back(&back).await;
    let mut last = browser.press(&path, &page, "yes").await;
    if last.status == StatusCode::SEE_OTHER {
        last = browser.visit(&format!("{}{}", world.installation.base_url, last.leads_on())).await;
    }
    assert_eq!(last.status, StatusCode::OK, "{}", last.body);
    let signed_in = SignedIn::read(&world.client.poll(&login.state).await);
    assert!(!last.body.contains(&signed_in.secret));
}

async fn the_provider_sees_another_state_than_the_client(world: LoginWorld) {
    let login = world.client.start(None).await;
    let page = Url::parse(&login.page).unwrap();
    let sent = |name: &str| page.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    let told = sent("state");
    assert_refused(&world.client.poll(&told).await, StatusCode::NOT_FOUND);
    assert!(!login.page.contains(&login.state));
    assert_eq!(sent("code_challenge_method"), "S256");
    let common = format!("{}/callback/{}", world.installation.base_url, world.provider);
    assert_eq!(sent("redirect_uri"), common);
}

async fn a_person_may_refuse_at_the_provider(world: LoginWorld) {
    let login = world.client.start(Some(CLIENTS_PAGE)).await;
    let back = world.upstream.sign_in(&login.page, REFUSER).await;
    assert!(back.contains("error=access_denied"), "{back}");
    let (_, page) = world.browser().come_back(&back).await;
    assert!(!page.contains("<form"), "there is nothing to say yes to: {page}");
    assert_refused(&world.client.poll(&login.state).await, StatusCode::UNAUTHORIZED);
}

async fn a_person_may_refuse_on_our_page(world: LoginWorld) {
    let login = world.client.start(Some(CLIENTS_PAGE)).await;
    let mut browser = world.browser();
    let back = world.upstream.sign_in(&login.page, "alice").await;
    let (path, page) = browser.come_back(&back).await;
    browser.press(&path, &page, "no").await;
    assert_refused(&world.client.poll(&login.state).await, StatusCode::UNAUTHORIZED);
    // Who has said no does not say yes on a page that is still open.
    browser.press(&path, &page, "yes").await;
    assert_refused(&world.client.poll(&login.state).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.installation.store.count("login_identities"), 0, "no account was made");
}

async fn an_unknown_or_expired_state_is_not_found(world: LoginWorld) {
    assert_refused(&world.client.poll("no-such-state").await, StatusCode::NOT_FOUND);
    let login = world.client.start(None).await;
    let back = world.upstream.sign_in(&login.page, "alice").await;
    world.expire_logins();
    assert_refused(&world.client.poll(&login.state).await, StatusCode::NOT_FOUND);
    let too_late = world.browser().visit(&back).await;
    assert!(too_late.status.is_client_error(), "{}: {}", too_late.status, too_late.body);
    assert_eq!(too_late.location, None);
}

/// An attacker starts a login and has a victim's browser finish it: the provider knows its client, and asks the victim nothing.
async fn a_login_is_nobodys_until_the_browser_that_came_back_says_yes(world: LoginWorld) {
    let attack = world.client.start(Some(CLIENTS_PAGE)).await;
    let back = world.upstream.sign_in(&attack.page, "victim").await;
    let (path, page) = world.browser().come_back(&back).await;
    assert_eq!(world.client.poll(&attack.state).await.0, StatusCode::ACCEPTED);
    let mut attacker = world.browser();
    let seen = attacker.visit(&format!("{}{path}", world.installation.base_url)).await;
    assert!(seen.status.is_client_error(), "{}", seen.status);
    assert!(!seen.body.contains(&attack.match_code) && !seen.body.contains("victim"), "{}", seen.body);
    // Not with what was on the victim's page either, nor by coming back once more.
    let pressed = attacker.press(&path, &page, "yes").await;
    assert!(pressed.status.is_client_error(), "{}", pressed.status);
    assert!(attacker.visit(&back).await.status.is_client_error());
    assert_eq!(world.client.poll(&attack.state).await.0, StatusCode::ACCEPTED);
}

async fn two_logins_at_once_never_get_each_others_token(world: LoginWorld) {
    let logins = [world.client.start(None).await, world.client.start(Some(CLIENTS_PAGE)).await];
    // One browser has both open at a time.
    let mut browser = world.browser();
    let mut pages = Vec::new();
    for (login, person) in logins.iter().zip(["alice", "bob"]) {
        let back = world.upstream.sign_in(&login.page, person).await;
        pages.push(browser.come_back(&back).await);
    }
    for ((path, page), login) in pages.iter().zip(&logins).rev() {
        assert!(page.contains(&login.match_code), "{page}");
        browser.press(path, page, "yes").await;
    }
    let (first, second) =
        tokio::join!(world.client.poll(&logins[0].state), world.client.poll(&logins[1].state));
    let alice = world.signed_in("alice").await;
    let bob = world.signed_in("bob").await;
    assert_eq!(SignedIn::read(&first).account, alice.account);
    assert_eq!(SignedIn::read(&second).account, bob.account);
    assert_ne!(alice.account, bob.account);
}

async fn a_lost_answer_can_be_asked_for_again(world: LoginWorld) {
    let state = world.web_login("alice").await;
    let lost = SignedIn::read(&world.client.poll(&state).await);
    let again = SignedIn::read(&world.client.poll(&state).await);
    assert_eq!(lost.account, again.account);
    assert_refused(&world.client.current(&lost.secret).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.client.current(&again.secret).await.1["id"], again.token);
    world.let_repeats_end();
    assert_refused(&world.client.poll(&state).await, StatusCode::NOT_FOUND);
    assert_eq!(world.client.current(&again.secret).await.0, StatusCode::OK, "who was not asked for stays");
}

/// The same person by their number, whichever way they come.
async fn a_person_keeps_their_account(world: LoginWorld) {
    let by_token = world.signed_in("alice").await;
    let on_the_web = SignedIn::read(&world.client.poll(&world.web_login("alice").await).await);
    assert_eq!(by_token.account, on_the_web.account);
    assert_ne!(by_token.secret, on_the_web.secret, "every sign-in has a token of its own");
    let somebody_else = world.signed_in("bob").await;
    assert_ne!(somebody_else.account, by_token.account);
}

impl LoginWorld {
    /// A login of a person who has said yes; returns what the client polls with.
    pub(super) async fn web_login(&self, person: &str) -> String {
        let login = self.client.start(None).await;
        let mut browser = self.browser();
        let back = self.upstream.sign_in(&login.page, person).await;
        let (path, page) = browser.come_back(&back).await;
        browser.press(&path, &page, "yes").await;
        login.state
    }

    /// Lets the ten minutes of all logins pass.
    fn expire_logins(&self) {
        let store = &self.installation.store;
        store.sql(&format!("UPDATE logins SET expires_at = {}", store.long_ago()));
    }

    /// Lets the half minute pass in which an answer may be asked for again.
    fn let_repeats_end(&self) {
        let store = &self.installation.store;
        store.sql(&format!("UPDATE logins SET released_at = {}", store.long_ago()));
    }
}

/// What is refused at the start, and how.
#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_in_the_apis_own_form() {
    let world = LoginWorld::at_the_simulator().await;
    let get = async |path: &str| answer(world.client.request(Method::GET, path)).await;
    let authorize = "/v1/login/oauth2/web/authorize";
    for query in [
        "",
        "?provider=gitlab",
        "?provider=github&provider=github",
        "?provider=github&redirect=https%3A%2F%2Fgolem.cloud.evil.example",
        "?provider=github&redirect=https%3A%2F%2Fgolem.cloud%40evil.example",
        "?provider=github&redirect=%2F%2Fgolem.cloud",
    ] {
        assert_refused(&get(&format!("{authorize}{query}")).await, StatusCode::BAD_REQUEST);
    }
    assert_refused(&get("/v1/login/oauth2/web/poll").await, StatusCode::BAD_REQUEST);
    let golem = format!("{authorize}?provider=github&redirect=https%3A%2F%2Fgolem.cloud");
    let (status, started): (StatusCode, Value) = get(&golem).await;
    assert_eq!(status, StatusCode::OK, "published programs hard-code it: {started}");
}

/// Published programs do not know of the page: where an operator has switched it off, the browser goes straight on.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_confirmation_page_a_login_is_silent() {
    let Some(upstream) = Upstream::real(600).await else { return };
    let settings = [("LOGIN__CONFIRMATION_PAGE", "false")];
    let world = LoginWorld::around(upstream, StoreKind::Sqlite, &settings).await;
    let login = world.client.start(Some(CLIENTS_PAGE)).await;
    let back = world.upstream.sign_in(&login.page, "alice").await;
    let sent_on = world.browser().visit(&back).await;
    assert_eq!((sent_on.status, sent_on.leads_on().as_str()), (StatusCode::FOUND, CLIENTS_PAGE));
    assert_eq!(sent_on.body, "{}");
    SignedIn::read(&world.client.poll(&login.state).await);
    for path in ["/v1/login/oauth2/web/callback/github", "/v1/login/oauth2/web/callback"] {
        let login = world.client.start(None).await;
        let back = world.upstream.sign_in(&login.page, "alice").await;
        let (_, query) = back.split_once('?').unwrap();
        let brought = world.client.request(Method::GET, &format!("{path}?{query}"));
        assert_eq!(answer(brought).await, (StatusCode::OK, json!({})), "{path}, to one that takes no pages");
        SignedIn::read(&world.client.poll(&login.state).await);
    }
}
