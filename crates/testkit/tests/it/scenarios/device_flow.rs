//! Device flows, from the codes to what the person decides.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::UseCases;
use grantkeeper_domain::audit::AuditAction;
use grantkeeper_domain::authorizations::{
    BeginDeviceFlowError, BegunDeviceFlow, DeviceFlowStatus, PollDeviceFlowError,
};
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::providers::{ProviderStatus, ProviderUpdate, RequestedStatus, UpstreamError};
use grantkeeper_testkit::SeededRandom;
use grantkeeper_testkit::scripted_provider::{Call, Decision};

use super::world::World;

use DeviceFlowStatus::{Authorized, Expired, Pending, SlowDown};

fn approved() -> Decision {
    Decision::Approved("mo".to_owned())
}

fn denied(reason: &str) -> DeviceFlowStatus {
    DeviceFlowStatus::Denied { reason: reason.to_owned() }
}

/// As many polls at once, by two processes in turn; what they were told.
async fn poll_at_once(
    world: &World,
    processes: &[&UseCases; 2],
    provider: ProviderId,
    begun: &BegunDeviceFlow,
) -> Vec<DeviceFlowStatus> {
    let polling: Vec<_> =
        processes.iter().cycle().take(8).map(|app| world.spawn_poll(app, provider, begun)).collect();
    let mut told = Vec::new();
    for polling in polling {
        told.push(polling.await.unwrap().unwrap());
    }
    told
}

#[tokio::test]
async fn from_the_codes_to_a_token() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    assert_eq!((begun.interval, begun.expires_in), (Duration::from_secs(5), Duration::from_secs(900)));
    let device_code = world.provider.read(|state| state.devices[0].device_code.clone());
    assert_ne!(begun.handle.expose(), device_code);

    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, Pending);
    world.provider.decide(&begun.user_code, approved());
    world.pass(5);
    let Authorized(id) = world.poll(provider, &begun).await else { panic!("the person has agreed") };
    assert_eq!(world.token(id).await, "access-1");
    assert_eq!(world.poll(provider, &begun).await, Authorized(id), "a repeat is told the same");
    assert_eq!(world.provider.calls(Call::PollDevice), 2);

    world.pass(3600);
    assert_eq!(world.token(id).await, "access-2");
    assert_eq!(world.audited(AuditAction::FlowStarted).await.len(), 1);
    assert_eq!(world.audited(AuditAction::FlowFinished).await[0].authorization_id, Some(id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_number_of_pollers_cause_one_poll_per_interval() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    let second = world.process("second", Arc::new(SeededRandom::new(2)));
    let processes = [&world.app, &second];
    for interval in 0..12 {
        assert_eq!(world.provider.calls(Call::PollDevice), interval);
        let told = poll_at_once(&world, &processes, provider, &begun).await;
        assert!(told.iter().all(|status| *status == SlowDown), "too early: {told:?}");
        world.pass(5);
        let told = poll_at_once(&world, &processes, provider, &begun).await;
        assert_eq!(told.iter().filter(|status| **status == Pending).count(), 1, "{told:?}");
        assert_eq!(told.iter().filter(|status| **status == SlowDown).count(), 7, "{told:?}");
    }
    world.provider.decide(&begun.user_code, approved());
    world.pass(5);
    let told = poll_at_once(&world, &processes, provider, &begun).await;
    assert!(told.iter().any(|status| matches!(status, Authorized(_))), "{told:?}");
    assert_eq!(world.provider.calls(Call::PollDevice), 13);
    assert_eq!(world.app.view_authorizations.list(&world.member).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_granted_while_the_caller_leaves_is_there_at_the_next_poll() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    world.provider.decide(&begun.user_code, approved());
    world.provider.hold(Call::PollDevice);
    world.pass(5);
    let polling = world.spawn_poll(&world.app, provider, &begun);
    world.provider.until_called(Call::PollDevice, 1).await;
    polling.abort();
    assert!(polling.await.unwrap_err().is_cancelled());
    world.provider.release(Call::PollDevice);
    world.tasks.drain().await;
    let Authorized(id) = world.poll(provider, &begun).await else { panic!("it is kept") };
    assert_eq!(world.token(id).await, "access-1");
    assert_eq!(world.provider.calls(Call::PollDevice), 1);
}

#[tokio::test]
async fn a_poll_that_outlasts_the_callers_patience_goes_on_behind_them() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    world.provider.decide(&begun.user_code, approved());
    world.provider.hold(Call::PollDevice);
    world.pass(5);
    let asked = world.now();
    let polling = world.spawn_poll(&world.app, provider, &begun);
    world.provider.until_called(Call::PollDevice, 1).await;
    // The caller's patience and the provider's limit.
    world.clock.until_sleeping(2).await;
    world.pass(4);
    assert_eq!(polling.await.unwrap().unwrap(), Pending);
    world.pass(2);
    assert_eq!(world.poll(provider, &begun).await, Pending, "still being asked, though the interval is over");
    world.provider.release(Call::PollDevice);
    world.tasks.drain().await;
    let Authorized(id) = world.poll(provider, &begun).await else { panic!("it is kept") };
    assert_eq!(world.stored(id).await.issued_at, asked, "its life counts from when the provider was asked");
    assert_eq!(world.provider.calls(Call::PollDevice), 1);
}

#[tokio::test]
async fn slow_down_holds_for_good() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    world.provider.slow_down_next(None);
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, Pending);
    for asked in 1..4 {
        world.pass(5);
        assert_eq!(world.poll(provider, &begun).await, SlowDown);
        assert_eq!(world.provider.calls(Call::PollDevice), asked);
        world.pass(5);
        assert_eq!(world.poll(provider, &begun).await, Pending);
    }
}

