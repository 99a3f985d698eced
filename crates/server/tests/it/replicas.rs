//! Several processes over one database: nothing else coordinates them, and what may happen once happens once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace, Simulator};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

use crate::browser::Browser;
use crate::callers::{approve, detail};
use crate::fleet::{Fleet, REPLICAS};
use crate::installation::Installation;
use crate::simulated;
use crate::stores::StoreKind;
use crate::waiting::{eventually, what_was_read_before_is_too_old};
use crate::world::{WEB, World, id_of};

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_callers_over_three_processes_cause_one_refresh_and_get_one_token() {
    let Some(world) = World::of(StoreKind::Postgres, REPLICAS, WEB).await else { return };
    let id = id_of(&world.authorize("alice").await);
    let sixty_four_tokens = async || -> BTreeSet<String> {
        let callers = (0..64).map(|number| {
            let caller = world.member.at(&world.replicas[number % REPLICAS]);
            let id = id.clone();
            tokio::spawn(async move { caller.lent(&id, "").await })
        });
        let lent = join_all(callers.collect::<Vec<_>>()).await;
        lent.into_iter().map(Result::unwrap).collect()
    };
    // With this all connections are made, to the service and to its database.
    let mut known = sixty_four_tokens().await;
    for round in 1..=5 {
        // Whoever comes late finds a token that lives long enough: how many refreshes there are hangs on no timing.
        world.installation.store.expire_access_tokens();
        what_was_read_before_is_too_old().await;
        let slow = json!({ "route": "token", "grant": "refresh_token", "delay_ms": 300 });
        world.upstream.control("faults", &slow).await;
        let lent = sixty_four_tokens().await;
        assert_eq!(lent.len(), 1, "one token for all");
        let token = lent.into_iter().next().unwrap();
        assert!(world.upstream.is_active(&token).await, "the grant lives");
        assert!(known.insert(token), "a new one");
        let (refreshes, statuses) = world.upstream.token_calls("refresh_token").await;
        assert_eq!(refreshes, round, "one upstream refresh a round: {statuses}");
    }
}

