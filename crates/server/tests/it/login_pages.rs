//! The pages that people see when they sign in, in a real browser. The service is at `localhost` and the provider at `127.0.0.1`:
//! two sites, as in life, which is what cookies and form policies are about.

use reqwest::{Method, StatusCode};

use crate::callers::answer;
use crate::chromium::{Chromium, Page};
use crate::installation::Installation;
use crate::logins::client::{SignedIn, WebLogin, assert_refused};
use crate::logins::upstream::Upstream;
use crate::logins::world::LoginWorld;
use crate::stores::StoreKind;

/// Somebody at the browser.
pub(crate) const ADA: &str = "ada";
/// Who she is at the simulated provider, unless she says otherwise.
const SUBJECT: &str = "1001";

/// A service, and a browser in front of it.
pub(crate) struct Desk {
    pub(crate) world: LoginWorld,
    pub(crate) chromium: Chromium,
    pub(crate) site: String,
}

impl Desk {
    /// `None` where there is no browser.
    pub(crate) async fn new() -> Option<Self> {
        Self::with(&[]).await
    }

    /// The same with more settings.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Option<Self> {
        let chromium = Chromium::start().await?;
        let mut installation = Installation::on(StoreKind::Sqlite);
        let site = installation.base_url.replace("127.0.0.1", "localhost");
        installation.set("PUBLIC_URL", &site);
        for (name, value) in settings {
            installation.set(name, value);
        }
        let world = LoginWorld::over(Upstream::simulated(600), installation).await;
        Some(Self { world, chromium, site })
    }

    /// A login on the web, up to our page: Ada has approved at the provider.
    async fn up_to_our_page(&mut self, redirect: Option<&str>) -> (WebLogin, Page) {
        let login = self.world.client.start(redirect).await;
        self.chromium.visit(ADA, &login.page).await;
        let page = self.chromium.press(ADA, "Approve").await;
        assert!(page.url.starts_with(&format!("{}/login/", self.site)), "{page:?}");
        assert!(!page.url.contains('?'), "neither code nor state: {page:?}");
        (login, page)
    }

    /// Where a client may have the browser go: anything on loopback that answers.
    fn clients_page(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.world.upstream.issuer())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.site)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_by_keyboard_alone_leads_to_the_done_page() {
    let Some(mut desk) = Desk::new().await else { return };
    let (login, page) = desk.up_to_our_page(None).await;
    assert!(page.text.contains(&login.match_code), "{page:?}");
    assert!(page.text.contains(&format!("{SUBJECT} at E2E")) && page.text.contains("Acme"), "{page:?}");
    assert_eq!(desk.world.client.poll(&login.state).await.0, StatusCode::ACCEPTED);
    let done = desk.chromium.press(ADA, "Yes, sign it in").await;
    assert_eq!(done.status, 200);
    assert!(done.text.contains("You are signed in"), "{done:?}");
    SignedIn::read(&desk.world.client.poll(&login.state).await);
}

