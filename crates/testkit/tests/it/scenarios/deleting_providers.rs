//! Deleting a provider by a job that goes on where a killed worker stopped.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use grantkeeper_domain::Lease;
use grantkeeper_domain::accounts::AccountStore as _;
use grantkeeper_domain::audit::{AuditAction, AuditOutcome};
use grantkeeper_domain::authorizations::{
    Authorization, AuthorizationStore as _, DeviceFlowStatus, StartFlowError, StartFlowRequest,
};
use grantkeeper_domain::ids::{JobId, ProviderId};
use grantkeeper_domain::jobs::{JOB_LEASE, Job, JobQueue as _, JobRun, JobStatus};
use grantkeeper_domain::providers::{
    DeleteProviderError, ProviderFilter, ProviderStatus, ProviderUpdate, RequestedStatus,
    UpdateProviderError, UpstreamError,
};
use grantkeeper_domain::revocations::{ClaimedRevocations, RevocationQueue as _, RevocationStatus};
use grantkeeper_domain::sealing::TokenSealer as _;
use grantkeeper_domain::{Change, Secret, UseCases};
use grantkeeper_testkit::scripted_provider::{Call, Decision};
use grantkeeper_testkit::{SeededRandom, entities};

use super::workers::{MortalRandom, run_through};
use super::world::{World, callback};

const PEOPLE: [&str; 3] = ["mo", "mo at work", "mo's other account"];

fn down() -> UpstreamError {
    UpstreamError::Unavailable { reason: "connect", retry_after: None }
}

/// A provider at which the member has three authorizations.
async fn with_three_authorizations(world: &World) -> ProviderId {
    let provider = world.register("GitLab").await.id;
    for person in PEOPLE {
        world.connect(&world.member, provider, person).await;
    }
    provider
}

async fn delete(world: &World, provider: ProviderId) -> JobId {
    world.app.delete_provider.run(&world.admin, provider).await.unwrap().id
}

async fn run_job(world: &World, app: &UseCases) -> JobRun {
    run_through(&world.clock, app.run_next_job.run()).await.unwrap()
}

async fn job(world: &World, id: JobId) -> Job {
    world.app.view_jobs.get(&world.admin, id).await.unwrap()
}

fn detail<'j>(job: &'j Job, name: &str) -> &'j str {
    &job.details.iter().find(|detail| detail.name == name).expect(name).value
}

/// What the report says became of each authorization: status and how many.
fn outcomes(job: &Job) -> (String, usize) {
    let list: Vec<serde_json::Value> = serde_json::from_str(detail(job, "revocations")).unwrap();
    let statuses: BTreeSet<&str> = list.iter().map(|one| one["status"].as_str().unwrap()).collect();
    let ids: Vec<String> = serde_json::from_str(detail(job, "authorization_ids")).unwrap();
    assert_eq!(ids.len(), list.len());
    (statuses.into_iter().collect::<Vec<_>>().join(" "), list.len())
}

fn revoked(world: &World) -> Vec<String> {
    let tokens: BTreeSet<String> = world.provider.read(|state| state.revoked.iter().cloned().collect());
    tokens.into_iter().collect()
}

const ALL_TOKENS: [&str; 6] = ["access-1", "access-2", "access-3", "refresh-1", "refresh-2", "refresh-3"];

#[tokio::test]
async fn a_provider_goes_with_all_its_authorizations_and_a_report() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    let id = delete(&world, provider).await;
    assert_eq!(job(&world, id).await.status, JobStatus::Pending);
    assert_eq!(run_job(&world, &world.app).await, JobRun::Ran(id));

    let job = job(&world, id).await;
    assert_eq!(job.status, JobStatus::Completed);
    assert_eq!((job.started_at, job.finished_at), (Some(world.now()), Some(world.now())));
    assert_eq!(detail(&job, "provider_id"), provider.to_string());
    assert_eq!(outcomes(&job), ("revoked".to_owned(), 3));
    assert!(world.stored_provider(provider).await.is_none());
    assert_eq!(revoked(&world), ALL_TOKENS);
    for receipt in world.store.revocations_of(provider).await.unwrap() {
        assert!(receipt.access_token.is_none() && receipt.refresh_token.is_none());
    }
    assert_eq!(world.audited(AuditAction::ProviderDeleted).await.len(), 1);
    assert_eq!(world.audited(AuditAction::AuthorizationDeleted).await.len(), 3);
    assert_eq!(run_job(&world, &world.app).await, JobRun::Idle);
}

