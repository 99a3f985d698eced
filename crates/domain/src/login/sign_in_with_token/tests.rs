use std::time::Duration;

use super::*;
use crate::login::NewAccounts;
use crate::login::fixtures::{Installation, bad_moment, failed};

/// An installation whose provider tells this of every token.
async fn telling(
    audience: Option<Result<TokenAudience, UpstreamError>>,
    foreign_tokens: bool,
) -> Installation {
    let at = Installation::with(|login| login.providers[0].foreign_tokens = foreign_tokens).await;
    at.idp.script().audience = audience;
    at
}

const OURS: Option<Result<TokenAudience, UpstreamError>> = Some(Ok(TokenAudience::Ours));

async fn bring(at: &Installation, token: &str) -> Result<IssuedToken, LoginError> {
    at.cases.sign_in_with_token.run("github", &Secret::new(token.to_owned()), Some("request")).await
}

async fn told(at: &Installation, token: &str) -> String {
    match bring(at, token).await {
        Ok(_) => "token".to_owned(),
        Err(error) => failed(&error),
    }
}

/// The same over other parts.
fn signing_in(
    at: &Installation,
    store: Arc<dyn UnitOfWork>,
    admit: Option<Arc<AdmitPerson>>,
) -> SignInWithToken {
    let known = &at.cases.sign_in_with_token;
    SignInWithToken {
        providers: Arc::clone(&known.providers),
        clients: Arc::clone(&known.clients),
        sealer: Arc::clone(&known.sealer),
        admit: admit.unwrap_or_else(|| Arc::clone(&known.admit)),
        release: Arc::clone(&known.release),
        store,
        clock: Arc::clone(&known.clock),
        random: Arc::clone(&known.random),
        settings: known.settings,
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_issued_to_our_client_signs_in_whoever_it_is_of() {
    let at = telling(OURS, false).await;
    let issued = bring(&at, "ada").await.ok().unwrap();
    assert!(uuid::Uuid::parse_str(issued.secret.expose()).is_ok() && at.opens(&issued).await);
    assert_eq!(at.audited(AuditAction::LoginFinished).await, [(AuditOutcome::Done, None)]);
    // A new one each time, and the ones before stay good: they were given to other clients of that person.
    let again = bring(&at, "ada").await.ok().unwrap();
    assert_eq!(again.token.account_id, issued.token.account_id);
    assert!(at.opens(&issued).await && at.opens(&again).await);
    // The same person as on the web.
    assert_eq!(at.sign_in("ada").await.token.account_id, issued.token.account_id);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_client_is_refused_whatever_is_configured() {
    for foreign_tokens in [false, true] {
        let at = telling(Some(Ok(TokenAudience::Another)), foreign_tokens).await;
        assert_eq!(told(&at, "ada").await, "refused: wrong_audience");
        assert_eq!(at.idp.script().identified, 0, "nobody even asks whose it is");
        assert!(at.accounts().await.is_empty());
        assert!(at.has_audited_nothing().await, "anybody can bring a token");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_nobody_and_one_of_which_nothing_can_be_told_are_taken_only_where_foreign_tokens_are() {
    for audience in [Some(Ok(TokenAudience::Nobody)), Some(Err(UpstreamError::NotSupported)), None] {
        let at = telling(audience.clone(), false).await;
        assert_eq!(told(&at, "ada").await, "foreign token", "{audience:?}");
        assert_eq!(at.idp.script().identified, 0, "{audience:?}");

        let at = telling(audience.clone(), true).await;
        assert_eq!(told(&at, "ada").await, "token", "{audience:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_is_no_reason_to_trust_a_token() {
    for (audience, expected) in [
        (UpstreamError::TokenRefused, "refused: invalid_token"),
        (bad_moment(), "unavailable: connection_failed"),
        (UpstreamError::RateLimited { retry_after: None }, "unavailable: rate_limited"),
        (UpstreamError::ClientRefused { code: "invalid_client".to_owned() }, "unavailable: invalid_client"),
        (UpstreamError::Untrusted { reason: "forged" }, "refused: forged"),
    ] {
        for foreign_tokens in [false, true] {
            let at = telling(Some(Err(audience.clone())), foreign_tokens).await;
            assert_eq!(told(&at, "ada").await, expected);
            assert!(at.accounts().await.is_empty());
            assert!(at.has_audited_nothing().await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_tells_nothing_of_its_owner_signs_nobody_in() {
    let at = telling(OURS, false).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.idp.script().refuses.insert("mo", bad_moment());
    assert_eq!(told(&at, "ada").await, "refused: invalid_token");
    assert_eq!(told(&at, "mo").await, "unavailable: connection_failed");
    assert!(at.accounts().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_does_not_wait_for_a_slow_provider_for_long() {
    let at = telling(OURS, false).await;
    at.idp.script().takes = Duration::from_secs(60);
    let before = at.clock.now();
    assert_eq!(told(&at, "ada").await, "unavailable: timeout");
    assert_eq!((at.clock.now() - before).to_std().unwrap(), TokenSettings::default().caller_wait);
}

#[tokio::test(start_paused = true)]
async fn strangers_who_are_not_invited_and_accounts_that_are_closed_get_nothing() {
    let at = Installation::with(|login| login.providers[0].new_accounts = NewAccounts::Nobody).await;
    at.idp.script().audience = OURS;
    assert_eq!(told(&at, "ada").await, "not allowed: not_invited");

    let at = telling(OURS, false).await;
    let issued = bring(&at, "ada").await.ok().unwrap();
    at.cases.suspend_account.suspend(issued.token.account_id).await.unwrap();
    assert_eq!(told(&at, "ada").await, "not allowed: account_closed");
    assert!(!at.opens(&issued).await);
    let refused = (AuditOutcome::Refused, Some("account_closed".to_owned()));
    assert_eq!(at.audited(AuditAction::LoginFinished).await, [(AuditOutcome::Done, None), refused]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_provider_is_told_and_no_provider_sees_the_token() {
    let at = telling(OURS, true).await;
    let signed_in = at.cases.sign_in_with_token.run("gitlab", &Secret::new("ada".to_owned()), None).await;
    assert!(matches!(signed_in, Err(LoginError::UnknownProvider)));
    assert_eq!(at.idp.script().identified, 0);
}

#[tokio::test(start_paused = true)]
async fn two_first_sign_ins_of_one_person_at_once_make_one_account() {
    let at = telling(OURS, false).await;
    let first = bring(&at, "ada").await.ok().unwrap();
    let late = signing_in(&at, at.store_away_at(&[]), Some(at.admitting_too_late()));
    let second = late.run("github", &Secret::new("ada".to_owned()), None).await.ok().unwrap();
    assert_eq!(second.token.account_id, first.token.account_id);
    assert_eq!((at.accounts().await.len(), at.good_tokens().await.len()), (1, 2));
    assert!(at.opens(&first).await && at.opens(&second).await);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_an_error_and_leaves_nothing_behind() {
    let at = telling(OURS, false).await;
    let away = signing_in(&at, at.store_away_at(&[0]), None);
    let signed_in = away.run("github", &Secret::new("ada".to_owned()), None).await;
    assert!(matches!(signed_in, Err(LoginError::Store(_))));
    assert!(at.accounts().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_cannot_be_put_on_record_is_an_error() {
    let at = telling(OURS, false).await;
    let issued = bring(&at, "ada").await.ok().unwrap();
    at.cases.suspend_account.suspend(issued.token.account_id).await.unwrap();
    let away = signing_in(&at, at.store_away_at(&[0]), None);
    let signed_in = away.run("github", &Secret::new("ada".to_owned()), None).await;
    assert!(matches!(signed_in, Err(LoginError::Store(_))));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_only_fits_somebody_who_is_known_already_is_a_foreign_one() {
    let at = telling(OURS, true).await;
    at.idp.script().refuses.insert("ada", UpstreamError::NotSupported);
    assert_eq!(told(&at, "ada").await, "foreign token");
}
