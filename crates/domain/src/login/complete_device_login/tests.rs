use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;

use super::*;
use crate::fixtures::{START, found_in_turn, organization, provider, unavailable};
use crate::login::fixtures::{Decision, Installation, bad_moment, failed};
use crate::login::{BegunDeviceLogin, LoginEnd, Person};
use crate::providers::{MockProviderCatalog, RevocationScope, UpstreamError};
use crate::services::within;

async fn begun(at: &Installation, decisions: impl IntoIterator<Item = Decision>) -> BegunDeviceLogin {
    at.idp.script().decisions.extend(decisions);
    at.cases.begin_device_login.run().await.unwrap_or_else(|error| panic!("{error}"))
}

/// What the client gets in the end, in a word.
async fn end(at: &Installation, begun: &BegunDeviceLogin) -> String {
    in_a_word(&at.cases.complete_device_login.run(&begun.handle, None).await)
}

fn in_a_word(awaited: &Awaited) -> String {
    match awaited {
        Ok(_) => "token".to_owned(),
        Err(error) => failed(error),
    }
}

/// The seconds after the start at which the provider was asked.
fn polls(at: &Installation) -> Vec<i64> {
    at.idp.script().polled.iter().map(|polled| (*polled - START).num_seconds()).collect()
}

fn waits(at: &Installation) -> usize {
    at.cases.complete_device_login.waits.len()
}

async fn stored(at: &Installation, begun: &BegunDeviceLogin) -> Login {
    at.store.login_by_handle(&SecretHash::of(begun.handle.expose())).await.unwrap().expect("a login")
}

