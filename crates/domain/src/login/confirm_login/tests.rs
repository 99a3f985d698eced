use std::time::Duration;

use super::*;
use crate::accounts::{Account, Standing, TokenPurpose};
use crate::audit::{AuditAction, AuditOutcome};
use crate::fixtures::{START, organization, provider};
use crate::login::fixtures::{Browser, Installation, failed, identity, told, with_code};
use crate::login::{LOGIN_LIFETIME, StartedWebLogin, WebLoginRequest};

/// Somebody has come back from the provider, and sees the page.
async fn asked(at: &Installation, name: &str) -> (StartedWebLogin, Browser, LoginId) {
    let started = at.start().await;
    let mut browser = Browser::default();
    let id = browser.back(at, with_code(&started.url, name)).await.unwrap();
    assert_eq!(browser.sees(at, id).await, "asks");
    (started, browser, id)
}

#[tokio::test(start_paused = true)]
async fn a_poll_before_the_persons_yes_is_pending() {
    let at = Installation::new().await;
    let (started, browser, id) = asked(&at, "ada").await;
    for _ in 0..60 {
        assert_eq!(at.told(&started).await, "pending");
        at.sleep(1).await;
    }
    browser.says(&at, id, true).await.unwrap();
    assert_eq!(browser.sees(&at, id).await, "done");
    assert_eq!(at.told(&started).await, "token");
    assert_eq!(at.audited(AuditAction::LoginFinished).await, [(AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_victims_browser_cannot_complete_an_attackers_login_without_the_confirmation_page() {
    let at = Installation::new().await;
    // The attacker starts it; the provider knows our client and sends the victim's browser straight back.
    let (of_the_attacker, victim, id) = asked(&at, "victim").await;
    assert_eq!(at.told(&of_the_attacker).await, "pending");
    victim.says(&at, id, false).await.unwrap();
    assert_eq!(at.told(&of_the_attacker).await, "refused: declined");
    assert!(at.good_tokens().await.is_empty() && at.accounts().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_the_cookie_nobody_sees_or_answers_the_page() {
    let at = Installation::new().await;
    let (started, _own, id) = asked(&at, "ada").await;
    let (_, of_another_login, _) = asked(&at, "mo").await;
    for other in [Browser::default(), Browser(vec![Secret::new(String::new())]), of_another_login] {
        assert_eq!(other.sees(&at, id).await, "unknown");
        for yes in [true, false] {
            assert_eq!(failed(&other.says(&at, id, yes).await.unwrap_err()), "unknown");
        }
    }
    assert_eq!(at.told(&started).await, "pending");
}

#[tokio::test(start_paused = true)]
async fn a_declined_login_reaches_the_poller() {
    let at = Installation::new().await;
    let (started, browser, id) = asked(&at, "ada").await;
    browser.says(&at, id, false).await.unwrap();
    assert_eq!(at.told(&started).await, "refused: declined");
    assert_eq!(browser.sees(&at, id).await, "ended, refused: declined");
    let declined = (AuditOutcome::Refused, Some("declined".to_owned()));
    assert_eq!(at.audited(AuditAction::LoginFinished).await, [declined]);
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_is_the_answer() {
    for yes in [true, false] {
        let at = Installation::new().await;
        let (started, browser, id) = asked(&at, "ada").await;
        browser.says(&at, id, yes).await.unwrap();
        browser.says(&at, id, !yes).await.unwrap();
        browser.says(&at, id, yes).await.unwrap();
        assert_eq!(at.told(&started).await, if yes { "token" } else { "refused: declined" });
        assert_eq!(at.audited(AuditAction::LoginFinished).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_given_at_the_same_time_is_decided_anew() {
    let at = Installation::new().await;
    let (started, browser, id) = asked(&at, "ada").await;
    let store = at.store_that(|commit| (commit == 0).then_some(CommitError::Conflict));
    let known = &at.cases.confirm_login;
    let confirming = ConfirmLogin {
        logins: Arc::clone(&known.logins),
        accounts: Arc::clone(&known.accounts),
        catalog: Arc::clone(&known.catalog),
        outcomes: at.deciding_over(store, None),
        release: Arc::clone(&known.release),
        clock: Arc::clone(&known.clock),
    };
    confirming.answer(id, &browser.0, true).await.unwrap();
    assert_eq!(at.told(&started).await, "token");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_takes_no_answer() {
    let at = Installation::new().await;
    let (started, browser, id) = asked(&at, "ada").await;
    let known = &at.cases.confirm_login;
    let confirming = ConfirmLogin {
        logins: Arc::clone(&known.logins),
        accounts: Arc::clone(&known.accounts),
        catalog: Arc::clone(&known.catalog),
        outcomes: at.deciding_over(at.store_away_at(&[0]), None),
        release: Arc::clone(&known.release),
        clock: Arc::clone(&known.clock),
    };
    assert_eq!(failed(&confirming.answer(id, &browser.0, true).await.unwrap_err()), "store");
    assert_eq!(at.told(&started).await, "pending", "and they may say it again");
    confirming.answer(id, &browser.0, true).await.unwrap();
    assert_eq!(at.told(&started).await, "token");
}

#[tokio::test(start_paused = true)]
async fn two_first_sign_ins_of_one_person_at_once_make_one_account() {
    let at = Installation::new().await;
    let (first, other_browser, other) = asked(&at, "ada").await;
    let (second, browser, id) = asked(&at, "ada").await;
    other_browser.says(&at, other, true).await.unwrap();
    // This one has looked before that was in the store.
    let known = &at.cases.confirm_login;
    let confirming = ConfirmLogin {
        logins: Arc::clone(&known.logins),
        accounts: Arc::clone(&known.accounts),
        catalog: Arc::clone(&known.catalog),
        outcomes: at.deciding_over(at.store_away_at(&[]), Some(at.admitting_too_late())),
        release: Arc::clone(&known.release),
        clock: Arc::clone(&known.clock),
    };
    confirming.answer(id, &browser.0, true).await.unwrap();
    assert_eq!(at.accounts().await.len(), 1);
    let (first, second) = (at.token(&first).await, at.token(&second).await);
    assert_eq!(first.token.account_id, second.token.account_id);
    assert!(at.opens(&first).await && at.opens(&second).await);
}

#[tokio::test(start_paused = true)]
async fn the_page_names_who_asks_and_who_one_is() {
    let at = Installation::new().await;
    at.idp.knows("ada", identity("1815", "ada-l", "ada@example.com", None));
    let request = WebLoginRequest {
        provider: "github".to_owned(),
        address: Some("192.0.2.7".to_owned()),
        user_agent: Some("golem/1.3".to_owned()),
        shows_code: true,
        ..WebLoginRequest::default()
    };
    let started = at.cases.start_web_login.for_client(request).await.ok().unwrap();
    at.sleep(5).await;
    let mut browser = Browser::default();
    let id = browser.back(&at, with_code(&started.url, "ada")).await.unwrap();
    for (address, from_elsewhere) in [(Some("192.0.2.7"), false), (Some("192.0.2.8"), true), (None, true)] {
        let page = at.cases.confirm_login.page(id, &browser.0, address, None).await;
        let Ok(LoginPage::Asks(summary)) = page else { panic!("it asks") };
        let expected = LoginSummary {
            person: "ada-l".to_owned(),
            provider: provider().name,
            organization: organization().name.as_str().to_owned(),
            asked_by: AskingClient {
                address: Some("192.0.2.7".to_owned()),
                user_agent: Some("golem/1.3".to_owned()),
                match_code: started.match_code.clone(),
                shows_code: true,
            },
            asked_at: START,
            from_elsewhere,
            return_to: None,
        };
        assert_eq!(*summary, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_not_known_is_another_one() {
    let at = Installation::new().await;
    let (_, browser, id) = asked(&at, "ada").await;
    for address in [None, Some("192.0.2.7")] {
        let page = at.cases.confirm_login.page(id, &browser.0, address, None).await;
        assert!(matches!(page, Ok(LoginPage::Asks(summary)) if summary.from_elsewhere), "{address:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_left_open_too_long_takes_no_yes() {
    let at = Installation::new().await;
    let (started, browser, id) = asked(&at, "ada").await;
    at.clock.sleep(LOGIN_LIFETIME.to_std().unwrap()).await;
    assert_eq!(browser.sees(&at, id).await, "unknown");
    assert_eq!(failed(&browser.says(&at, id, true).await.unwrap_err()), "unknown");
    assert_eq!(at.told(&started).await, "unknown");
    assert!(at.accounts().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn yes_leads_to_where_the_client_wants_the_browser_and_the_token_does_not_travel_there() {
    let at = Installation::new().await;
    let request = WebLoginRequest {
        provider: "github".to_owned(),
        return_to: Some("https://golem.cloud/done?x=1".to_owned()),
        ..WebLoginRequest::default()
    };
    let started = at.cases.start_web_login.for_client(request).await.ok().unwrap();
    let mut browser = Browser::default();
    let id = browser.back(&at, with_code(&started.url, "ada")).await.unwrap();
    browser.says(&at, id, true).await.unwrap();
    assert_eq!(browser.sees(&at, id).await, "done: https://golem.cloud/done?x=1");
    assert_eq!(at.told(&started).await, "token");
    assert_eq!(browser.sees(&at, id).await, "done: https://golem.cloud/done?x=1", "loaded again, the same");
}

#[tokio::test(start_paused = true)]
async fn whoever_was_suspended_while_the_page_was_open_gets_nothing() {
    let at = Installation::new().await;
    let account = at.sign_in("ada").await.token.account_id;
    let (started, browser, id) = asked(&at, "ada").await;
    at.cases.suspend_account.suspend(account).await.unwrap();
    browser.says(&at, id, true).await.unwrap();
    assert_eq!(browser.sees(&at, id).await, "ended, not allowed: account_closed");
    assert_eq!(at.told(&started).await, "not allowed: account_closed");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_whose_invitation_was_withdrawn_while_the_page_was_open_gets_no_account() {
    let at = Installation::new().await;
    let (started, browser, id) = asked(&at, "ada").await;
    let later = at.other_process(|login| login.providers[0].new_accounts = crate::login::NewAccounts::Nobody);
    browser.says(&later, id, true).await.unwrap();
    assert_eq!(at.told(&started).await, "not allowed: not_invited");
    assert!(at.accounts().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_browser_of_our_own_page_gets_a_session_of_its_own_and_gets_it_once() {
    let at = Installation::new().await;
    let started = at.cases.start_web_login.for_browser("github", "/connect/7".to_owned()).await.ok().unwrap();
    let mut browser = Browser(vec![started.cookie]);
    let id = browser.back(&at, with_code(&started.url, "ada")).await.unwrap();
    let Ok(LoginPage::SignedIn { session, next }) = browser.page(&at, id).await else {
        panic!("nobody else asks for anything: there is nothing to confirm");
    };
    assert_eq!(next, "/connect/7");
    assert_eq!(session.token.purpose, TokenPurpose::Session { opened_with: session.token.id });
    assert_eq!(session.token.expires_at, Some(START + crate::accounts::SESSION_LIFETIME));
    assert!(session.secret.expose().starts_with("gk_"));
    assert!(at.opens(&session).await);
    assert_eq!(browser.sees(&at, id).await, "was signed in: /connect/7");
    assert_eq!(at.good_tokens().await.len(), 1);
    assert_eq!(at.audited(AuditAction::SessionOpened).await, [(AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_opened_at_a_provider_opens_no_other_and_ends_with_itself() {
    let at = Installation::new().await;
    let started = at.cases.start_web_login.for_browser("github", "/".to_owned()).await.ok().unwrap();
    let mut browser = Browser(vec![started.cookie]);
    let id = browser.back(&at, with_code(&started.url, "ada")).await.unwrap();
    let Ok(LoginPage::SignedIn { session, .. }) = browser.page(&at, id).await else { panic!("signed in") };
    assert!(at.cases.open_session.run(session.secret.expose(), None).await.is_err());
    let caller = at.cases.authenticate.run(session.secret.expose(), None).await.unwrap();
    at.cases.revoke_api_token.of_caller(&caller, caller.token_id).await.unwrap();
    assert!(!at.opens(&session).await);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_come_back_with_has_no_page() {
    let at = Installation::new().await;
    let started = at.cases.start_web_login.for_browser("github", "/".to_owned()).await.ok().unwrap();
    let browser = Browser(vec![started.cookie]);
    assert_eq!(browser.sees(&at, started.id).await, "unknown");
    browser.says(&at, started.id, true).await.unwrap();
    assert!(at.accounts().await.is_empty(), "there is nothing to say yes to yet");
}

#[tokio::test(start_paused = true)]
async fn a_login_whose_process_died_is_told_as_interrupted_to_the_person_and_to_the_client() {
    let at = Installation::new().await;
    at.idp.script().takes = Duration::from_secs(3);
    let started = at.start().await;
    let mut browser = Browser::default();
    let id = browser.back(&at, with_code(&started.url, "ada")).await.unwrap();
    let identified = at.stored(id).await;
    at.update(Login { stage: LoginStage::Asking { since: at.clock.now() }, ..identified }).await;
    at.sleep(89).await;
    assert_eq!(browser.sees(&at, id).await, "working");
    at.sleep(1).await;
    assert_eq!(browser.sees(&at, id).await, "ended, unavailable: interrupted");
    assert_eq!(at.told(&started).await, "unavailable: interrupted");
    at.sleep(600).await;
    assert_eq!(at.told(&started).await, "unknown");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_being_deleted_gets_nothing_also_between_the_yes_and_the_poll() {
    let at = Installation::new().await;
    let (started, browser, id) = asked(&at, "ada").await;
    browser.says(&at, id, true).await.unwrap();
    let account: Account = at.accounts().await.remove(0);
    let known = at.store.account(account.id).await.unwrap().unwrap();
    at.update(Account { standing: Standing::Deleting, ..known }).await;
    assert_eq!(told(&at.poll(&started).await), "not allowed: account_closed");
    assert!(at.good_tokens().await.is_empty());
}