#[tokio::test]
async fn from_the_request_on_the_provider_is_gone_and_its_slug_free() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    delete(&world, provider).await;
    let viewed = world.app.view_provider.run(&world.admin, provider).await;
    assert!(viewed.is_err());
    let all = ProviderFilter::default();
    assert!(world.app.list_providers.run(&world.admin, &all).await.unwrap().is_empty());
    assert!(world.app.view_authorizations.list(&world.member).await.unwrap().is_empty());
    let again = world.app.delete_provider.run(&world.admin, provider).await;
    assert!(matches!(again, Err(DeleteProviderError::NotFound)));
    assert_eq!(world.register("GitLab").await.slug.unwrap().as_str(), "gitlab");
}

#[tokio::test]
async fn many_authorizations_go_page_by_page() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    for number in 0..130 {
        world.connect(&world.member, provider, &format!("account {number}")).await;
    }
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    assert_eq!(outcomes(&job(&world, id).await), ("revoked".to_owned(), 130));
    assert_eq!(revoked(&world).len(), 260);
}

#[tokio::test]
async fn a_provider_that_cannot_revoke_is_deleted_all_the_same() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    world.provider.change(|state| state.can_revoke = false);
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    let job = job(&world, id).await;
    assert_eq!((job.status, outcomes(&job)), (JobStatus::Completed, ("not_supported".to_owned(), 3)));
    assert!(world.stored_provider(provider).await.is_none());
}

#[tokio::test]
async fn a_bad_moment_of_the_provider_is_waited_for() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    for _ in 0..4 {
        world.provider.fail_next(Call::Revoke, down());
    }
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    assert_eq!(job(&world, id).await.status, JobStatus::Completed);
    assert_eq!(revoked(&world), ALL_TOKENS);
}

#[tokio::test]
async fn a_provider_that_does_not_revoke_stays_and_takes_only_another_deletion() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    world.provider.fail(Call::Revoke, down());
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    let first = job(&world, id).await;
    assert_eq!((first.status, outcomes(&first)), (JobStatus::Error, ("pending".to_owned(), 3)));
    let entry = world.audited(AuditAction::JobFinished).await.pop().unwrap();
    assert_eq!(entry.outcome, AuditOutcome::Failed);

    let all = ProviderFilter::default();
    let [listed] = &world.app.list_providers.run(&world.admin, &all).await.unwrap()[..] else {
        panic!("it is listed again");
    };
    assert_eq!((listed.provider.status, &listed.provider.slug), (ProviderStatus::DeletionFailed, &None));
    for status in [None, Some(RequestedStatus::Active)] {
        let update = ProviderUpdate { status, ..ProviderUpdate::default() };
        let updated = world.app.update_provider.run(&world.admin, provider, update).await;
        assert!(matches!(updated, Err(UpdateProviderError::Invalid(_))));
    }
    let request = StartFlowRequest {
        provider_id: provider,
        redirect_uri: None,
        state: None,
        skip_consent: None,
        return_to: None,
    };
    let started = world.app.start_flow.run(&world.member, request).await;
    assert!(matches!(started, Err(StartFlowError::NotActive)));

    world.provider.recover(Call::Revoke);
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    let second = job(&world, id).await;
    assert_eq!((second.status, outcomes(&second)), (JobStatus::Completed, ("revoked".to_owned(), 3)));
    assert!(world.stored_provider(provider).await.is_none());
}

