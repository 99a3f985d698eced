use std::sync::Mutex;

use futures_util::future::join_all;

use super::*;
use crate::Change;
use crate::accounts::TokenPurpose;
use crate::authorizations::{Authorization, AuthorizationStore as _, GrantState, MockAuthorizationStore};
use crate::fixtures::{START, api_token, caller, provider};
use crate::links::fixtures::{announce, expired, insert, installation, later, link, linked, seconds};
use crate::login::fixtures::Installation;
use crate::providers::{Provider, ProviderStatus, UpstreamError};

/// The token that comes, or why none does.
async fn awaited(at: &Installation) -> String {
    told(at.cases.await_link.run(&caller(), provider().id).await)
}

fn told(answer: Result<Box<LentToken>, AwaitLinkError>) -> String {
    match answer {
        Ok(lent) => lent.access_token.expose().to_owned(),
        Err(AwaitLinkError::TimeIsUp) => "time is up".to_owned(),
        Err(AwaitLinkError::Stopping) => "stopping".to_owned(),
        Err(AwaitLinkError::Caller(_)) => "unauthenticated".to_owned(),
        Err(AwaitLinkError::Lend(error)) => error.to_string(),
    }
}

fn passed(at: &Installation) -> Duration {
    (at.clock.now() - START).to_std().unwrap()
}

/// After so long.
async fn after<T>(at: &Installation, wait: u64, then: impl Future<Output = T>) -> T {
    at.sleep(wait).await;
    then.await
}

