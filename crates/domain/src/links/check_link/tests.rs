use super::*;
use crate::authorizations::{Authorization, GrantState};
use crate::fixtures::{START, authorization, caller, provider};
use crate::links::fixtures::{installation, link, linked, stored};
use crate::login::fixtures::Installation;
use crate::providers::ProviderStatus;
use crate::sealing::SealedSecret;

async fn check(at: &Installation) -> Result<(Verdict, Option<String>), LendError> {
    let checked = at.cases.list_links.check.run(&caller(), stored(at).await.id).await?;
    Ok((checked.verdict, checked.failure))
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_provider_takes_holds() {
    let at = linked("ada").await;
    assert_eq!(check(&at).await.unwrap(), (Verdict::Taken, None));
    assert_eq!(at.idp.script().validated, ["ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_has_no_way_to_tell_takes_what_it_gave() {
    let at = linked("ada").await;
    at.idp.script().validates = false;
    assert_eq!(check(&at).await.unwrap(), (Verdict::Taken, None));
}

#[tokio::test(start_paused = true)]
async fn a_client_secret_that_does_not_open_says_nothing_about_the_token() {
    let at = linked("ada").await;
    at.update(crate::providers::Provider {
        client_secret: SealedSecret::from_bytes(b"broken".to_vec()),
        device_flow: true,
        ..provider()
    })
    .await;
    assert_eq!(check(&at).await.unwrap(), (Verdict::Taken, Some("secret_rejected".to_owned())));
    assert!(at.idp.script().validated.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_has_two_seconds_to_tell() {
    let at = linked("ada").await;
    at.idp.script().slow.insert("ada", Duration::from_secs(60));
    assert_eq!(check(&at).await.unwrap(), (Verdict::Taken, Some("timeout".to_owned())));
    assert_eq!((at.clock.now() - START).to_std().unwrap(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_provider_refuses_is_refreshed_once() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    assert_eq!(check(&at).await.unwrap(), (Verdict::Taken, None));
    let script = at.idp.script();
    assert_eq!((script.validated.join(" "), script.refreshed), ("ada bea".to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_though_it_is_new_is_not_refreshed_again_within_a_minute() {
    let at = linked("ada").await;
    for name in ["ada", "bea", "cyd"] {
        at.idp.script().refuses.insert(name, UpstreamError::TokenRefused);
    }
    at.idp.script().refreshes.as_mut().unwrap().extend([Ok("bea"), Ok("cyd")]);
    for _ in 0..3 {
        assert_eq!(check(&at).await.unwrap(), (Verdict::Refused, Some("invalid_token".to_owned())));
    }
    assert_eq!(at.idp.script().refreshed, 1);
    at.sleep(59).await;
    check(&at).await.unwrap();
    assert_eq!(at.idp.script().refreshed, 1);
    at.sleep(1).await;
    check(&at).await.unwrap();
    assert_eq!(at.idp.script().refreshed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_without_a_refresh_token_is_refused_for_good() {
    let at = installation().await;
    let row = Authorization { refresh_token: None, ..link(&provider(), "ada") };
    crate::links::fixtures::insert(&at, row).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    assert_eq!(check(&at).await.unwrap(), (Verdict::Refused, Some("invalid_token".to_owned())));
    assert_eq!(at.idp.script().refreshed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_that_cannot_be_replaced_just_now_is_not_refused_for_good() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    let checked = check(&at).await;
    assert!(
        matches!(&checked, Err(LendError::Unavailable { reason }) if reason == "connection_failed"),
        "{checked:?}"
    );
    let known = at.cases.list_links.check.verdicts.known(&stored(&at).await);
    let not_renewed = Verdict::NotRenewed { reason: "connection_failed".into(), holds: true };
    assert_eq!(known, not_renewed, "the grant may live");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_checked_is_as_it_was_known() {
    let at = linked("ada").await;
    let check = &at.cases.list_links.check;
    let unchecked = |row: Authorization| {
        let link = Link { authorization: Arc::new(row), provider: Arc::new(provider()) };
        let CheckedLink { authenticated, failure, .. } = check.unchecked(link, "timeout");
        (authenticated, failure)
    };
    let dead = GrantState::Dead { reason: "invalid_grant".to_owned() };
    assert_eq!(unchecked(authorization()), (true, Some("timeout".to_owned())));
    assert_eq!(
        unchecked(Authorization { grant: dead, ..authorization() }),
        (false, Some("invalid_grant".to_owned()))
    );
    let over = Authorization { refresh_token: None, ..crate::fixtures::expired() };
    assert_eq!(unchecked(over), (false, Some("no_refresh_token".to_owned())));
    let refused = Err::<(), _>(UpstreamError::TokenRefused);
    check.verdicts.hear(&authorization(), &refused, Duration::ZERO);
    assert_eq!(unchecked(authorization()), (false, Some("timeout".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_paused_is_not_asked() {
    let at = linked("ada").await;
    at.update(crate::providers::Provider { status: ProviderStatus::Inactive, ..provider() }).await;
    assert!(matches!(check(&at).await, Err(LendError::ProviderNotActive)));
    assert!(at.idp.script().validated.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_has_just_failed_to_refresh_is_left_alone() {
    let at = installation().await;
    let next_attempt_at = Some(START + chrono::TimeDelta::minutes(10));
    let last_failure = Some("rate_limited".to_owned());
    let row = Authorization { last_failure, next_attempt_at, ..link(&provider(), "ada") };
    crate::links::fixtures::insert(&at, row).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    let checked = check(&at).await;
    assert!(
        matches!(&checked, Err(LendError::Unavailable { reason }) if reason == "rate_limited"),
        "{checked:?}"
    );
    assert_eq!(at.idp.script().refreshed, 0);
    at.sleep(600).await;
    assert_eq!(check(&at).await.unwrap(), (Verdict::Taken, None));
}
