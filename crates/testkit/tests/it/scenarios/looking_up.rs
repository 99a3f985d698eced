//! Asking the provider who the user is.

use grantkeeper_domain::audit::{AuditAction, AuditOutcome};
use grantkeeper_domain::authorizations::{LookUpUserError, UserInfo};
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::providers::{ProviderStatus, ProviderUpdate, RequestedStatus, UpstreamError};
use grantkeeper_domain::tokens::LendError;
use grantkeeper_testkit::scripted_provider::Call;

use super::world::World;

async fn look_up(world: &World, id: AuthorizationId) -> Result<UserInfo, LookUpUserError> {
    world.app.look_up_user.run(&world.member, id).await
}

/// A member's authorization whose access token the provider has withdrawn. Identification was asked for once.
async fn withdrawn(world: &World) -> AuthorizationId {
    let (_, id) = world.connected().await;
    world.provider.change(|state| state.access_tokens.clear());
    id
}

#[tokio::test]
async fn the_provider_is_asked_with_the_stored_token() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    let user = look_up(&world, id).await.unwrap();
    assert_eq!((user.sub.as_str(), user.name.as_deref()), ("mo", Some("Ada Example")));
    assert_eq!(world.audited(AuditAction::UserLookedUp).await.len(), 1);
    assert!(world.audited(AuditAction::TokenHandedOut).await.is_empty(), "the caller has not seen the token");
}

#[tokio::test]
async fn a_token_that_the_provider_refuses_is_replaced_once() {
    let world = World::new().await;
    let id = withdrawn(&world).await;
    assert_eq!(look_up(&world, id).await.unwrap().sub, "mo");
    assert_eq!(world.provider.calls(Call::Refresh), 1);
    assert_eq!(world.stored_access_token(id).await, "access-2");
}

#[tokio::test]
async fn a_new_token_that_is_refused_as_well_is_the_end_of_it() {
    let world = World::new().await;
    let id = withdrawn(&world).await;
    world.provider.fail(Call::Identify, UpstreamError::TokenRefused);
    assert!(matches!(look_up(&world, id).await, Err(LookUpUserError::TokenRefused)));
    assert_eq!(world.provider.calls(Call::Refresh), 1);
    assert_eq!(world.provider.calls(Call::Identify), 3);
}

#[tokio::test]
async fn a_refused_token_that_cannot_be_replaced_just_now_costs_nobody_their_grant() {
    let world = World::new().await;
    let id = withdrawn(&world).await;
    world.provider.fail(Call::Refresh, UpstreamError::Unavailable { reason: "connect", retry_after: None });
    match look_up(&world, id).await {
        Err(LookUpUserError::Token(LendError::Unavailable { reason })) => assert_eq!(reason, "connect"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.provider.calls(Call::Identify), 2, "the refused token is not shown again");
}

#[tokio::test]
async fn a_refused_token_without_a_refresh_token_means_authorizing_again() {
    let world = World::new().await;
    world.provider.change(|state| state.gives_refresh_tokens = false);
    let id = withdrawn(&world).await;
    assert!(matches!(look_up(&world, id).await, Err(LookUpUserError::TokenRefused)));
    let entry = world.audited(AuditAction::UserLookedUp).await.pop().unwrap();
    assert_eq!((entry.outcome, entry.reason.as_deref()), (AuditOutcome::Failed, Some("invalid_token")));
}

#[tokio::test]
async fn a_dead_grant_is_found_out_by_the_way() {
    let world = World::new().await;
    let id = withdrawn(&world).await;
    world.provider.change(|state| state.refresh_tokens.clear());
    let found = look_up(&world, id).await;
    assert!(matches!(found, Err(LookUpUserError::Token(LendError::GrantDead { .. }))), "{found:?}");
}

#[tokio::test]
async fn a_disabled_provider_is_not_asked_for_a_new_token() {
    let world = World::new().await;
    let id = withdrawn(&world).await;
    let provider = world.stored(id).await.provider_id;
    let update = ProviderUpdate { status: Some(RequestedStatus::Disabled), ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    assert_eq!(world.stored_provider(provider).await.unwrap().status, ProviderStatus::Disabled);
    let found = look_up(&world, id).await;
    assert!(matches!(found, Err(LookUpUserError::Token(LendError::ProviderNotActive))), "{found:?}");
    assert_eq!(world.provider.calls(Call::Refresh), 0);
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_not_shown() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.change(|state| {
        state.access_tokens.insert("access-1".to_owned(), "somebody else".to_owned());
    });
    match look_up(&world, id).await {
        Err(LookUpUserError::Unavailable { reason }) => assert_eq!(reason, "subject_mismatch"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_caller_waits_four_seconds() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.hold(Call::Identify);
    let (look_up, member) = (world.app.look_up_user.clone(), world.member.clone());
    let asking = tokio::spawn(async move { look_up.run(&member, id).await });
    world.provider.until_called(Call::Identify, 2).await;
    world.clock.until_sleeping(1).await;
    world.pass(4);
    match asking.await.unwrap() {
        Err(LookUpUserError::Unavailable { reason }) => assert_eq!(reason, "slow"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_users_authorization_is_not_there() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    let found = world.app.look_up_user.run(&world.admin, id).await;
    assert!(matches!(found, Err(LookUpUserError::Token(LendError::NotFound))), "{found:?}");
    assert!(world.audited(AuditAction::UserLookedUp).await.is_empty());
}

#[tokio::test]
async fn a_provider_that_cannot_tell_leaves_what_was_told_at_the_beginning() {
    let world = World::new().await;
    let (_, id) = world.connected().await;
    world.provider.fail(Call::Identify, UpstreamError::NotSupported);
    assert_eq!(look_up(&world, id).await.unwrap(), world.stored(id).await.user);
}