#[tokio::test]
async fn another_deletion_reports_on_what_was_revoked_in_the_background_meanwhile() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    // Deleted by its user long before: not this deletion's business.
    let earlier = world.connect(&world.member, provider, "mo long ago").await;
    world.app.delete_authorization.run(&world.member, earlier).await.unwrap();
    world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
    world.pass(3600);

    world.provider.fail(Call::Revoke, down());
    delete(&world, provider).await;
    run_job(&world, &world.app).await;
    world.provider.recover(Call::Revoke);
    world.pass(3600);
    assert_eq!(world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap(), 3);
    world.pass(3600);
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    let second = job(&world, id).await;
    assert_eq!((second.status, outcomes(&second)), (JobStatus::Completed, ("revoked".to_owned(), 3)));
}

#[tokio::test]
async fn after_seven_days_a_provider_can_be_deleted_whatever_it_says() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    world.provider.fail(Call::Revoke, down());
    delete(&world, provider).await;
    run_job(&world, &world.app).await;
    world.pass(7 * 24 * 3600);
    world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap();
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    let job = job(&world, id).await;
    assert_eq!((job.status, outcomes(&job)), (JobStatus::Completed, ("failed".to_owned(), 3)));
    assert!(world.stored_provider(provider).await.is_none());
}

#[tokio::test]
async fn wherever_a_worker_is_killed_another_one_goes_on() {
    let mut deaths = 0;
    loop {
        let world = World::new().await;
        let provider = with_three_authorizations(&world).await;
        let id = delete(&world, provider).await;
        let mortal = world.process("mortal", Arc::new(MortalRandom::dying_at(deaths)));
        let clock = world.clock.clone();
        let life = tokio::spawn(async move { run_through(&clock, mortal.run_next_job.run()).await });
        if let Ok(survived) = life.await {
            assert_eq!(survived.unwrap(), JobRun::Ran(id));
            break;
        }
        deaths += 1;
        assert_eq!(run_job(&world, &world.app).await, JobRun::Idle, "death {deaths}: its lease still holds");
        world.clock.advance(JOB_LEASE.to_std().unwrap());
        assert_eq!(run_job(&world, &world.app).await, JobRun::Ran(id), "death {deaths}");
        let job = job(&world, id).await;
        assert_eq!(
            (job.status, outcomes(&job)),
            (JobStatus::Completed, ("revoked".to_owned(), 3)),
            "death {deaths}"
        );
        assert_eq!(revoked(&world), ALL_TOKENS, "death {deaths}");
        assert!(world.stored_provider(provider).await.is_none(), "death {deaths}");
        assert_eq!(world.audited(AuditAction::ProviderDeleted).await.len(), 1, "death {deaths}");
    }
    assert!(deaths >= 8, "three detachments with two draws, three attempts, two of the end: {deaths}");
}

#[tokio::test]
async fn a_worker_that_was_silent_for_too_long_stops() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    let id = delete(&world, provider).await;
    world.provider.hold(Call::Revoke);
    let first = world.app.run_next_job.clone();
    let running = tokio::spawn(async move { first.run().await });
    // Three attempts with their limit, and the heart.
    world.clock.until_sleeping(4).await;
    world.clock.advance((JOB_LEASE - TimeDelta::seconds(1)).to_std().unwrap());
    tokio::task::yield_now().await;
    world.clock.until_sleeping(4).await;
    // It has shown that it lives, so nobody takes its job.
    let lease = |holder: &str| Lease { holder: holder.to_owned(), until: world.now() + JOB_LEASE };
    assert!(world.store.claim(lease("second"), world.now()).await.unwrap().is_none());
    world.clock.advance(JOB_LEASE.to_std().unwrap());
    assert!(world.store.claim(lease("second"), world.now()).await.unwrap().is_some());
    assert_eq!(running.await.unwrap().unwrap(), JobRun::Overtaken(id));
    assert_eq!(job(&world, id).await.status, JobStatus::Running);
}

