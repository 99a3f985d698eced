use std::time::Duration;

use super::*;
use crate::audit::{AuditAction, AuditOutcome};
use crate::authorizations::handover::s256;
use crate::fixtures::{organization, provider};
use crate::ids::ProviderId;
use crate::login::fixtures::{
    Browser, Installation, Redeemed, bad_moment, failed, identity, with_code, with_error,
};
use crate::login::{NewAccounts, Person, StartedWebLogin};
use crate::providers::{RevocationScope, UpstreamError};

/// Another part of the same, over another store.
fn completing_over(at: &Installation, store: Arc<dyn UnitOfWork>) -> CompleteWebLogin {
    let known = (*at.cases.complete_web_login).clone();
    CompleteWebLogin { outcomes: at.deciding_over(Arc::clone(&store), None), store, ..known }
}

/// The person has come back from the provider with their code; what became of it, as their own browser sees it.
async fn seen(at: &Installation, started: &StartedWebLogin, name: &str) -> String {
    let mut browser = Browser::default();
    match browser.back(at, with_code(&started.url, name)).await {
        Ok(id) => browser.sees(at, id).await,
        Err(error) => failed(&error),
    }
}

#[tokio::test(start_paused = true)]
async fn the_verifier_and_the_nonce_are_those_of_the_login_and_so_is_the_redirect_uri() {
    let at = Installation::new().await;
    let (first, _second) = (at.start().await, at.start().await);
    assert_eq!(seen(&at, &first, "ada").await, "asks");
    let script = at.idp.script();
    let asked = script.asked[0].clone();
    let [redeemed] = &script.redeemed[..] else { panic!("one code came") };
    let challenge = redeemed.verifier.clone().map(|verifier| s256(&Secret::new(verifier)));
    assert!(challenge.is_some() && challenge == asked.challenge);
    let expected = Redeemed {
        code: "ada".to_owned(),
        redirect_uri: asked.redirect_uri,
        nonce: asked.nonce,
        verifier: redeemed.verifier.clone(),
    };
    assert_eq!(*redeemed, expected);
}

