//! The pages of links in a real browser, by keyboard alone: linking by the web and by a code, seeing it, unlinking.

use std::time::Duration;

use grantkeeper_provider_simulator::{Fault, FaultPlace};

use crate::chromium::Page;
use crate::login_pages::{ADA, Desk};
use crate::logins::upstream::REFUSER;

/// Ada's telephone, which has a browser of its own.
const TELEPHONE: &str = "ada's telephone";
const PAGE: &str = "/external-auth/e2e";

impl Desk {
    /// Ada wants to see a page of hers, and signs in at the provider first.
    async fn signed_in_at(&mut self, path: &str) -> Page {
        let sign_in = self.chromium.visit(ADA, &self.url(path)).await;
        assert!(sign_in.url.starts_with(&self.url("/sign-in?return_to=")), "{sign_in:?}");
        self.chromium.press(ADA, "Sign in with E2E").await;
        let page = self.chromium.press(ADA, "Approve").await;
        assert_eq!(page.url, self.url(path));
        page
    }

    /// Ada gets a code on the page of the link.
    async fn code(&mut self) -> String {
        let page = self.chromium.press_and_glance(ADA, "Use a code on another device").await;
        assert_eq!(page.url, self.url(&format!("{PAGE}/device")));
        let mut lines = page.text.lines().map(str::trim).filter(|line| !line.is_empty());
        assert_eq!(lines.next(), Some("Enter this code"), "{page:?}");
        lines.nth(1).unwrap().to_owned()
    }

    /// Whether a page is one of the provider's.
    fn is_at_provider(&self, page: &Page) -> bool {
        page.url.starts_with(self.world.upstream.issuer())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_linked_by_the_web_and_unlinked_without_scripts() {
    let Some(mut desk) = Desk::new().await else { return };
    desk.chromium.visit_without_scripts(ADA, &desk.url("/healthz")).await;
    let links = desk.signed_in_at("/external-auth").await;
    assert!(links.text.contains("Not linked."), "{links:?}");
    let provider = desk.chromium.press(ADA, "Link E2E").await;
    assert!(
        desk.is_at_provider(&provider),
        "whoever has pressed the button is not asked again: {provider:?}"
    );
    let links = desk.chromium.press(ADA, "Approve").await;
    assert_eq!(links.url, desk.url("/external-auth"), "back where the button was");
    assert!(links.text.contains("Linked.") && !links.text.contains("Not linked."), "{links:?}");
    let cookies = desk.chromium.cookies(ADA).await;
    let names: Vec<_> = cookies.iter().map(|cookie| &cookie["name"]).collect();
    assert_eq!(names, ["coder_session_token"], "those of the login and of the flow are gone");
    let link = desk.chromium.press(ADA, "E2E").await;
    assert_eq!(link.url, desk.url(PAGE));
    assert!(link.text.contains("E2E is linked"), "{link:?}");
    let unlinked = desk.chromium.press(ADA, "Unlink E2E").await;
    assert!(unlinked.text.contains("E2E has revoked it as well."), "{unlinked:?}");
    let links = desk.chromium.press(ADA, "My links").await;
    assert!(links.text.contains("Not linked."), "{links:?}");
    let out = desk.chromium.press(ADA, "Sign out").await;
    assert_eq!(out.url, desk.url("/sign-in"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_from_elsewhere_is_asked_before_anything_is_linked() {
    let Some(mut desk) = Desk::new().await else { return };
    desk.signed_in_at("/external-auth").await;
    let asks = desk.chromium.visit(ADA, &desk.url(&format!("{PAGE}/callback"))).await;
    assert!(asks.url.starts_with(&desk.url("/connect/")), "{asks:?}");
    let provider = desk.chromium.press(ADA, "Yes, go on").await;
    assert!(desk.is_at_provider(&provider), "{provider:?}");
    let done = desk.chromium.press(ADA, "Approve").await;
    assert_eq!(done.url, desk.url(&format!("{PAGE}?redirected=true")));
    assert!(done.text.contains("Done. You can close this window."), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_linked_by_a_code_that_is_entered_on_another_device() {
    let Some(mut desk) = Desk::new().await else { return };
    desk.chromium.visit_without_scripts(ADA, &desk.url("/healthz")).await;
    desk.signed_in_at(PAGE).await;
    let code = desk.code().await;
    let entered = format!("{}/device?user_code={code}", desk.world.upstream.issuer());
    desk.chromium.visit(TELEPHONE, &entered).await;
    desk.chromium.press(TELEPHONE, "Approve").await;
    // Nobody touches the page with the code.
    let done = desk.chromium.settle(ADA).await;
    assert_eq!(done.url, desk.url(&format!("{PAGE}?redirected=true")));
    assert!(done.text.contains("E2E is linked"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_link_is_accessible_in_light_and_in_dark() {
    let Some(mut desk) = Desk::new().await else { return };
    desk.signed_in_at(PAGE).await;
    desk.chromium.assert_accessible(ADA).await; // not linked
    let code = desk.code().await;
    let still = desk.chromium.visit(ADA, &desk.url(&format!("{PAGE}/device?still=true"))).await;
    assert!(still.text.contains(&code), "{still:?}");
    desk.chromium.assert_accessible(ADA).await; // the code
    assert!(desk.world.upstream.decides(&code, REFUSER).await);
    let refused = desk.chromium.visit(ADA, &desk.url(&format!("{PAGE}/device"))).await;
    assert!(refused.text.contains("Not linked"), "{refused:?}");
    desk.chromium.assert_accessible(ADA).await; // refused
    let again = desk.chromium.press(ADA, "Start again").await;
    assert_eq!(again.url, desk.url(PAGE));
    desk.chromium.visit(ADA, &desk.url(&format!("{PAGE}/callback"))).await;
    desk.chromium.assert_accessible(ADA).await; // link?
    desk.chromium.press(ADA, "No").await;
    desk.chromium.assert_accessible(ADA).await; // the end of a flow that failed
    desk.chromium.press(ADA, "Start again").await;
    desk.chromium.press(ADA, "My links").await;
    desk.chromium.assert_accessible(ADA).await; // all links, none of them made
    desk.chromium.press(ADA, "Link E2E").await;
    desk.chromium.press(ADA, "Approve").await;
    desk.chromium.assert_accessible(ADA).await; // all links
    desk.chromium.visit(ADA, &desk.url(&format!("{PAGE}?redirected=true"))).await;
    desk.chromium.assert_accessible(ADA).await; // linked
    desk.chromium.press(ADA, "Unlink E2E").await;
    desk.chromium.assert_accessible(ADA).await; // unlinked
    desk.chromium.visit(ADA, &desk.url("/external-auth/unknown")).await;
    desk.chromium.assert_accessible(ADA).await; // nothing there
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_login_that_takes_a_moment_is_accessible_and_can_be_kept_still() {
    let Some(mut desk) = Desk::with(&[("TOKENS__CALLER_WAIT", "1")]).await else { return };
    // As long as the service has patience for, almost.
    desk.world.upstream.simulator().set_faults([Fault::slow(FaultPlace::Token, Duration::from_secs(25))]);
    desk.chromium.visit(ADA, &desk.url("/sign-in")).await;
    desk.chromium.press(ADA, "Sign in with E2E").await;
    let working = desk.chromium.press_and_glance(ADA, "Approve").await;
    assert!(working.text.contains("Keep this page still"), "{working:?}");
    let still = desk.chromium.visit(ADA, &format!("{}?still=true", working.url)).await;
    assert!(still.text.contains("One moment"), "{still:?}");
    desk.chromium.assert_accessible(ADA).await;
}
