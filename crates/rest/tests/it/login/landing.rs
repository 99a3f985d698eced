//! Coming back from the provider while the store fails: the code is spent, so nothing else may be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use grantkeeper_domain::accounts::Account;
use grantkeeper_domain::ids::{AccountId, LoginId, OrganizationId, ProviderId};
use grantkeeper_domain::login::{Login, LoginIdentity, LoginStore};
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::{Store, StoreError, UseCases};

use super::pages::sign_in_at_provider;
use super::secret;
use crate::browser::Browser;
use crate::service::{Service, login_settings, settings};

/// A store that is away when a login is read by its id for the first time.
struct AwayOnce {
    store: Arc<dyn Store>,
    was_away: AtomicBool,
}

#[async_trait]
impl LoginStore for AwayOnce {
    async fn login(&self, id: LoginId) -> Result<Option<Login>, StoreError> {
        if self.was_away.swap(true, Ordering::Relaxed) {
            self.store.login(id).await
        } else {
            Err(StoreError::Unavailable("away".into()))
        }
    }

    async fn login_by_handle(&self, handle: &SecretHash) -> Result<Option<Login>, StoreError> {
        self.store.login_by_handle(handle).await
    }

    async fn login_by_state(
        &self,
        provider: ProviderId,
        state: &SecretHash,
    ) -> Result<Option<Login>, StoreError> {
        self.store.login_by_state(provider, state).await
    }

    async fn identified<'a>(
        &self,
        organization: OrganizationId,
        issuer: &'a str,
        subject: &'a str,
    ) -> Result<Option<(LoginIdentity, Account)>, StoreError> {
        self.store.identified(organization, issuer, subject).await
    }

    async fn identities_of(&self, account: AccountId) -> Result<Vec<LoginIdentity>, StoreError> {
        self.store.identities_of(account).await
    }

    async fn purge_logins(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.store.purge_logins(before).await
    }
}

/// A service whose first look at the page of a login fails.
async fn with_a_page_that_fails_once() -> Service {
    let service = Service::for_logins(login_settings()).await;
    let mut use_cases = UseCases::over(&service.ports, &settings(true, login_settings()));
    let confirm = Arc::get_mut(&mut use_cases.confirm_login).expect("nobody else has it");
    confirm.logins =
        Arc::new(AwayOnce { store: Arc::clone(&service.ports.store), was_away: AtomicBool::new(false) });
    service.over(use_cases)
}

#[actix_web::test]
async fn a_browser_whose_page_cannot_be_read_gets_its_cookie_and_the_page_a_moment_later() {
    let service = with_a_page_that_fails_once().await;
    let started = service.start_login("").await;
    let mut browser = Browser::new(&service);
    let page = browser.come_back(&started.url, "code=c").await;
    browser.answer(&page, "yes").await;
    secret(&service.poll_login(&started.state).await);
}

#[actix_web::test]
async fn so_does_a_browser_that_signs_in_itself() {
    let service = with_a_page_that_fails_once().await;
    let mut browser = Browser::new(&service);
    let back = sign_in_at_provider(&mut browser, &[]).await;
    assert_eq!(back.status, StatusCode::FOUND, "{back:?}");
    let page = browser.get(back.header(LOCATION)).await;
    assert_eq!((page.status, page.header(LOCATION)), (StatusCode::SEE_OTHER, "/account"), "{page:?}");
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
}