#[tokio::test(start_paused = true)]
async fn it_waits_by_the_providers_interval_until_the_person_has_agreed() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Pending, Decision::Pending, Decision::Granted("ada")]).await;
    let issued = at.cases.complete_device_login.run(&begun.handle, None).await.ok().unwrap();
    assert_eq!(polls(&at), [5, 10, 15]);
    assert!(at.opens(&issued).await);
    assert_eq!(at.accounts().await[0].email.as_str(), "ada@example.com");
    assert_eq!(waits(&at), 0);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_wants_fewer_polls_gets_them_five_seconds_further_apart() {
    let at = Installation::new().await;
    let slow = Decision::SlowDown;
    let begun = begun(&at, [slow.clone(), Decision::Pending, slow, Decision::Granted("ada")]).await;
    assert_eq!(end(&at, &begun).await, "token");
    assert_eq!(polls(&at), [5, 15, 25, 40]);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_says_no_ends_the_wait() {
    for (decision, told) in
        [(Decision::Denied, "refused: access_denied"), (Decision::Expired, "refused: expired_token")]
    {
        let at = Installation::new().await;
        let begun = begun(&at, [decision]).await;
        assert_eq!(end(&at, &begun).await, told);
        assert_eq!(end(&at, &begun).await, told, "asked again, the same");
        assert_eq!((polls(&at), waits(&at)), (vec![5], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_the_codes_are_no_longer_good() {
    let at = Installation::new().await;
    let begun = begun(&at, []).await;
    assert_eq!(end(&at, &begun).await, "refused: expired_token");
    assert_eq!(at.clock.now(), begun.expires_at);
    assert_eq!((polls(&at).len(), waits(&at)), (179, 0));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_waited_out() {
    let at = Installation::new().await;
    let later = UpstreamError::RateLimited { retry_after: Some(Duration::from_secs(40)) };
    let decisions =
        [Decision::Fails(bad_moment()), Decision::Fails(later), Decision::Pending, Decision::Granted("ada")];
    let begun = begun(&at, decisions).await;
    assert_eq!(end(&at, &begun).await, "token");
    assert_eq!(polls(&at), [5, 15, 55, 65]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_refused_ends_the_wait() {
    let at = Installation::new().await;
    let refused = UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
    let begun = begun(&at, [Decision::Fails(refused)]).await;
    assert_eq!(end(&at, &begun).await, "unavailable: invalid_client");
    let disabled = at.store.provider(organization().id, provider().id).await.unwrap().unwrap();
    assert_eq!(disabled.status, ProviderStatus::Disabled);
}

#[tokio::test(start_paused = true)]
async fn two_complete_calls_share_one_wait_and_get_the_same_token() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Pending, Decision::Granted("ada")]).await;
    let call = || at.cases.complete_device_login.run(&begun.handle, None);
    let meanwhile = async {
        at.sleep(7).await;
        assert_eq!(waits(&at), 1);
    };
    let (first, second, ()) = tokio::join!(call(), call(), meanwhile);
    let (first, second) = (first.ok().unwrap(), second.ok().unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    assert!(at.opens(&first).await);
    assert_eq!((polls(&at), at.good_tokens().await.len(), waits(&at)), (vec![5, 10], 1, 0));
}

#[tokio::test(start_paused = true)]
async fn waits_of_different_logins_have_nothing_to_do_with_each_other() {
    let at = Installation::new().await;
    let (first, second) = (begun(&at, []).await, begun(&at, []).await);
    at.idp.script().decisions.extend([Decision::Granted("ada"), Decision::Granted("mo")]);
    let run = |begun| at.cases.complete_device_login.run(begun, None);
    let (first, second) = tokio::join!(run(&first.handle), run(&second.handle));
    let (first, second) = (first.ok().unwrap(), second.ok().unwrap());
    assert_ne!(first.token.account_id, second.token.account_id);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_who_waits_leaves_the_others_wait_on() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Pending, Decision::Granted("ada")]).await;
    let call = || at.cases.complete_device_login.run(&begun.handle, None);
    let leaving = within(&at.clock, Duration::from_secs(6), call());
    let (left, stayed) = tokio::join!(leaving, call());
    assert!(left.is_none());
    assert!(at.opens(&stayed.ok().unwrap()).await);
    assert_eq!(polls(&at), [5, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_waits_for_nobody_and_the_login_goes_on() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Pending, Decision::Granted("ada")]).await;
    let stop = async {
        at.sleep(7).await;
        at.cases.complete_device_login.stop();
    };
    let (first, second, ()) = tokio::join!(end(&at, &begun), end(&at, &begun), stop);
    assert_eq!((first.as_str(), second.as_str()), ("unavailable: stopping", "unavailable: stopping"));
    assert_eq!((at.clock.now() - START, waits(&at)), (TimeDelta::seconds(7), 0));
    assert_eq!(end(&at, &begun).await, "unavailable: stopping", "who comes later is not waited for either");
    let another_process =
        CompleteDeviceLogin { waits: Waits::default(), ..(*at.cases.complete_device_login).clone() };
    assert_eq!(in_a_word(&another_process.run(&begun.handle, None).await), "token");
    assert_eq!(polls(&at), [5, 10]);
}

#[tokio::test(start_paused = true)]
async fn when_all_who_wait_have_left_the_wait_ends() {
    let at = Installation::new().await;
    let begun = begun(&at, []).await;
    let call = || at.cases.complete_device_login.run(&begun.handle, None);
    let leaving = |seconds| within(&at.clock, Duration::from_secs(seconds), call());
    let (first, second) = tokio::join!(leaving(6), leaving(11));
    assert!(first.is_none() && second.is_none());
    assert_eq!(waits(&at), 0);
    at.sleep(60).await;
    assert_eq!(polls(&at), [5, 10]);
    // And who comes back waits anew.
    at.idp.script().decisions.push_back(Decision::Granted("ada"));
    assert_eq!(end(&at, &begun).await, "token");
    assert_eq!(polls(&at), [5, 10, 71]);
}

#[tokio::test(start_paused = true)]
async fn a_client_who_leaves_while_the_provider_answers_loses_nothing() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Granted("ada")]).await;
    at.idp.script().takes = Duration::from_secs(3);
    let call = || at.cases.complete_device_login.run(&begun.handle, None);
    assert!(within(&at.clock, Duration::from_secs(6), call()).await.is_none());
    assert_eq!(waits(&at), 0);
    at.sleep(60).await;
    assert!(matches!(stored(&at, &begun).await.stage, LoginStage::Granted { .. }));
    assert!(at.opens(&call().await.ok().unwrap()).await);
    assert_eq!(polls(&at), [5]);
}

#[tokio::test(start_paused = true)]
async fn a_client_who_comes_back_while_the_provider_answers_gets_that_answer() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Granted("ada")]).await;
    at.idp.script().takes = Duration::from_secs(3);
    let call = || at.cases.complete_device_login.run(&begun.handle, None);
    assert!(within(&at.clock, Duration::from_secs(6), call()).await.is_none());
    assert_eq!(in_a_word(&call().await), "token");
    assert_eq!(polls(&at), [5]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_can_be_asked_for_again_within_thirty_seconds() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Granted("ada")]).await;
    let call = || at.cases.complete_device_login.run(&begun.handle, None);
    let lost = call().await.ok().unwrap();
    at.sleep(30).await;
    let again = call().await.ok().unwrap();
    assert!(at.opens(&again).await && !at.opens(&lost).await);
    at.sleep(1).await;
    assert_eq!(end(&at, &begun).await, "refused: expired_token");
    assert!(at.opens(&again).await);
}