const CROWD: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_over_three_processes_cause_one_refresh_however_slow_the_provider() {
    let fleet = Fleet::with_short_leases().await;
    let provider = fleet.admin.register_simulated(&fleet.upstream).await;
    let id = fleet.member.authorize_unattended(&provider).await;
    // At once, longer than a lease, and longer than anybody waits.
    for seconds in [0, 3, 8] {
        fleet.installation.store.expire_access_tokens();
        what_was_read_before_is_too_old().await;
        fleet.upstream.reset();
        fleet.upstream.set_faults([Fault::slow(FaultPlace::Token, Duration::from_secs(seconds))]);
        let member = fleet.member.among_many();
        let crowd = (0..CROWD).map(|number| {
            let (caller, id) = (member.at(&fleet.replicas[number % REPLICAS]), id.clone());
            tokio::spawn(async move { caller.access_token(&id, "").await })
        });
        let mut tokens = BTreeSet::new();
        for caller in join_all(crowd.collect::<Vec<_>>()).await {
            let (status, answer) = caller.unwrap();
            match status {
                StatusCode::CREATED => drop(tokens.insert(answer["accessToken"].to_string())),
                // They have waited long enough, or come with too many others to be listened to.
                StatusCode::BAD_GATEWAY | StatusCode::REQUEST_TIMEOUT => {}
                _ => panic!("{status}: {answer}"),
            }
        }
        assert!(tokens.len() == 1 || seconds > 0, "{seconds} s: {tokens:?}");
        // At their next call all find it.
        for caller in fleet.everywhere(&fleet.member) {
            let found = eventually("the token", async || {
                let (status, lent) = caller.access_token(&id, "").await;
                (status == StatusCode::CREATED).then(|| lent["accessToken"].to_string())
            });
            tokens.insert(found.await);
        }
        assert_eq!(tokens.len(), 1, "{seconds} s: one token for all");
        let stats = fleet.upstream.stats();
        assert_eq!(stats.token_calls.len(), 1, "{seconds} s: {:?}", stats.token_calls);
        simulated::assert_nothing_was_sent_twice(&stats);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_waits_takes_over_from_one_that_is_killed() {
    let Fleet { upstream, installation, mut replicas, admin, member } = Fleet::with_short_leases().await;
    let provider = admin.register_simulated(&upstream).await;
    let id = member.authorize_unattended(&provider).await;
    let (killed, other) = (replicas.pop().unwrap(), member.at(&replicas[1]));
    upstream.reset();
    installation.store.expire_access_tokens();
    let never_handled = Fault::once(FaultPlace::Token, FaultEffect::Drop).delayed(Duration::from_secs(600));
    upstream.set_faults([never_handled]);
    let asking = member.at(&killed).request_for_token(&id, "");
    let asking = tokio::spawn(async move { asking.send().await.is_ok() });
    eventually("the refresh to begin", async || (upstream.stats().max_in_flight == 1).then_some(())).await;
    // As long as it shows signs of life the others have nothing to hand out, and do not ask the provider.
    let (status, waited) = other.access_token(&id, "").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{waited}");
    killed.kill().await;
    asking.await.unwrap();
    let lent = eventually("a token", async || {
        let (status, lent) = other.access_token(&id, "").await;
        (status == StatusCode::CREATED).then_some(lent)
    })
    .await;
    assert!(simulated::owner(&upstream, lent["accessToken"].as_str().unwrap()).await.is_some());
    let stats = upstream.stats();
    assert_eq!(simulated::refreshes(&stats), 1);
    simulated::assert_nothing_was_sent_twice(&stats);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_used_up_once_wherever_it_comes_to() {
    let fleet = Fleet::new().await;
    let provider = fleet.admin.register_simulated(&fleet.upstream).await;
    let rounds = 5;
    for _ in 0..rounds {
        let page = fleet.member.start_flow(&provider).await;
        let location = approve(&fleet.member.http, &page).await;
        let callers = fleet.everywhere(&fleet.member);
        let answers = join_all(callers.iter().map(|caller| caller.complete(&provider, &location))).await;
        assert_used_up_once(answers.iter().map(|(status, _)| *status), StatusCode::OK);
    }
    let exchanges = fleet.upstream.stats().token_calls;
    assert_eq!(exchanges.len(), rounds, "one exchange each: {exchanges:?}");
    simulated::assert_nothing_was_sent_twice(&fleet.upstream.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_comes_back_to_three_processes_at_once_is_let_in_once() {
    let fleet = Fleet::new().await;
    let provider = fleet.admin.register_simulated(&fleet.upstream).await;
    let rounds = 3;
    for _ in 0..rounds {
        let (status, started) = fleet.member.post(&format!("/providers/{provider}/authorize/")).await;
        assert_eq!(status, StatusCode::OK, "{started}");
        let mut browser = Browser::at(&fleet.installation.base_url);
        let link = started["redirectUrl"].as_str().unwrap();
        let page = browser.say_yes(link, &fleet.member.token).await;
        let back = Url::parse(&approve(&fleet.member.http, &page).await).unwrap();
        let back = format!("{}?{}", back.path(), back.query().unwrap());
        let visits = fleet.replicas.iter().map(|replica| {
            let visit = browser.get(&format!("{}{back}", replica.base_url));
            async move { visit.send().await.unwrap().status() }
        });
        assert_used_up_once(join_all(visits).await, StatusCode::SEE_OTHER);
    }
    let exchanges = fleet.upstream.stats().token_calls;
    assert_eq!(exchanges.len(), rounds, "one exchange each: {exchanges:?}");
}

/// The first one got its way; the others were told its outcome, where they came in time, or that they came too late.
fn assert_used_up_once(statuses: impl IntoIterator<Item = StatusCode>, done: StatusCode) {
    let statuses: Vec<_> = statuses.into_iter().collect();
    assert!(statuses.contains(&done), "{statuses:?}");
    assert!(statuses.iter().all(|status| [done, StatusCode::BAD_REQUEST].contains(status)), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_jobs_run_once_each() {
    let (providers, people, counts) = (4, 3, 8);
    let mut installation = Installation::on(StoreKind::Postgres);
    // All of them look for work all the time.
    installation.set("JOBS__POLL_INTERVAL_MS", "10");
    installation.set("LOG__FORMAT", "json");
    let fleet = Fleet::of(installation).await;
    let admins = fleet.everywhere(&fleet.admin);
    let mut doomed = Vec::new();
    for _ in 0..providers {
        let provider = fleet.admin.register_simulated(&fleet.upstream).await;
        for number in 0..people {
            fleet.member.authorize_as(&provider, &format!("person-{number}")).await;
        }
        doomed.push(provider);
    }
    let deleting = doomed.iter().zip(admins.iter().cycle());
    let deleting = join_all(deleting.map(|(provider, admin)| admin.delete_provider(provider)));
    let counting = join_all((0..counts).zip(admins.iter().cycle()).map(|(_, admin)| admin.count_things()));
    let (deletions, counts) = tokio::join!(deleting, counting);
    for path in deletions.iter().chain(&counts) {
        let job = fleet.admin.finished(path).await;
        assert_eq!(job["status"], "COMPLETED", "{job}");
    }
    for path in &deletions {
        let receipts = detail(&fleet.admin.get(path).await.1, "revocations");
        let receipts = receipts.as_array().unwrap();
        assert_eq!(receipts.len(), people);
        for receipt in receipts {
            assert_eq!((&receipt["status"], &receipt["attempts"]), (&json!("revoked"), &json!(1)));
        }
    }
    assert_each_token_was_revoked_once(&fleet.upstream, providers * people);
    let jobs = providers + counts.len();
    let store = &fleet.installation.store;
    let told = "audit_entries WHERE action = 'job.finished' AND outcome = 'done'";
    assert_eq!((store.count("jobs"), store.count(told)), (jobs, jobs));
    assert_eq!(store.count("audit_entries WHERE action = 'provider.deleted'"), providers);
    // Whoever has run a job says so.
    eventually("the last one to say so", async || {
        let ran: Vec<_> = logged(&fleet.installation, "job ended").map(|line| line["job"].clone()).collect();
        let different: BTreeSet<_> = ran.iter().map(Value::to_string).collect();
        assert_eq!(ran.len(), different.len(), "a job that ran twice: {ran:?}");
        (ran.len() == jobs).then_some(())
    })
    .await;
    assert_no_work_failed(&fleet.installation);
}

fn assert_each_token_was_revoked_once(upstream: &Simulator, families: usize) {
    let stats = upstream.stats();
    assert!(stats.families.values().all(|family| !family.alive), "{:?}", stats.families);
    let mut asked = BTreeMap::<_, u32>::new();
    for call in &stats.revoke_calls {
        *asked.entry((&call.family, &call.token_type_hint)).or_default() += 1;
    }
    assert_eq!(asked.len(), 2 * families, "a refresh token and an access token each: {asked:?}");
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
}

/// The lines of the log that say this.
fn logged(installation: &Installation, message: &str) -> impl Iterator<Item = Value> {
    let lines = installation.log();
    let lines: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let message = message.to_owned();
    lines.into_iter().filter(move |line| line["message"] == *message)
}

fn assert_no_work_failed(installation: &Installation) {
    assert_eq!(logged(installation, "background work failed").collect::<Vec<_>>(), Vec::<Value>::new());
}

/// Rows that have had their time, as copies of one that has not.
const OLD_FLOWS: &str = "
    INSERT INTO flows SELECT (jsonb_populate_record(flows, jsonb_build_object(
        'id', gen_random_uuid(), 'expires_at', now() - interval '2 hours'))).* FROM flows, generate_series(1, 200)";
const OLD_TOKENS: &str = "
    INSERT INTO api_tokens SELECT (jsonb_populate_record(one, jsonb_build_object(
        'id', gen_random_uuid(), 'hash', 'copy ' || copy, 'expires_at', now() - interval '31 days'))).*
    FROM api_tokens one, generate_series(1, 100) copy";
const OLD_RECEIPTS: &str = "
    INSERT INTO revocations SELECT (jsonb_populate_record(revocations, jsonb_build_object(
        'id', gen_random_uuid(), 'finished_at', now() - interval '91 days'))).* FROM revocations, generate_series(1, 150)";
const OLD_ROWS: u64 = 200 + 100 + 150;

#[tokio::test(flavor = "multi_thread")]
async fn what_has_had_its_time_is_removed_once() {
    let mut installation = Installation::on(StoreKind::Postgres);
    installation.set("LOG__FORMAT", "json");
    installation.set("LOG__LEVEL", "debug");
    let store = &installation.store;
    let upstream = simulated::provider();
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let first = installation.serve().await;
    let provider = admin.register_simulated(&upstream).await;
    let id = admin.authorize_unattended(&provider).await;
    let deleted = admin.delete(&format!("/authorizedProviders/{id}/")).await;
    assert_eq!(deleted.0, StatusCode::NO_CONTENT);
    let receipt = "revocations WHERE status = 'revoked'";
    eventually("the revocation", async || (store.count(receipt) == 1).then_some(())).await;
    assert_eq!(first.terminate().await, Some(0));
    let tables = ["flows", "api_tokens", "revocations"];
    let before = tables.map(|table| store.count(table));
    for copies in [OLD_FLOWS, OLD_TOKENS, OLD_RECEIPTS] {
        store.sql(copies);
    }

    // All of them come to the first table before anyone gets at it.
    let stranger = store.lock("flows IN EXCLUSIVE MODE").await;
    let other = ["--listen", "127.0.0.1:0"];
    let _replicas = tokio::join!(
        installation.serve_with(&other),
        installation.serve_with(&other),
        installation.serve_with(&other)
    );
    let waiting = "pg_locks WHERE NOT granted AND relation = 'flows'::regclass";
    eventually("the clean-ups", async || (store.count(waiting) == REPLICAS).then_some(())).await;
    stranger.let_go().await;

    eventually("the end of the clean-ups", async || {
        (tables.map(|table| store.count(table)) == before).then_some(())
    })
    .await;
    eventually("each row to be counted once", async || {
        let removed = logged(&installation, "cleaned up").map(|line| line["rows"].as_u64().unwrap());
        (removed.sum::<u64>() == OLD_ROWS).then_some(())
    })
    .await;
    assert_no_work_failed(&installation);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_corrected_at_one_serves_all_at_once() {
    let fleet = Fleet::new().await;
    let provider = fleet.admin.register_simulated(&fleet.upstream).await;
    let id = fleet.member.authorize_unattended(&provider).await;
    let path = format!("/providers/{provider}/");
    let (admins, members) = (fleet.everywhere(&fleet.admin), fleet.everywhere(&fleet.member));
    // Everyone has used the good secret before it goes bad at the first one, and so on.
    for (corrector, _) in admins.iter().enumerate() {
        for member in &members {
            member.lent(&id, "?min_ttl=3600").await;
        }
        let others = || (1..REPLICAS).map(move |step| (corrector + step) % REPLICAS);
        let wrong = json!({ "clientSecret": "wrong-secret" });
        assert_eq!(admins[corrector].patch_json(&path, &wrong).await.0, StatusCode::OK);
        fleet.installation.store.expire_access_tokens();
        for other in others() {
            assert_eq!(members[other].access_token(&id, "?min_ttl=3600").await.0, StatusCode::FORBIDDEN);
            assert_eq!(admins[other].get(&path).await.1["status"], "disabled");
        }
        let right = json!({ "clientSecret": "the-right-secret" });
        assert_eq!(admins[corrector].patch_json(&path, &right).await.0, StatusCode::OK);
        for other in others() {
            assert_eq!(admins[other].get(&path).await.1["status"], "active");
            members[other].lent(&id, "?min_ttl=3600").await;
        }
    }
    assert!(fleet.upstream.stats().families.values().all(|family| family.alive), "nothing was lost");
}