#[tokio::test]
async fn a_rate_limit_is_kept_for_everyone() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    let retry_after = Some(Duration::from_secs(60));
    world.provider.fail_next(Call::PollDevice, UpstreamError::RateLimited { retry_after });
    world.provider.decide(&begun.user_code, approved());
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, Pending);
    world.pass(59);
    assert_eq!(world.poll(provider, &begun).await, SlowDown);
    world.pass(1);
    assert!(matches!(world.poll(provider, &begun).await, Authorized(_)));
}

#[tokio::test]
async fn a_refusal_is_final() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    world.provider.decide(&begun.user_code, Decision::Denied);
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, denied("access_denied"));
    world.provider.decide(&begun.user_code, approved());
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, denied("access_denied"));
    assert_eq!(world.provider.calls(Call::PollDevice), 1);
}

#[tokio::test]
async fn codes_expire_by_the_providers_word_and_by_our_clock() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    let second = world.begin_device(provider).await;
    world.provider.decide(&begun.user_code, Decision::Expired);
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, Expired);
    world.pass(895);
    assert_eq!(world.poll(provider, &second).await, Expired);
    assert_eq!(world.provider.calls(Call::PollDevice), 1, "nobody asks for what is over");
    world.pass(3600);
    assert_eq!(world.app.clean_up.run().await.unwrap(), 0);
    world.pass(1);
    assert_eq!(world.app.clean_up.run().await.unwrap(), 2);
    assert_eq!(world.poll(provider, &begun).await, Expired);
}

#[tokio::test]
async fn a_handle_is_good_for_its_owner_at_its_provider_alone() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    let (elsewhere, other) = world.at_a_device().await;
    world.provider.decide(&begun.user_code, approved());
    world.pass(5);
    let poll = &world.app.poll_device_flow;
    assert_eq!(poll.run(&world.admin, provider, &begun.handle).await.unwrap(), Expired);
    assert_eq!(world.poll(elsewhere, &begun).await, Expired);
    let stranger = world.stranger().await;
    let told = poll.run(&stranger, provider, &begun.handle).await;
    assert!(matches!(told, Err(PollDeviceFlowError::ProviderNotFound)));
    assert_eq!(world.provider.calls(Call::PollDevice), 0);
    assert_eq!(world.poll(elsewhere, &other).await, Pending);
    assert!(matches!(world.poll(provider, &begun).await, Authorized(_)));
}