#[tokio::test]
async fn two_workers_do_two_jobs() {
    let world = World::new().await;
    let (one, two) = (world.register("One").await.id, world.register("Two").await.id);
    let (first, second) = (delete(&world, one).await, delete(&world, two).await);
    let other = world.process("other", Arc::new(SeededRandom::new(5)));
    let runs = BTreeSet::from([
        format!("{:?}", run_job(&world, &world.app).await),
        format!("{:?}", run_job(&world, &other).await),
    ]);
    let expected = BTreeSet::from([JobRun::Ran(first), JobRun::Ran(second)].map(|run| format!("{run:?}")));
    assert_eq!(runs, expected);
}

#[tokio::test]
async fn an_authorization_that_slips_in_while_the_job_runs_goes_too() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    let row = world.stored_provider(provider).await.unwrap();
    let id = delete(&world, provider).await;
    world.provider.hold(Call::Revoke);
    let app = world.app.clone();
    let clock = world.clock.clone();
    let running = tokio::spawn(async move { app.run_next_job.run().await });
    world.provider.until_called(Call::Revoke, 3).await;
    // An exchange that had read the provider before it was to be deleted commits now.
    let account = world.store.account(world.member.account_id);
    let account = account.await.unwrap().unwrap();
    let late = entities::authorization(&account, &row);
    let late = late_tokens(&world, late).await;
    world.commit(vec![Change::insert(late)]).await;
    world.provider.release(Call::Revoke);
    assert_eq!(run_through(&clock, running).await.unwrap().unwrap(), JobRun::Ran(id));
    assert_eq!(outcomes(&job(&world, id).await), ("revoked".to_owned(), 4));
    assert!(revoked(&world).contains(&"late access".to_owned()));
    assert!(world.store.authorizations_at(provider, None, 10).await.unwrap().is_empty());
}

async fn late_tokens(world: &World, row: Authorization) -> Authorization {
    let seal =
        async |place, text: &str| world.sealer.seal(place, &Secret::new(text.to_owned())).await.unwrap();
    Authorization {
        access_token: seal(row.access_token_place(), "late access").await,
        refresh_token: Some(seal(row.refresh_token_place(), "late refresh").await),
        ..row
    }
}

#[tokio::test]
async fn revocations_that_another_worker_has_in_hand_are_waited_for() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    let [authorization, ..] = &world.store.authorizations_at(provider, None, 1).await.unwrap()[..] else {
        panic!("three authorizations");
    };
    world.app.delete_authorization.run(&world.member, authorization.id).await.unwrap();
    let lease =
        Lease { holder: "a worker that died".to_owned(), until: world.now() + TimeDelta::seconds(60) };
    assert_eq!(
        world.store.claim_revocations(ClaimedRevocations::Due, lease, world.now(), 8).await.unwrap().len(),
        1
    );
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    assert_eq!(job(&world, id).await.status, JobStatus::Completed);
    let receipts = world.store.revocations_of(provider).await.unwrap();
    assert!(receipts.iter().all(|receipt| receipt.status == RevocationStatus::Revoked));
}

#[tokio::test]
async fn tokens_that_do_not_open_do_not_keep_a_provider_alive() {
    let world = World::new().await;
    let provider = with_three_authorizations(&world).await;
    let mut rows = world.store.authorizations_at(provider, None, 2).await.unwrap();
    let (one, other) = (rows.remove(0), rows.remove(0));
    world.commit(vec![Change::update(Authorization { access_token: other.access_token, ..one })]).await;
    let id = delete(&world, provider).await;
    run_job(&world, &world.app).await;
    let job = job(&world, id).await;
    assert_eq!((job.status, outcomes(&job)), (JobStatus::Completed, ("failed revoked".to_owned(), 3)));
    assert!(world.stored_provider(provider).await.is_none());
}