#[tokio::test(start_paused = true)]
async fn what_is_linked_already_is_lent_at_once() {
    let at = linked("ada").await;
    assert_eq!((awaited(&at).await.as_str(), passed(&at)), ("ada", Duration::ZERO));
    assert!(at.cases.await_link.waits.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_link_of_this_process_wakes_who_waits_for_it() {
    let at = installation().await;
    let linking = after(&at, 7, announce(&at, link(&provider(), "ada")));
    let (token, ()) = tokio::join!(awaited(&at), linking);
    assert_eq!((token.as_str(), passed(&at)), ("ada", seconds(7)), "and at once");
}

#[tokio::test(start_paused = true)]
async fn what_a_device_flow_brings_wakes_who_waits_for_it() {
    let at = installation().await;
    at.idp.script().decisions.push_back(crate::login::fixtures::Decision::Granted("ada"));
    let begun = at.cases.begin_device_flow.run(&caller(), provider().id).await.ok().unwrap();
    let caller = caller();
    let polling = after(&at, 5, at.cases.poll_device_flow.run(&caller, provider().id, &begun.handle));
    let (token, polled) = tokio::join!(awaited(&at), polling);
    assert!(polled.is_ok());
    assert_eq!((token.as_str(), passed(&at)), ("ada", seconds(5)));
}

#[tokio::test(start_paused = true)]
async fn a_link_of_another_process_wakes_who_waits_when_it_is_looked_for() {
    let at = installation().await;
    let linking = after(&at, 7, async {
        let row = Authorization { authorized_at: at.clock.now(), ..link(&provider(), "ada") };
        insert(&at, row).await;
        at.sleep(1).await;
        at.cases.wake_link_waiters.run().await.unwrap();
    });
    let (token, ()) = tokio::join!(awaited(&at), linking);
    assert_eq!((token.as_str(), passed(&at)), ("ada", seconds(8)));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_nobody_told_of_is_found_within_a_minute() {
    let at = installation().await;
    let known = &at.cases.await_link;
    let patient = AwaitLink {
        lend: Arc::clone(&known.lend),
        authenticate: Arc::clone(&known.authenticate),
        waits: known.waits.clone(),
        clock: Arc::clone(&known.clock),
        random: Arc::clone(&known.random),
        limit: seconds(3600),
    };
    let linking = after(&at, 7, insert(&at, link(&provider(), "ada")));
    let (caller, provider) = (caller(), provider().id);
    let (answer, ()) = tokio::join!(patient.run(&caller, provider), linking);
    assert_eq!(told(answer), "ada");
    assert!((LOOK_AGAIN.saturating_sub(JITTER)..=LOOK_AGAIN).contains(&passed(&at)), "{:?}", passed(&at));
}

#[tokio::test(start_paused = true)]
async fn those_who_began_to_wait_together_look_again_one_by_one() {
    let at = installation().await;
    let known = &at.cases.await_link;
    let with = |byte: u8| {
        let mut random = crate::services::MockRandom::new();
        random.expect_fill().returning(move |bytes| bytes.fill(byte));
        AwaitLink {
            lend: Arc::clone(&known.lend),
            authenticate: Arc::clone(&known.authenticate),
            waits: known.waits.clone(),
            clock: Arc::clone(&known.clock),
            random: Arc::new(random),
            limit: known.limit,
        }
    };
    assert_eq!(with(0).look_again(), LOOK_AGAIN);
    let earliest = with(255).look_again();
    let least = LOOK_AGAIN.saturating_sub(JITTER);
    assert!(earliest > least && earliest < least + Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_made_between_the_first_look_and_the_seat_is_not_missed() {
    let at = installation().await;
    let announcing = Arc::clone(&at.cases.poll_device_flow.store);
    let store = Arc::clone(&at.store);
    let looks = Mutex::new(0);
    let mut racing = MockAuthorizationStore::new();
    racing.expect_authorizations_of().returning(move |account| {
        use futures_util::FutureExt as _;
        let found = store.authorizations_of(account).now_or_never().expect("memory is at hand");
        let mut looks = looks.lock().unwrap();
        *looks += 1;
        if *looks == 1 {
            // This look has seen nothing, and now it is linked.
            let change = vec![Change::insert(link(&provider(), "ada"))];
            announcing.commit(change).now_or_never().expect("memory is at hand").unwrap();
        }
        found
    });
    let known = &at.cases.await_link;
    let lend = LendLinkToken {
        authorizations: Arc::new(racing),
        lend: Arc::clone(&known.lend.lend),
        check: Arc::clone(&known.lend.check),
        clock: Arc::clone(&known.clock),
    };
    let waiting = AwaitLink {
        lend: Arc::new(lend),
        authenticate: Arc::clone(&known.authenticate),
        waits: known.waits.clone(),
        clock: Arc::clone(&known.clock),
        random: Arc::clone(&known.random),
        limit: known.limit,
    };
    let answer = waiting.run(&caller(), provider().id).await;
    assert_eq!((told(answer).as_str(), passed(&at)), ("ada", Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_its_time_is_up() {
    let at = installation().await;
    assert_eq!((awaited(&at).await.as_str(), passed(&at)), ("time is up", seconds(30)));
    assert!(at.cases.await_link.waits.is_empty(), "it leaves nothing behind");
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_the_process_stops() {
    let at = installation().await;
    let stopping = after(&at, 3, async { at.cases.await_link.waits.stop() });
    let (answer, ()) = tokio::join!(awaited(&at), stopping);
    assert_eq!((answer.as_str(), passed(&at)), ("stopping", seconds(3)));
    assert!(at.cases.await_link.waits.is_empty());
    assert_eq!((awaited(&at).await.as_str(), passed(&at)), ("stopping", seconds(3)), "nobody waits any more");
    insert(&at, link(&provider(), "ada")).await;
    assert_eq!(awaited(&at).await, "ada", "but what is there is lent");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_revoked_meanwhile_gets_nothing() {
    let at = installation().await;
    let revoking = after(&at, 3, async {
        at.cases.revoke_api_token.run(caller().token_id).await.unwrap();
        announce(&at, link(&provider(), "ada")).await;
    });
    let (answer, ()) = tokio::join!(awaited(&at), revoking);
    assert_eq!(answer, "unauthenticated");
    assert!(at.idp.script().validated.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_agents_token_may_wait_too() {
    let at = installation().await;
    let agent = api_token(4, TokenPurpose::Agent);
    insert(&at, agent.clone()).await;
    let caller = Caller { token_id: agent.id, purpose: TokenPurpose::Agent, ..caller() };
    let linking = after(&at, 7, announce(&at, link(&provider(), "ada")));
    let waiting = at.cases.await_link.run(&caller, provider().id);
    let (answer, ()) = tokio::join!(waiting, linking);
    assert_eq!(told(answer), "ada");
}

#[tokio::test(start_paused = true)]
async fn waits_that_are_dropped_leave_nothing_behind() {
    let at = installation().await;
    let all = join_all((0..1000).map(|_| awaited(&at)));
    assert!(within(&at.clock, seconds(5), all).await.is_none());
    assert!(at.cases.await_link.waits.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_wait_for_one_link_cost_the_provider_one_question() {
    let at = installation().await;
    at.idp.script().slow.insert("ada", seconds(1));
    let linking = after(&at, 7, announce(&at, link(&provider(), "ada")));
    let (all, ()) = tokio::join!(join_all((0..1000).map(|_| awaited(&at))), linking);
    assert!(all.iter().all(|token| token == "ada"));
    assert_eq!((at.idp.script().validated.len(), passed(&at)), (1, seconds(8)));
    assert!(at.cases.await_link.waits.is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_users_link_and_a_link_elsewhere_wake_nobody() {
    let at = installation().await;
    let elsewhere = crate::links::fixtures::provider_no(1);
    insert(&at, elsewhere.clone()).await;
    let linking = after(&at, 7, announce(&at, link(&elsewhere, "ada")));
    let (answer, ()) = tokio::join!(awaited(&at), linking);
    assert_eq!(answer, "time is up");
}

#[tokio::test(start_paused = true)]
async fn a_dead_link_is_waited_past() {
    let at = installation().await;
    let grant = GrantState::Dead { reason: "invalid_grant".to_owned() };
    let dead = Authorization { grant, ..link(&provider(), "ada") };
    insert(&at, dead.clone()).await;
    let anew = Authorization { grant: GrantState::Live, ..later(&dead, 7, "other", "bea") };
    let (answer, ()) = tokio::join!(awaited(&at), after(&at, 7, announce(&at, anew)));
    assert_eq!((answer.as_str(), passed(&at)), ("bea", seconds(7)));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_the_provider_refuses_is_waited_past_and_asked_about_once_a_minute() {
    let at = installation().await;
    let refused = Authorization { refresh_token: None, ..link(&provider(), "ada") };
    insert(&at, refused.clone()).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    let waking = async {
        for _ in 0..20 {
            at.sleep(1).await;
            at.cases.wake_link_waiters.run().await.unwrap();
        }
    };
    let (answer, ()) = tokio::join!(awaited(&at), waking);
    assert_eq!((answer.as_str(), at.idp.script().validated.len()), ("time is up", 1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_lent_is_told_at_once() {
    let at = expired("ada").await;
    assert!(awaited(&at).await.contains("connection_failed"));
    let at = linked("ada").await;
    at.update(Provider { status: ProviderStatus::Inactive, ..provider() }).await;
    assert!(awaited(&at).await.contains("not active"));
    assert_eq!(passed(&at), Duration::ZERO);
}
