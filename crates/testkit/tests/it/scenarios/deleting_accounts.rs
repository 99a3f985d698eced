//! Deleting accounts and organizations: nobody gets in, nothing comes to life, and everything is revoked.

use std::sync::Arc;

use grantkeeper_domain::UseCases;
use grantkeeper_domain::accounts::{
    AccountStore as _, AuthenticateError, Caller, CreateAccountError, IssueApiTokenError, OpenSessionError,
    Role, Standing, TokenReach,
};
use grantkeeper_domain::audit::{AuditAction, AuditLog as _};
use grantkeeper_domain::authorizations::{AuthorizationStore as _, CompleteFlowError, DeviceFlowStatus};
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::jobs::{JOB_LEASE, JobRun, JobStatus};
use grantkeeper_domain::providers::{ProviderCatalog as _, UpstreamError};
use grantkeeper_domain::revocations::{
    ClaimedRevocations, REVOCATION_PERIOD, Revocation, RevocationQueue as _, RevocationStatus, SHARED_GRANT,
};
use grantkeeper_domain::sealing::DataKeyStore as _;
use grantkeeper_testkit::entities;
use grantkeeper_testkit::scripted_provider::{Call, Decision};

use super::workers::{MortalRandom, run_through};
use super::world::{World, callback};

fn down() -> UpstreamError {
    UpstreamError::Unavailable { reason: "connect", retry_after: None }
}

async fn run_job(world: &World, app: &UseCases) -> JobRun {
    run_through(&world.clock, app.run_next_job.run()).await.unwrap()
}

async fn run_revocations(world: &World) {
    while world.app.run_due_revocations.run(ClaimedRevocations::Due).await.unwrap() > 0 {}
}

async fn receipts(world: &World, provider: ProviderId) -> Vec<Revocation> {
    world.store.revocations_of(provider).await.unwrap()
}

async fn standing(world: &World, caller: &Caller) -> Option<Standing> {
    world.store.account(caller.account_id).await.unwrap().map(|account| account.standing)
}

/// A provider at which a person has authorized the member, and another one the administrator.
async fn with_two_people(world: &World) -> ProviderId {
    let provider = world.register("GitLab").await.id;
    world.connect(&world.member, provider, "mo").await;
    world.connect(&world.admin, provider, "ada").await;
    provider
}

#[tokio::test]
async fn an_account_goes_with_all_that_is_its_own_and_its_tokens_are_revoked() {
    let world = World::new().await;
    let provider = with_two_people(&world).await;
    world.connect(&world.member, provider, "mo at work").await;
    let flow = world.start(&world.member, provider).await;
    world.app.issue_api_token.run(world.member.account_id, TokenReach::Account, None).await.ok().unwrap();

    let job = world.app.delete_account.run(world.member.account_id).await.unwrap();
    assert_eq!(run_job(&world, &world.app).await, JobRun::Ran(job.id));
    assert_eq!(standing(&world, &world.member).await, None);
    assert_eq!(receipts(&world, provider).await.len(), 2);
    let report = world.app.view_jobs.get(&world.admin, job.id).await.unwrap();
    assert_eq!(report.status, JobStatus::Completed);
    let names: Vec<_> = report.details.iter().map(|detail| detail.name.as_str()).collect();
    assert_eq!(names, ["account_id", "authorization_ids", "revocations"]);

    run_revocations(&world).await;
    let mut revoked = world.provider.read(|state| state.revoked.clone());
    revoked.sort();
    assert_eq!(revoked, ["access-1", "access-3", "refresh-1", "refresh-3"]);
    let answer = world.complete(&world.member, provider, &flow.state, "code:mo:9").await;
    assert!(matches!(answer, Err(CompleteFlowError::InvalidState)));
    assert_eq!(world.store.authorizations_of(world.admin.account_id).await.unwrap().len(), 1);
    for action in [AuditAction::AccountDeletionRequested, AuditAction::AccountDeleted] {
        assert_eq!(world.audited(action).await.len(), 1, "{action:?}");
    }
    assert_eq!(world.audited(AuditAction::AuthorizationDeleted).await.len(), 2);
}

#[tokio::test]
async fn from_the_request_on_nobody_gets_in_as_the_account() {
    let world = World::new().await;
    let issued =
        world.app.issue_api_token.run(world.member.account_id, TokenReach::Account, None).await.ok().unwrap();
    let (token, _) = (issued.secret.expose(), issued.token.id);
    let (_, session) = world.app.open_session.run(token, None).await.unwrap();
    world.app.authenticate.run(session.secret.expose(), None).await.unwrap();

    world.app.delete_account.run(world.member.account_id).await.unwrap();
    for presented in [token, session.secret.expose()] {
        let refused = world.app.authenticate.run(presented, None).await;
        assert!(matches!(refused, Err(AuthenticateError::Unauthenticated)));
    }
    assert!(matches!(world.app.open_session.run(token, None).await, Err(OpenSessionError::Refused)));
    let issued =
        world.app.issue_api_token.run(world.member.account_id, TokenReach::Account, None).await.err();
    assert!(matches!(issued, Some(IssueApiTokenError::AccountDeleting)));
}

