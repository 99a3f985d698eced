use chrono::TimeDelta;
use futures_util::future::join_all;

use super::*;
use crate::audit::{AuditAction, AuditOutcome};
use crate::authorizations::{Authorization, GrantState};
use crate::fixtures::{START, caller, provider};
use crate::links::fixtures::{expired, insert, installation, later, link, linked, seconds};
use crate::login::fixtures::{Installation, bad_moment};
use crate::providers::{Provider, ProviderStatus, UpstreamError};

/// The token that is lent, or why not.
async fn lent(at: &Installation) -> String {
    match at.cases.lend_link_token.run(&caller(), provider().id).await {
        Ok(LentLinkToken::Token(lent)) => lent.access_token.expose().to_owned(),
        Ok(LentLinkToken::NotLinked) => "not linked".to_owned(),
        Err(LendLinkTokenError::ProviderNotActive) => "not active".to_owned(),
        Err(LendLinkTokenError::Unavailable { reason }) => format!("unavailable: {reason}"),
        Err(LendLinkTokenError::Store(_)) => "store".to_owned(),
    }
}

fn asked(at: &Installation) -> usize {
    at.idp.script().validated.len()
}

fn elapsed(at: &Installation) -> Duration {
    (at.clock.now() - START).to_std().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_provider_takes_is_lent_and_on_record() {
    let at = linked("ada").await;
    assert_eq!(lent(&at).await, "ada");
    assert_eq!(at.audited(AuditAction::TokenHandedOut).await, [(AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_linked_there_is_nothing_to_lend() {
    let at = installation().await;
    assert_eq!(lent(&at).await, "not linked");
    assert!(at.has_audited_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn the_newest_authorization_is_the_link_whose_token_is_lent() {
    let at = linked("ada").await;
    insert(&at, later(&link(&provider(), "ada"), 1, "other", "bea")).await;
    assert_eq!(lent(&at).await, "bea");
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_asked_about_a_token_once_a_minute_at_most() {
    let at = linked("ada").await;
    for (pass, times) in [(0, 1), (1, 1), (58, 1), (1, 2), (59, 2), (1, 3)] {
        at.sleep(pass).await;
        assert_eq!((lent(&at).await.as_str(), asked(&at)), ("ada", times), "after {:?}", elapsed(&at));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_come_at_once_cost_one_question() {
    let at = linked("ada").await;
    at.idp.script().slow.insert("ada", seconds(1));
    let all = join_all((0..100).map(|_| lent(&at))).await;
    assert!(all.iter().all(|token| token == "ada"));
    assert_eq!((asked(&at), elapsed(&at)), (1, seconds(1)));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_come_at_once_with_a_refused_token_cost_one_refresh() {
    let at = linked("ada").await;
    at.idp.script().slow.insert("ada", seconds(1));
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    let all = join_all((0..100).map(|_| lent(&at))).await;
    assert!(all.iter().all(|token| token == "bea"), "{all:?}");
    let script = at.idp.script();
    assert_eq!((script.validated.join(" "), script.refreshed), ("ada bea".to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_checked_in_two_seconds_is_lent() {
    let at = linked("ada").await;
    at.idp.script().slow.insert("ada", seconds(3600));
    assert_eq!((lent(&at).await.as_str(), elapsed(&at)), ("ada", seconds(2)));
    assert_eq!((lent(&at).await.as_str(), elapsed(&at)), ("ada", seconds(2)), "and once a minute");
    assert_eq!(asked(&at), 1);
}

#[tokio::test(start_paused = true)]
async fn behind_others_nobody_waits_for_longer_than_two_seconds_either() {
    let at = linked("ada").await;
    at.idp.script().slow.insert("ada", seconds(3600));
    // One after the other leaves while it asks, and the next asks anew.
    let leaving = async |after| {
        let clock = Arc::clone(&at.clock);
        within(&clock, Duration::from_millis(after), lent(&at)).await
    };
    let last = async {
        at.clock.sleep(Duration::from_millis(1)).await;
        let before = at.clock.monotonic();
        (lent(&at).await, at.clock.monotonic().saturating_sub(before))
    };
    let (.., (token, took)) = tokio::join!(leaving(1500), leaving(1800), leaving(1900), last);
    assert_eq!((token.as_str(), took), ("ada", seconds(2)));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_does_not_withhold_a_token() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::RateLimited { retry_after: None });
    assert_eq!(lent(&at).await, "ada");
    at.idp.script().refuses.insert("ada", bad_moment());
    at.sleep(60).await;
    assert_eq!(lent(&at).await, "ada");
    assert_eq!(asked(&at), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_does_not_bring_back_what_was_refused() {
    let at = installation().await;
    insert(&at, Authorization { refresh_token: None, ..link(&provider(), "ada") }).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    assert_eq!(lent(&at).await, "not linked");
    at.idp.script().refuses.insert("ada", UpstreamError::RateLimited { retry_after: None });
    at.sleep(60).await;
    assert_eq!((lent(&at).await.as_str(), asked(&at)), ("not linked", 2));
    at.idp.script().refuses.clear();
    at.sleep(60).await;
    assert_eq!(lent(&at).await, "ada");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_provider_refuses_is_refreshed_once_and_not_again_within_a_minute() {
    let at = linked("ada").await;
    for name in ["ada", "bea", "cyd"] {
        at.idp.script().refuses.insert(name, UpstreamError::TokenRefused);
    }
    at.idp.script().refreshes.as_mut().unwrap().extend([Ok("bea"), Ok("cyd")]);
    for _ in 0..5 {
        assert_eq!(lent(&at).await, "not linked");
    }
    assert_eq!((asked(&at), at.idp.script().refreshed), (2, 1));
    at.idp.script().refuses.remove("cyd");
    at.sleep(60).await;
    assert_eq!((lent(&at).await.as_str(), at.idp.script().refreshed), ("cyd", 2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_not_lent_and_the_refusal_is_on_record() {
    let at = installation().await;
    insert(&at, Authorization { refresh_token: None, ..link(&provider(), "ada") }).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    assert_eq!(lent(&at).await, "not linked");
    let refused = (AuditOutcome::Refused, Some("invalid_token".to_owned()));
    assert_eq!(at.audited(AuditAction::TokenHandedOut).await, [refused]);
}

#[tokio::test(start_paused = true)]
async fn who_links_anew_after_a_refusal_gets_the_new_token_at_once() {
    let at = installation().await;
    insert(&at, Authorization { refresh_token: None, ..link(&provider(), "ada") }).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    assert_eq!(lent(&at).await, "not linked");
    at.clock.sleep(seconds(1)).await;
    let row = link(&provider(), "bea");
    at.update(Authorization { authorized_at: START + TimeDelta::seconds(1), ..row }).await;
    assert_eq!(lent(&at).await, "bea");
}

#[tokio::test(start_paused = true)]
async fn a_dead_link_is_to_be_linked_anew() {
    let at = installation().await;
    let grant = GrantState::Dead { reason: "invalid_grant".to_owned() };
    insert(&at, Authorization { grant, ..link(&provider(), "ada") }).await;
    assert_eq!((lent(&at).await.as_str(), asked(&at)), ("not linked", 0));
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_refreshed_and_a_bad_moment_of_the_provider_is_told() {
    let at = expired("ada").await;
    assert_eq!(lent(&at).await, "unavailable: connection_failed");
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    at.sleep(1).await;
    assert_eq!(lent(&at).await, "bea");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_paused_lends_nothing() {
    let at = linked("ada").await;
    at.update(Provider { status: ProviderStatus::Inactive, ..provider() }).await;
    assert_eq!(lent(&at).await, "not active");
}

#[tokio::test(start_paused = true)]
async fn at_a_provider_that_is_disabled_a_refused_token_is_not_lent() {
    let at = linked("ada").await;
    at.update(Provider { status: ProviderStatus::Disabled, ..provider() }).await;
    assert_eq!(lent(&at).await, "ada", "as long as it is taken");
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.sleep(60).await;
    assert_eq!(lent(&at).await, "not active");
}

#[tokio::test(start_paused = true)]
async fn another_users_link_is_not_lent() {
    let at = linked("ada").await;
    let other =
        Caller { account_id: crate::ids::AccountId::from_uuid(crate::fixtures::uuid(99)), ..caller() };
    let lent = at.cases.lend_link_token.run(&other, provider().id).await;
    assert!(matches!(lent, Ok(LentLinkToken::NotLinked)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_that_cannot_be_replaced_just_now_is_withheld_and_nobody_asks_again_within_a_minute()
{
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    for _ in 0..5 {
        assert_eq!(lent(&at).await, "unavailable: connection_failed");
        at.sleep(11).await;
    }
    assert_eq!((asked(&at), at.idp.script().refreshed), (1, 1));
    at.idp.script().refuses.insert("ada", UpstreamError::RateLimited { retry_after: None });
    at.sleep(5).await;
    assert_eq!(lent(&at).await, "unavailable: connection_failed", "nothing else was said of it");
    assert_eq!((asked(&at), at.idp.script().refreshed), (2, 1));
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    at.sleep(60).await;
    assert_eq!(lent(&at).await, "bea");
}

#[tokio::test(start_paused = true)]
async fn what_the_list_was_refused_is_not_lent() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.cases.list_links.run(&caller()).await.unwrap();
    assert_eq!(lent(&at).await, "unavailable: connection_failed");
    at.update(Provider { status: ProviderStatus::Disabled, ..provider() }).await;
    at.sleep(1).await;
    assert_eq!(lent(&at).await, "not active");
    assert_eq!((asked(&at), at.idp.script().refreshed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_others_in_vain_does_not_get_what_was_refused_before() {
    let at = installation().await;
    insert(&at, Authorization { refresh_token: None, ..link(&provider(), "ada") }).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    assert_eq!(lent(&at).await, "not linked");
    at.sleep(60).await;
    let _turn = at.cases.lend_link_token.check.verdicts.turn(link(&provider(), "ada").id).await;
    assert_eq!((lent(&at).await.as_str(), elapsed(&at)), ("not linked", seconds(62)));
}