#[tokio::test]
async fn a_refresh_that_is_under_way_is_waited_for_and_its_tokens_are_revoked() {
    let world = World::new().await;
    let (provider, authorization) = world.connected().await;
    world.provider.hold(Call::Refresh);
    world.pass(3600);
    let asking = world.spawn_lend(authorization);
    world.provider.until_called(Call::Refresh, 1).await;
    let id = delete(&world, provider).await;
    let (app, clock) = (world.app.clone(), world.clock.clone());
    let running = tokio::spawn(async move { app.run_next_job.run().await });
    // The caller's patience, the provider's limit, and the job with its heart.
    world.clock.until_sleeping(4).await;
    assert_eq!(world.provider.calls(Call::Revoke), 0);
    world.provider.release(Call::Refresh);
    world.tasks.drain().await;
    assert!(asking.await.unwrap().is_err());
    assert_eq!(run_through(&clock, running).await.unwrap().unwrap(), JobRun::Ran(id));
    assert_eq!(job(&world, id).await.status, JobStatus::Completed);
    assert!(revoked(&world).contains(&"refresh-2".to_owned()), "{:?}", revoked(&world));
    assert!(world.provider.read(|state| state.refresh_tokens.is_empty()));
}

#[tokio::test]
async fn an_exchange_that_is_under_way_is_waited_for_and_its_tokens_are_revoked() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    world.provider.hold(Call::Exchange);
    let (complete, member) = (world.app.complete_flow.clone(), world.member.clone());
    let sent = callback(provider, &started.state, "code:mo:1");
    let completing = tokio::spawn(async move { complete.for_caller(&member, sent).await });
    world.provider.until_called(Call::Exchange, 1).await;
    let id = delete(&world, provider).await;
    let (app, clock) = (world.app.clone(), world.clock.clone());
    let running = tokio::spawn(async move { app.run_next_job.run().await });
    world.clock.until_sleeping(4).await;
    assert!(world.stored_provider(provider).await.is_some());
    world.provider.release(Call::Exchange);
    world.tasks.drain().await;
    assert!(completing.await.unwrap().is_err());
    assert_eq!(run_through(&clock, running).await.unwrap().unwrap(), JobRun::Ran(id));
    assert_eq!(revoked(&world), ["access-1", "refresh-1"]);
    assert!(world.stored_provider(provider).await.is_none());
}

#[tokio::test]
async fn a_poll_of_a_device_flow_that_is_under_way_is_waited_for_and_its_tokens_are_revoked() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    world.provider.decide(&begun.user_code, Decision::Approved("mo".to_owned()));
    world.provider.hold(Call::PollDevice);
    world.pass(5);
    let polling = world.spawn_poll(&world.app, provider, &begun);
    world.provider.until_called(Call::PollDevice, 1).await;
    let id = delete(&world, provider).await;
    let (app, clock) = (world.app.clone(), world.clock.clone());
    let running = tokio::spawn(async move { app.run_next_job.run().await });
    // The caller's patience, the provider's limit, and the job with its heart.
    world.clock.until_sleeping(4).await;
    assert!(world.stored_provider(provider).await.is_some());
    world.provider.release(Call::PollDevice);
    world.tasks.drain().await;
    let refused = DeviceFlowStatus::Denied { reason: "provider_deleted".to_owned() };
    assert_eq!(polling.await.unwrap().unwrap(), refused);
    assert_eq!(run_through(&clock, running).await.unwrap().unwrap(), JobRun::Ran(id));
    assert_eq!(revoked(&world), ["access-1", "refresh-1"]);
    assert!(world.stored_provider(provider).await.is_none());
}

#[tokio::test]
async fn device_flows_that_nobody_polls_keep_no_provider_alive() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, DeviceFlowStatus::Pending);
    let id = delete(&world, provider).await;
    let before = world.now();
    assert_eq!(run_job(&world, &world.app).await, JobRun::Ran(id));
    assert_eq!((job(&world, id).await.status, world.now()), (JobStatus::Completed, before));
    assert!(world.stored_provider(provider).await.is_none());
}