#[tokio::test]
async fn a_flow_that_finishes_meanwhile_brings_nothing_to_life() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    world.app.delete_account.run(world.member.account_id).await.unwrap();
    let answer = world.complete(&world.member, provider, &started.state, "code:mo:1").await;
    let Err(CompleteFlowError::Refused { reason }) = answer else { panic!("{answer:?}") };
    assert_eq!(reason, "account_deleted");
    assert_eq!(world.provider.calls(Call::Exchange), 0, "no code is sent");
}

#[tokio::test]
async fn a_deletion_waits_for_codes_that_are_being_redeemed_and_revokes_what_they_bring() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    world.provider.hold(Call::Exchange);
    let started = world.start(&world.member, provider).await;
    let completing = {
        let (app, member) = (world.app.clone(), world.member.clone());
        let callback = callback(provider, &started.state, "code:mo:1");
        tokio::spawn(async move { app.complete_flow.for_caller(&member, callback).await })
    };
    world.provider.until_called(Call::Exchange, 1).await;
    world.app.delete_account.run(world.member.account_id).await.unwrap();
    let run_next_job = world.app.run_next_job.clone();
    let deleting = tokio::spawn(async move { run_next_job.run().await });
    // The exchange's limit, its caller's patience, the job's look and its heartbeat.
    world.clock.until_sleeping(4).await;
    assert!(!deleting.is_finished());
    world.provider.release(Call::Exchange);
    let answer = completing.await.unwrap();
    assert!(matches!(answer, Err(CompleteFlowError::Refused { reason }) if reason == "account_deleted"));
    while !deleting.is_finished() {
        world.pass(1);
        tokio::task::yield_now().await;
    }
    deleting.await.unwrap().unwrap();
    assert_eq!(standing(&world, &world.member).await, None);
    run_revocations(&world).await;
    assert_eq!(world.provider.read(|state| state.revoked.clone()), ["refresh-1", "access-1"]);
}

#[tokio::test]
async fn a_device_flow_of_a_closed_account_is_not_asked_about() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    world.provider.decide(&begun.user_code, Decision::Approved("mo".to_owned()));
    world.app.delete_account.run(world.member.account_id).await.unwrap();
    world.pass(5);
    assert_eq!(
        world.poll(provider, &begun).await,
        DeviceFlowStatus::Denied { reason: "account_deleted".to_owned() }
    );
    assert_eq!(world.provider.calls(Call::PollDevice), 0);
}

#[tokio::test]
async fn wherever_a_worker_is_killed_another_one_goes_on() {
    let mut deaths = 0;
    loop {
        let world = World::new().await;
        let provider = with_two_people(&world).await;
        let job = world.app.delete_organization.run(world.organization.id).await.unwrap();
        let mortal = world.process("mortal", Arc::new(MortalRandom::dying_at(deaths)));
        let clock = world.clock.clone();
        let life = tokio::spawn(async move { run_through(&clock, mortal.run_next_job.run()).await });
        if let Ok(survived) = life.await {
            assert_eq!(survived.unwrap(), JobRun::Ran(job.id));
            break;
        }
        deaths += 1;
        world.clock.advance(JOB_LEASE.to_std().unwrap());
        assert_eq!(run_job(&world, &world.app).await, JobRun::Ran(job.id), "death {deaths}");
        assert_eq!(world.store.accounts_in(world.organization.id).await.unwrap(), [], "death {deaths}");
        assert_eq!(receipts(&world, provider).await.len(), 2, "death {deaths}");
        assert_eq!(world.audited(AuditAction::AccountDeleted).await.len(), 2, "death {deaths}");
        run_revocations(&world).await;
        assert_eq!(world.provider.read(|state| state.revoked.len()), 4, "death {deaths}");
    }
    assert!(deaths >= 7, "two detachments with two draws, two accounts, the end: {deaths}");
}