#[tokio::test]
async fn one_identity_is_one_authorization_by_whichever_flow() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    let id = world.connect(&world.member, provider, "mo").await;
    assert!(world.stored(id).await.redirect_uri.is_some());
    world.provider.decide(&begun.user_code, approved());
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, Authorized(id));
    assert_eq!(world.stored(id).await.redirect_uri, None);
    assert_eq!(world.stored_access_token(id).await, "access-2");
    assert_eq!(world.connect(&world.member, provider, "mo").await, id);
    assert!(world.stored(id).await.redirect_uri.is_some(), "of the flow that brought the grant");
}

#[tokio::test]
async fn a_poll_that_died_is_taken_over_after_a_minute_and_a_half() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    world.provider.decide(&begun.user_code, approved());
    world.provider.panic_next(Call::PollDevice);
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, Pending);
    world.pass(89);
    assert_eq!(world.poll(provider, &begun).await, Pending, "for all that is known it is under way");
    assert_eq!(world.provider.calls(Call::PollDevice), 1);
    world.pass(1);
    assert!(matches!(world.poll(provider, &begun).await, Authorized(_)));
}

#[tokio::test]
async fn wrong_client_credentials_disable_the_provider_and_new_ones_let_it_begin_again() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    let invalid = UpstreamError::ClientRefused { code: "invalid_client".to_owned() };
    world.provider.fail_next(Call::PollDevice, invalid);
    world.pass(5);
    assert_eq!(world.poll(provider, &begun).await, denied("invalid_client"));
    assert_eq!(world.stored_provider(provider).await.unwrap().status, ProviderStatus::Disabled);
    let begun = world.app.begin_device_flow.run(&world.member, provider).await;
    assert!(matches!(begun, Err(BeginDeviceFlowError::NotActive)));
    let update = ProviderUpdate {
        client_secret: Some(grantkeeper_domain::Secret::new("right".to_owned())),
        ..ProviderUpdate::default()
    };
    world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    world.begin_device(provider).await;
}

#[tokio::test]
async fn a_provider_that_is_paused_meanwhile_is_not_asked_until_it_goes_on() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    let turn = async |status| {
        let update = ProviderUpdate { status: Some(status), ..ProviderUpdate::default() };
        world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    };
    world.provider.decide(&begun.user_code, approved());
    turn(RequestedStatus::Inactive).await;
    world.pass(5);
    let told = world.app.poll_device_flow.run(&world.member, provider, &begun.handle).await;
    assert!(matches!(told, Err(PollDeviceFlowError::NotActive)));
    turn(RequestedStatus::Active).await;
    let Authorized(id) = world.poll(provider, &begun).await else { panic!("it goes on") };
    assert_eq!(world.stored(id).await.created_at, world.now());
}

#[tokio::test]
async fn a_device_flow_that_is_switched_off_is_not_begun_and_one_under_way_ends_as_it_likes() {
    let world = World::new().await;
    let (provider, begun) = world.at_a_device().await;
    let off = ProviderUpdate { device_flow: Some(false), ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, provider, off).await.unwrap();
    let refused = world.app.begin_device_flow.run(&world.member, provider).await;
    assert!(matches!(refused, Err(BeginDeviceFlowError::NotOffered)));
    assert_eq!(world.provider.calls(Call::BeginDevice), 1);
    world.provider.decide(&begun.user_code, approved());
    // A quarter of a second too early: the poll waits for its time.
    world.clock.advance(Duration::from_millis(4750));
    let polling = world.spawn_poll(&world.app, provider, &begun);
    world.clock.until_sleeping(1).await;
    assert_eq!(world.provider.calls(Call::PollDevice), 0);
    world.clock.advance(Duration::from_millis(250));
    assert!(matches!(polling.await.unwrap().unwrap(), Authorized(_)));
}