#[tokio::test(start_paused = true)]
async fn several_processes_ask_the_provider_no_more_often_than_one() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Pending, Decision::Pending, Decision::Denied]).await;
    let other = at.other_process(|_| {});
    let (here, there) = tokio::join!(end(&at, &begun), end(&other, &begun));
    assert_eq!((here.as_str(), there.as_str()), ("refused: access_denied", "refused: access_denied"));
    assert_eq!(polls(&at), [5, 10, 15]);
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_nobody_was_given_is_refused() {
    let at = Installation::new().await;
    let web = at.start().await;
    for handle in [&Secret::new("handle".to_owned()), &web.state] {
        let awaited = at.cases.complete_device_login.run(handle, None).await;
        assert_eq!(in_a_word(&awaited), "refused: unknown_session");
    }
    assert_eq!((polls(&at).len(), waits(&at)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_account_gets_nothing_also_after_the_provider_has_agreed() {
    let at = Installation::new().await;
    let account = at.sign_in("ada").await.token.account_id;
    at.cases.suspend_account.suspend(account).await.unwrap();
    let denied = begun(&at, [Decision::Granted("ada")]).await;
    assert_eq!(end(&at, &denied).await, "not allowed: account_closed");

    at.cases.suspend_account.resume(account).await.unwrap();
    let granted = begun(&at, [Decision::Granted("ada")]).await;
    let login = Login { stage: LoginStage::Granted { account_id: account }, ..stored(&at, &granted).await };
    at.update(login).await;
    at.cases.suspend_account.suspend(account).await.unwrap();
    assert_eq!(end(&at, &granted).await, "not allowed: account_closed");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_no_longer_in_use_is_not_asked() {
    for change in [
        |provider: &mut Provider| provider.status = ProviderStatus::Inactive,
        |provider: &mut Provider| provider.endpoints.userinfo = None,
    ] {
        let at = Installation::new().await;
        let begun = begun(&at, [Decision::Granted("ada")]).await;
        let mut changed = at.store.provider(organization().id, provider().id).await.unwrap().unwrap();
        change(&mut changed);
        at.update(changed).await;
        assert_eq!(end(&at, &begun).await, "not allowed: provider_not_available");
        assert!(polls(&at).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_died_while_they_asked_is_followed_by_the_next() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Granted("ada")]).await;
    let login = stored(&at, &begun).await;
    at.update(Login { stage: LoginStage::Asking { since: START }, ..login }).await;
    assert_eq!(end(&at, &begun).await, "token");
    assert_eq!(polls(&at), [90]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_on_its_way_beyond_the_end_is_waited_for_without_haste() {
    let at = Installation::new().await;
    let begun = begun(&at, []).await;
    let since = begun.expires_at - TimeDelta::seconds(1);
    let login = stored(&at, &begun).await;
    at.update(Login { stage: LoginStage::Asking { since }, ..login }).await;
    at.sleep(900).await;
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let logins = at.logins_that(move |_| counted.fetch_add(1, Ordering::SeqCst) > 1000, |_| true);
    let waiting = CompleteDeviceLogin { logins, ..(*at.cases.complete_device_login).clone() };
    let awaited = waiting.run(&begun.handle, None).await;
    assert_eq!(in_a_word(&awaited), "refused: expired_token");
    assert_eq!(at.clock.now(), since + TimeDelta::seconds(90), "then it counts as dead");
    assert!(looks.load(Ordering::SeqCst) < 100, "a second apart");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_does_not_cost_the_person_their_patience() {
    type Away = fn(&Installation, CompleteDeviceLogin) -> CompleteDeviceLogin;
    let reads: Away = |at, known| CompleteDeviceLogin {
        logins: at.logins_that(|look| (1..30).contains(&look), |_| true),
        ..known
    };
    let catalog: Away = |_, known| {
        let mut away = 3;
        let mut catalog = MockProviderCatalog::new();
        catalog.expect_provider().returning(move |_, _| {
            away -= 1;
            let device_flow = true;
            if away > 0 { Err(unavailable()) } else { Ok(Some(Provider { device_flow, ..provider() })) }
        });
        CompleteDeviceLogin { catalog: Arc::new(catalog), ..known }
    };
    let claims: Away = |at, known| CompleteDeviceLogin { store: at.store_away_at(&[0, 1]), ..known };
    let pauses: Away = |at, known| CompleteDeviceLogin { store: at.store_away_at(&[1, 2]), ..known };
    let outcomes: Away = |at, known| CompleteDeviceLogin {
        outcomes: at.deciding_over(at.store_away_at(&[0, 1]), None),
        ..known
    };
    let tokens: Away =
        |at, known| CompleteDeviceLogin { release: at.releasing_over(at.store_away_at(&[0, 1])), ..known };
    for (name, away) in [
        ("reads", reads),
        ("the catalog", catalog),
        ("claims", claims),
        ("pauses", pauses),
        ("outcomes", outcomes),
        ("tokens", tokens),
    ] {
        let at = Installation::new().await;
        let begun = begun(&at, [Decision::Pending, Decision::Granted("ada")]).await;
        let waiting = away(&at, (*at.cases.complete_device_login).clone());
        let awaited = waiting.run(&begun.handle, None).await;
        assert_eq!(in_a_word(&awaited), "token", "{name}");
        assert!(at.clock.now() - START < TimeDelta::seconds(60), "{name}");
        assert_eq!(at.good_tokens().await.len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_is_not_waited_for_beyond_the_end() {
    let at = Installation::new().await;
    let begun = begun(&at, []).await;
    let logins = at.logins_that(|look| look > 0, |_| true);
    let waiting = CompleteDeviceLogin { logins, ..(*at.cases.complete_device_login).clone() };
    assert_eq!(in_a_word(&waiting.run(&begun.handle, None).await), "store");
    let late = at.clock.now() - begun.expires_at;
    assert!(late >= TimeDelta::zero() && late <= TimeDelta::seconds(1), "{late}");

    let logins = at.logins_that(|_| true, |_| true);
    let waiting = CompleteDeviceLogin { logins, ..(*at.cases.complete_device_login).clone() };
    assert_eq!(in_a_word(&waiting.run(&begun.handle, None).await), "store", "nor at the beginning");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_nobody_can_read_ends_the_wait() {
    let at = Installation::new().await;
    let begun = begun(&at, []).await;
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(|_, _| Err(StoreError::Unexpected("odd".into())));
    let catalog = Arc::new(catalog);
    let waiting = CompleteDeviceLogin { catalog, ..(*at.cases.complete_device_login).clone() };
    assert_eq!(in_a_word(&waiting.run(&begun.handle, None).await), "store");
    let gone =
        CompleteDeviceLogin { catalog: found_in_turn([None]), ..(*at.cases.complete_device_login).clone() };
    let told = in_a_word(&gone.run(&begun.handle, None).await);
    assert_eq!(told, "not allowed: provider_not_available");
}

#[tokio::test(start_paused = true)]
async fn the_persons_yes_at_the_provider_is_enough_for_a_device() {
    let at = Installation::with(|login| login.asks_people = true).await;
    at.idp.script().revokes = Some(RevocationScope::Token);
    let begun = begun(&at, [Decision::Granted("ada")]).await;
    assert_eq!(end(&at, &begun).await, "token");
    let revoked = at.revocations().await;
    assert_eq!(revoked.len(), 1, "the provider's tokens are nobody's");
    assert_eq!(revoked[0].account_id, at.accounts().await[0].id);
}

#[tokio::test(start_paused = true)]
async fn two_first_sign_ins_of_one_person_at_once_make_one_account() {
    let at = Installation::new().await;
    let begun = begun(&at, [Decision::Granted("ada")]).await;
    let first = at.sign_in("ada").await;
    let outcomes = at.deciding_over(at.store_away_at(&[]), Some(at.admitting_too_late()));
    let waiting = CompleteDeviceLogin { outcomes, ..(*at.cases.complete_device_login).clone() };
    let second = waiting.run(&begun.handle, None).await.ok().unwrap();
    assert_eq!(second.token.account_id, first.token.account_id);
    assert_eq!(at.accounts().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_no_device_reaches_gives_no_token() {
    let at = Installation::new().await;
    let begun = begun(&at, []).await;
    let person = Person {
        issuer: "https://provider.example".to_owned(),
        subject: "1".to_owned(),
        verified_email: None,
        name: None,
    };
    for (stage, told) in [
        (LoginStage::Identified(person), "unknown"),
        (LoginStage::Ended(LoginEnd::NotAllowed("login_off".to_owned())), "not allowed: login_off"),
    ] {
        at.update(Login { stage, ..stored(&at, &begun).await }).await;
        assert_eq!(end(&at, &begun).await, told);
    }
}