#[tokio::test(start_paused = true)]
async fn the_state_is_used_up_before_the_code_goes_anywhere() {
    let at = Installation::new().await;
    at.idp.script().takes = Duration::from_secs(2);
    let started = at.start().await;
    let meanwhile = async {
        at.sleep(1).await;
        assert_eq!(at.idp.script().redeemed.len(), 1, "the code is on its way");
        assert!(matches!(at.only_login().await.stage, LoginStage::Asking { .. }));
        assert_eq!(seen(&at, &started, "mallory").await, "unknown");
        assert_eq!(at.told(&started).await, "pending");
    };
    let (seen, ()) = tokio::join!(seen(&at, &started, "ada"), meanwhile);
    assert_eq!(seen, "asks");
    assert_eq!(at.idp.script().redeemed.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_two_callbacks_with_one_state_one_gets_on() {
    let at = Installation::new().await;
    let started = at.start().await;
    let mut both: [String; 2] =
        tokio::join!(seen(&at, &started, "ada"), seen(&at, &started, "mallory")).into();
    both.sort();
    assert_eq!(both, ["asks", "unknown"]);
    assert_eq!(at.idp.script().redeemed.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_not_good_sends_no_code_anywhere() {
    let at = Installation::new().await;
    let started = at.start().await;
    let unknown = Callback { state: Secret::new("state".to_owned()), ..with_code(&started.url, "ada") };
    let another = ProviderId::from_uuid(crate::fixtures::uuid(99));
    let elsewhere = Callback { provider_id: another, ..with_code(&started.url, "ada") };
    for callback in [unknown, elsewhere] {
        assert!(matches!(at.cases.complete_web_login.run(callback, &[]).await, Ok(None)));
    }
    at.sleep(599).await;
    assert_eq!(at.told(&started).await, "pending");
    at.sleep(1).await;
    assert_eq!(seen(&at, &started, "ada").await, "unknown", "it has expired");
    assert_eq!(at.told(&started).await, "unknown");
    assert!(at.idp.script().redeemed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_at_the_provider_reaches_the_poller() {
    for (error, told) in [
        ("access_denied", "refused: access_denied"),
        ("<script>alert(1)</script>", "refused: unlisted_error"),
    ] {
        let at = Installation::new().await;
        let started = at.start().await;
        let mut browser = Browser::default();
        let id = browser.back(&at, with_error(&started.url, error)).await.unwrap();
        assert_eq!(at.told(&started).await, told);
        assert_eq!(browser.sees(&at, id).await, format!("ended, {told}"));
        assert!(at.has_audited_nothing().await, "anybody can bring a refusal back");
    }
}

#[tokio::test(start_paused = true)]
async fn how_the_provider_takes_the_code_reaches_the_poller() {
    for (error, told) in [
        (UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }, "refused: invalid_grant"),
        (UpstreamError::Misconfigured { code: "redirect_uri".to_owned() }, "unavailable: redirect_uri"),
        (bad_moment(), "unavailable: connection_failed"),
        (UpstreamError::ClientRefused { code: "invalid_client".to_owned() }, "unavailable: invalid_client"),
    ] {
        let at = Installation::new().await;
        at.idp.script().refuses.insert("ada", error.clone());
        let started = at.start().await;
        assert_eq!(seen(&at, &started, "ada").await, format!("ended, {told}"));
        assert_eq!(at.told(&started).await, told);
        // The operator has to know where it is our client that is refused.
        let status = at.store.provider(organization().id, provider().id).await.unwrap().unwrap().status;
        let is_disabled = status == ProviderStatus::Disabled;
        assert_eq!(is_disabled, matches!(error, UpstreamError::ClientRefused { .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_whose_id_token_does_not_hold_let_nobody_in_and_are_revoked() {
    let at = Installation::new().await;
    at.idp.script().revokes = Some(RevocationScope::Token);
    at.idp.script().distrust = Some(UpstreamError::Untrusted { reason: "nonce_mismatch" });
    let started = at.start().await;
    assert_eq!(seen(&at, &started, "ada").await, "ended, refused: nonce_mismatch");
    assert_eq!((at.accounts().await.len(), at.revocations().await.len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_code_goes_nowhere_where_the_answer_is_of_another_provider() {
    let at = Installation::new().await;
    let started = at.start().await;
    let iss = Some("https://evil.example".to_owned());
    let mut browser = Browser::default();
    browser.back(&at, Callback { iss, ..with_code(&started.url, "ada") }).await.unwrap();
    assert_eq!(at.told(&started).await, "refused: issuer_mismatch");

    // One that names itself must do so (RFC 9207, 2.4); and whose endpoints have changed is another one.
    let announce: fn(&mut Provider) = |provider| provider.endpoints.announces_iss = true;
    let move_away: fn(&mut Provider) = |provider| provider.endpoints.userinfo = None;
    let pause: fn(&mut Provider) = |provider| provider.status = ProviderStatus::Inactive;
    for (change, before_the_start, told) in [
        (announce, true, "refused: issuer_mismatch"),
        (move_away, false, "refused: issuer_mismatch"),
        (pause, false, "refused: provider_not_active"),
    ] {
        let at = Installation::new().await;
        let mut changed = at.store.provider(organization().id, provider().id).await.unwrap().unwrap();
        change(&mut changed);
        let started = if before_the_start {
            at.update(changed).await;
            at.start().await
        } else {
            let started = at.start().await;
            at.update(changed).await;
            started
        };
        assert_eq!(seen(&at, &started, "ada").await, format!("ended, {told}"));
        assert_eq!(at.told(&started).await, told);
        assert!(at.idp.script().redeemed.is_empty(), "{told}");
    }
    assert!(at.idp.script().redeemed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_being_deleted_ends_nothing_and_gets_nothing() {
    let at = Installation::new().await;
    let started = at.start().await;
    let known = at.store.provider(organization().id, provider().id).await.unwrap().unwrap();
    at.update(Provider { status: ProviderStatus::Deleting, ..known }).await;
    assert_eq!(seen(&at, &started, "ada").await, "unknown");
    assert!(at.idp.script().redeemed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_browser_login_needs_its_own_cookie() {
    let at = Installation::new().await;
    let started = at.cases.start_web_login.for_browser("github", "/next".to_owned()).await.ok().unwrap();
    // Somebody has the victim's browser come back with a login that they have begun themselves.
    assert_eq!(
        failed(&Browser::default().back(&at, with_code(&started.url, "mallory")).await.unwrap_err()),
        "unknown"
    );
    let mut stranger = Browser(vec![Secret::new("another cookie".to_owned())]);
    assert_eq!(failed(&stranger.back(&at, with_code(&started.url, "mallory")).await.unwrap_err()), "unknown");
    assert!(at.idp.script().redeemed.is_empty(), "and nothing is used up");

    let mut own = Browser(vec![Secret::new("another cookie".to_owned()), started.cookie]);
    let id = own.back(&at, with_code(&started.url, "ada")).await.unwrap();
    assert_eq!((id, own.sees(&at, id).await), (started.id, "signed in: /next".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_cookie_of_a_browser_login_is_another_one_after_the_callback() {
    let at = Installation::new().await;
    let started = at.cases.start_web_login.for_browser("github", "/next".to_owned()).await.ok().unwrap();
    let before = Browser(vec![Secret::new(started.cookie.expose().to_owned())]);
    let mut own = Browser(vec![started.cookie]);
    let id = own.back(&at, with_code(&started.url, "ada")).await.unwrap();
    assert_eq!(own.0.len(), 2);
    assert_eq!(before.sees(&at, id).await, "unknown", "who has known the first one is out");
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_is_loaded_again_leads_its_own_browser_to_the_page_and_nobody_else() {
    let at = Installation::new().await;
    let started = at.start().await;
    let mut browser = Browser::default();
    let id = browser.back(&at, with_code(&started.url, "ada")).await.unwrap();
    let again = at.cases.complete_web_login.run(with_code(&started.url, "ada"), &browser.0).await;
    let again = again.ok().flatten().unwrap();
    assert!(again.id == id && again.cookie.is_none(), "it keeps the cookie that it has");
    assert_eq!(seen(&at, &started, "ada").await, "unknown");
    assert_eq!(at.idp.script().redeemed.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_browser_waits_for_a_slow_provider_no_longer_than_it_should_and_the_page_tells_the_rest() {
    let at = Installation::new().await;
    at.idp.script().takes = Duration::from_secs(20);
    let started = at.start().await;
    let mut browser = Browser::default();
    let before = at.clock.now();
    let id = browser.back(&at, with_code(&started.url, "ada")).await.unwrap();
    let waited = (at.clock.now() - before).to_std().unwrap();
    assert_eq!(waited, TokenSettings::default().caller_wait);
    assert_eq!((browser.sees(&at, id).await, at.told(&started).await), ("working".into(), "pending".into()));
    at.sleep(20).await;
    assert_eq!(browser.sees(&at, id).await, "asks");
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_leaves_does_not_cut_the_exchange_off() {
    let at = Installation::new().await;
    at.idp.script().takes = Duration::from_secs(2);
    at.idp.script().revokes = Some(RevocationScope::Token);
    let started = at.start().await;
    let left = within(&at.clock, Duration::from_secs(1), seen(&at, &started, "ada")).await;
    assert!(left.is_none());
    at.sleep(5).await;
    assert!(matches!(at.only_login().await.stage, LoginStage::Identified(_)));
    assert_eq!(at.revocations().await.len(), 1, "and nothing of it is left behind at the provider");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_uses_nothing_up() {
    let at = Installation::new().await;
    let started = at.start().await;
    let away = completing_over(&at, at.store_away_at(&[0]));
    let back = away.run(with_code(&started.url, "ada"), &[]).await;
    assert!(matches!(back, Err(LoginError::Store(StoreError::Unavailable(_)))));
    assert!(at.idp.script().redeemed.is_empty(), "before the state is used up the code goes nowhere");
    assert_eq!(seen(&at, &started, "ada").await, "asks");
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_has_said_waits_for_a_store_that_is_away() {
    let at = Installation::new().await;
    let started = at.start().await;
    let completing = completing_over(&at, at.store_away_at(&[1, 2, 3]));
    let mut browser = Browser::default();
    let returned = completing.run(with_code(&started.url, "ada"), &[]).await.ok().flatten().unwrap();
    let id = browser.keep(returned);
    assert_eq!(browser.sees(&at, id).await, "asks");
    assert_eq!(at.idp.script().redeemed.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_failed_and_was_made_is_not_made_twice() {
    let at = Installation::with(|login| login.asks_people = false).await;
    let started = at.start().await;
    let store = Arc::clone(&at.store);
    let mut commits = 0;
    let mut lying = crate::MockUnitOfWork::new();
    lying.expect_commit().returning(move |changes| {
        let made = futures_util::FutureExt::now_or_never(store.commit(changes)).unwrap();
        commits += 1;
        if commits == 2 { Err(crate::fixtures::unavailable().into()) } else { made }
    });
    let completing = completing_over(&at, Arc::new(lying));
    assert!(completing.run(with_code(&started.url, "ada"), &[]).await.is_ok());
    assert_eq!(at.told(&started).await, "token");
    assert_eq!((at.accounts().await.len(), at.audited(AuditAction::LoginFinished).await.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn tokens_that_came_of_signing_in_are_revoked_only_where_that_takes_nothing_else_away() {
    for (scope, revoked) in [
        (Some(RevocationScope::Token), true),
        (Some(RevocationScope::Pair), true),
        (Some(RevocationScope::Grant), false),
        (Some(RevocationScope::Project), false),
        (None, false),
    ] {
        for asks_people in [true, false] {
            for new_accounts in [NewAccounts::Anyone, NewAccounts::Nobody] {
                let case = format!("{scope:?}, {asks_people}, {new_accounts:?}");
                let at = Installation::with(|login| {
                    login.asks_people = asks_people;
                    login.providers[0].new_accounts = new_accounts;
                })
                .await;
                at.idp.script().revokes = scope;
                let started = at.start().await;
                at.approve(&started, "ada").await;
                assert_eq!(at.revocations().await.len(), usize::from(revoked), "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_for_somebody_who_may_yet_say_no() {
    let at = Installation::new().await;
    let started = at.start().await;
    at.idp.knows("ada", identity("1815", "ada", "ada@example.com", Some(true)));
    assert_eq!(seen(&at, &started, "ada").await, "asks");
    assert!(at.accounts().await.is_empty());
    let expected = Person {
        issuer: "https://provider.example".to_owned(),
        subject: "1815".to_owned(),
        verified_email: Some("ada@example.com".to_owned()),
        name: Some("ada".to_owned()),
    };
    assert_eq!(at.only_login().await.stage, LoginStage::Identified(expected));
}

#[tokio::test(start_paused = true)]
async fn where_people_are_not_asked_the_token_may_be_had_at_once() {
    let at = Installation::with(|login| login.asks_people = false).await;
    let started = at.start().await;
    assert_eq!(seen(&at, &started, "ada").await, "done");
    assert!(at.opens(&at.token(&started).await).await);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_is_not_invited_is_told_so_without_being_asked_anything() {
    let at = Installation::with(|login| login.providers[0].new_accounts = NewAccounts::Nobody).await;
    let started = at.start().await;
    assert_eq!(seen(&at, &started, "ada").await, "ended, not allowed: not_invited");
    assert_eq!(at.told(&started).await, "not allowed: not_invited");
    let refused = (AuditOutcome::Refused, Some("not_invited".to_owned()));
    assert_eq!(at.audited(AuditAction::LoginFinished).await, [refused]);
}

#[tokio::test(start_paused = true)]
async fn two_simultaneous_web_logins_never_get_each_others_token() {
    let at = Installation::new().await;
    at.idp.script().takes = Duration::from_secs(1);
    let (of_ada, of_mo) = (at.start().await, at.start().await);
    tokio::join!(at.approve(&of_ada, "ada"), at.approve(&of_mo, "mo"));
    let (second, first) = tokio::join!(at.token(&of_mo), at.token(&of_ada));
    for (issued, address) in [(first, "ada@example.com"), (second, "mo@example.com")] {
        let accounts = at.accounts().await;
        let account = accounts.iter().find(|account| account.id == issued.token.account_id).unwrap();
        assert_eq!(account.email.as_str(), address);
        assert!(at.opens(&issued).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_provider_that_was_taken_out_of_the_configuration_lets_nobody_in() {
    let at = Installation::new().await;
    let started = at.start().await;
    let later = at.other_process(|login| login.providers[0].name = "another".to_owned());
    assert_eq!(seen(&later, &started, "ada").await, "ended, not allowed: login_off");
    assert_eq!(later.told(&started).await, "not allowed: login_off");
    assert!(at.accounts().await.is_empty());
}