#[tokio::test]
async fn an_organization_stands_as_a_tombstone_until_its_last_revocation_has_ended() {
    let world = World::new().await;
    let provider = with_two_people(&world).await;
    let id = world.organization.id;
    world.store.add_first_data_key(entities::data_key(&world.organization)).await.unwrap();
    world.provider.fail(Call::Revoke, down());
    world.app.delete_organization.run(id).await.unwrap();
    for caller in [&world.admin, &world.member] {
        assert_eq!(standing(&world, caller).await, Some(Standing::Deleting), "at once");
    }
    let created = world.app.create_account.run(id, "eve@example.com", Role::Member).await;
    assert!(matches!(created, Err(CreateAccountError::OrganizationDeleting)));
    run_job(&world, &world.app).await;
    assert_eq!(world.store.accounts_in(id).await.unwrap(), []);

    run_revocations(&world).await;
    world.app.clean_up.run().await.unwrap();
    assert!(world.store.organization(id).await.unwrap().is_some(), "the revocations need it");
    assert!(world.stored_provider(provider).await.is_some());

    world.provider.recover(Call::Revoke);
    world.pass(3600);
    run_revocations(&world).await;
    assert!(receipts(&world, provider).await.iter().all(|one| one.status == RevocationStatus::Revoked));
    world.pass(1);
    world.app.clean_up.run().await.unwrap();
    assert_eq!(world.store.organization(id).await.unwrap(), None);
    assert_eq!(world.store.providers(id).await.unwrap(), []);
    assert_eq!(world.store.newest_data_key(id).await.unwrap(), None, "what they sealed opens no more");
    assert_eq!(receipts(&world, provider).await.len(), 2, "receipts stay");
    let log = world.store.newest_entries(id, 1).await.unwrap();
    assert_eq!(log[0].action, AuditAction::OrganizationDeleted);
    world.app.create_organization.run("Observatory").await.unwrap();
}

#[tokio::test]
async fn after_seven_days_a_tombstone_goes_whatever_the_provider_says() {
    let world = World::new().await;
    let provider = with_two_people(&world).await;
    world.provider.fail(Call::Revoke, down());
    world.app.delete_organization.run(world.organization.id).await.unwrap();
    run_job(&world, &world.app).await;
    run_revocations(&world).await;
    world.clock.advance(REVOCATION_PERIOD.to_std().unwrap());
    run_revocations(&world).await;
    assert!(receipts(&world, provider).await.iter().all(|one| one.status == RevocationStatus::Failed));
    world.app.clean_up.run().await.unwrap();
    assert_eq!(world.store.organization(world.organization.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_client_secret_that_nobody_can_correct_any_more_ends_the_revocations_at_once() {
    let world = World::new().await;
    let provider = with_two_people(&world).await;
    let refused = UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
    world.provider.fail(Call::Revoke, refused);
    world.app.delete_organization.run(world.organization.id).await.unwrap();
    run_job(&world, &world.app).await;
    run_revocations(&world).await;
    assert!(receipts(&world, provider).await.iter().all(|one| one.status == RevocationStatus::Failed));
}

#[tokio::test]
async fn a_grant_that_was_given_anew_outlives_the_revocation_of_the_old_one() {
    let world = World::new().await;
    let (provider, old) = world.connected().await;
    world.provider.fail(Call::Revoke, down());
    world.app.delete_authorization.run(&world.member, old).await.unwrap();
    run_revocations(&world).await;
    let new = world.connect(&world.member, provider, "mo").await;
    world.provider.recover(Call::Revoke);
    world.pass(10);
    run_revocations(&world).await;

    let receipt = receipts(&world, provider).await.remove(0);
    assert_eq!(receipt.status, RevocationStatus::NotSupported);
    assert_eq!(receipt.last_error.as_deref(), Some(SHARED_GRANT));
    assert_eq!((receipt.access_token, receipt.refresh_token), (None, None));
    assert_eq!(world.provider.read(|state| state.revoked.len()), 0);
    let entry = world.audited(AuditAction::TokenRevoked).await.pop().unwrap();
    assert_eq!(entry.reason.as_deref(), Some(SHARED_GRANT));

    world.app.delete_authorization.run(&world.member, new).await.unwrap();
    run_revocations(&world).await;
    assert_eq!(world.provider.read(|state| state.revoked.clone()), ["refresh-2", "access-2"]);
}

#[tokio::test]
async fn a_grant_that_a_colleague_shares_ends_with_the_last_of_both() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    for caller in [&world.member, &world.admin] {
        world.connect(caller, provider, "the shared account").await;
    }
    world.app.delete_account.run(world.member.account_id).await.unwrap();
    run_job(&world, &world.app).await;
    run_revocations(&world).await;
    assert_eq!(world.provider.calls(Call::Revoke), 0, "the colleague still needs it");

    world.app.delete_organization.run(world.organization.id).await.unwrap();
    run_job(&world, &world.app).await;
    run_revocations(&world).await;
    assert_eq!(world.provider.read(|state| state.revoked.clone()), ["refresh-2", "access-2"]);
    let mut statuses: Vec<_> =
        receipts(&world, provider).await.iter().map(|one| one.status.as_str()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["not_supported", "revoked"]);
}