/// The policy of the page has to let the form lead there: browsers apply it to the redirect behind the form as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_yes_leads_to_where_the_client_wants_without_scripts_too() {
    let Some(mut desk) = Desk::new().await else { return };
    let clients_page = desk.clients_page();
    desk.chromium.visit_without_scripts(ADA, &desk.url("/healthz")).await;
    let (login, _) = desk.up_to_our_page(Some(&clients_page)).await;
    let end = desk.chromium.press(ADA, "Yes, sign it in").await;
    assert_eq!(end.url, clients_page);
    SignedIn::read(&desk.world.client.poll(&login.state).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_ends_it() {
    let Some(mut desk) = Desk::new().await else { return };
    let clients_page = desk.clients_page();
    let (login, _) = desk.up_to_our_page(Some(&clients_page)).await;
    let end = desk.chromium.press(ADA, "No").await;
    assert!(end.url.starts_with(&desk.site) && end.text.contains("Not signed in"), "{end:?}");
    assert_refused(&desk.world.client.poll(&login.state).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_did_not_come_back_with_the_login_sees_nothing_of_it() {
    let Some(mut desk) = Desk::new().await else { return };
    let (login, page) = desk.up_to_our_page(None).await;
    let seen = desk.chromium.visit("mallory", &page.url).await;
    assert_eq!(seen.status, 400);
    assert!(!seen.text.contains(&login.match_code) && !seen.text.contains(SUBJECT), "{seen:?}");
    let cookie = format!("grantkeeper_login_{}", page.url.rsplit('/').next().unwrap());
    assert_eq!(desk.chromium.cookie("mallory", &cookie).await, None);
    let cookie = desk.chromium.cookie(ADA, &cookie).await.expect("the one that came back has it");
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&true.into(), &"Lax".into()), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_at_a_provider_and_out_again() {
    let Some(mut desk) = Desk::new().await else { return };
    // Nobody is signed in yet.
    let sign_in = desk.chromium.visit(ADA, &desk.url("/account")).await;
    assert_eq!(sign_in.url, desk.url("/sign-in"));
    desk.chromium.press(ADA, "Sign in with E2E").await;
    let account = desk.chromium.press(ADA, "Approve").await;
    assert_eq!(account.url, desk.url("/account"));
    assert!(account.text.contains("You are signed in") && account.text.contains("Acme"), "{account:?}");
    let cookie = desk.chromium.cookie(ADA, "coder_session_token").await.expect("a session");
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&true.into(), &"Lax".into()), "{cookie}");
    assert_eq!(cookie["secure"], false, "on loopback there is no https");
    // Without the page of ours between: nobody else asked.
    let session = cookie["value"].as_str().unwrap();
    assert_eq!(desk.world.client.current(session).await.0, StatusCode::OK);
    let out = desk.chromium.press(ADA, "Sign out").await;
    assert_eq!(out.url, desk.url("/sign-in"));
    assert_eq!(desk.chromium.cookie(ADA, "coder_session_token").await, None);
    assert_refused(&desk.world.client.current(session).await, StatusCode::UNAUTHORIZED);
    assert_eq!(desk.chromium.visit(ADA, &desk.url("/account")).await.url, desk.url("/sign-in"));
}

/// The whole way of somebody who links an account and has never had an API token in their hands.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_over_the_sign_in_page_to_the_provider_and_back() {
    let Some(mut desk) = Desk::new().await else { return };
    let ada = desk.world.signed_in(SUBJECT).await;
    let caller = desk.world.caller(&ada);
    let path = format!("/providers/{}/authorize/", desk.world.provider);
    let (status, started) = caller.post(&path).await;
    assert_eq!(status, StatusCode::OK, "{started}");
    let link = started["redirectUrl"].as_str().unwrap();
    let sign_in = desk.chromium.visit_without_scripts(ADA, link).await;
    assert!(sign_in.url.starts_with(&desk.url("/sign-in?return_to=")), "{sign_in:?}");
    desk.chromium.press(ADA, "Sign in with E2E").await;
    let asks = desk.chromium.press(ADA, "Approve").await;
    assert_eq!(asks.url, link);
    desk.chromium.press(ADA, "Yes, go on").await;
    let done = desk.chromium.press(ADA, "Approve").await;
    assert!(done.text.contains("The account is linked"), "{done:?}");
    let (_, links) = caller.get("/authorizedProviders/").await;
    assert_eq!(links["data"].as_array().unwrap().len(), 1, "{links}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_opens_the_sign_in_page_too() {
    let Some(mut desk) = Desk::new().await else { return };
    let ada = desk.world.signed_in(SUBJECT).await;
    desk.chromium.visit(ADA, &desk.url("/sign-in")).await;
    desk.chromium.tab_to(ADA, "Or with an API token").await;
    desk.chromium.type_text(ADA, "wrong").await;
    let refused = desk.chromium.press(ADA, "Sign in with the token").await;
    assert_eq!(refused.status, 401);
    assert!(refused.text.contains("wrong, expired or revoked"), "{refused:?}");
    desk.chromium.assert_accessible(ADA).await;
    desk.chromium.tab_to(ADA, "Or with an API token").await;
    desk.chromium.type_text(ADA, &ada.secret).await;
    let account = desk.chromium.press(ADA, "Sign in with the token").await;
    assert_eq!(account.url, desk.url("/account"));
    let request = desk.world.client.request(Method::GET, "/v1/me/token").bearer_auth(&ada.secret);
    assert_eq!(answer(request).await.0, StatusCode::OK, "signing out of the one leaves the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_in_light_and_in_dark() {
    let Some(mut desk) = Desk::new().await else { return };
    desk.chromium.visit(ADA, &desk.url("/sign-in")).await;
    desk.chromium.assert_accessible(ADA).await;
    desk.chromium.press(ADA, "Sign in with E2E").await;
    desk.chromium.press(ADA, "Approve").await;
    desk.chromium.assert_accessible(ADA).await; // the account
    for button in ["Yes, sign it in", "No"] {
        desk.up_to_our_page(None).await;
        desk.chromium.assert_accessible(ADA).await;
        desk.chromium.press(ADA, button).await;
        desk.chromium.assert_accessible(ADA).await; // done, and refused
    }
    desk.chromium.visit(ADA, &desk.url("/login/nonsense")).await;
    desk.chromium.assert_accessible(ADA).await;
}
