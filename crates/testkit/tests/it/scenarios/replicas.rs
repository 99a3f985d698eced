//! What one replica changes the others obey within a second, and it itself at once, though hand-outs are served from memory.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::UseCases;
use grantkeeper_domain::accounts::TokenReach;
use grantkeeper_domain::ids::AuthorizationId;
use grantkeeper_domain::providers::{ProviderUpdate, RequestedStatus};
use grantkeeper_domain::tokens::LendError;
use grantkeeper_testkit::SeededRandom;

use super::world::World;

/// What is promised.
const PROMISE: Duration = Duration::from_secs(1);

/// Two replicas, each of which has just handed out the same token.
struct Replicas {
    world: World,
    other: UseCases,
    id: AuthorizationId,
}

impl Replicas {
    async fn new() -> Self {
        let world = World::new().await;
        let (_, id) = world.connected().await;
        let other = world.process("other", Arc::new(SeededRandom::new(2)));
        let replicas = Self { world, other, id };
        for app in [&replicas.world.app, &replicas.other] {
            replicas.lend(app).await.unwrap();
        }
        replicas
    }

    async fn lend(&self, app: &UseCases) -> Result<String, LendError> {
        let lent = app.lend_access_token.run(&self.world.member, self.id, Duration::ZERO).await?;
        Ok(lent.access_token.expose().to_owned())
    }

    /// What each says now, and the other when the promised time is over.
    async fn after_a_change(&self) -> [Result<String, LendError>; 2] {
        let here = self.lend(&self.world.app).await;
        self.world.clock.advance(PROMISE);
        [here, self.lend(&self.other).await]
    }
}

#[tokio::test]
async fn a_deleted_authorization_gives_no_token_any_more() {
    let replicas = Replicas::new().await;
    let world = &replicas.world;
    world.app.delete_authorization.run(&world.member, replicas.id).await.unwrap();
    for lent in replicas.after_a_change().await {
        assert!(matches!(lent, Err(LendError::NotFound)));
    }
}

#[tokio::test]
async fn a_paused_provider_gives_no_token_any_more_and_a_resumed_one_does_again() {
    let replicas = Replicas::new().await;
    let world = &replicas.world;
    let provider = world.stored(replicas.id).await.provider_id;
    let set = async |status| {
        let update = ProviderUpdate { status: Some(status), ..ProviderUpdate::default() };
        world.app.update_provider.run(&world.admin, provider, update).await.unwrap();
    };
    set(RequestedStatus::Inactive).await;
    for lent in replicas.after_a_change().await {
        assert!(matches!(lent, Err(LendError::ProviderNotActive)));
    }
    set(RequestedStatus::Active).await;
    for lent in replicas.after_a_change().await {
        assert_eq!(lent.unwrap(), "access-1");
    }
}

#[tokio::test]
async fn a_revoked_api_token_lets_nobody_in_any_more() {
    let Replicas { world, other, .. } = Replicas::new().await;
    let token =
        world.app.issue_api_token.run(world.member.account_id, TokenReach::Account, None).await.unwrap();
    let lets_in = async |app: &UseCases| app.authenticate.run(token.secret.expose(), None).await.is_ok();
    assert!(lets_in(&world.app).await && lets_in(&other).await);
    world.app.revoke_api_token.run(token.token.id).await.unwrap();
    assert!(!lets_in(&world.app).await);
    world.clock.advance(PROMISE);
    assert!(!lets_in(&other).await);
}

#[tokio::test]
async fn a_token_that_another_replica_has_refreshed_is_handed_out_everywhere() {
    let replicas = Replicas::new().await;
    replicas.world.pass(3570);
    let [here, there] = replicas.after_a_change().await;
    assert_eq!((here.unwrap(), there.unwrap()), ("access-2".to_owned(), "access-2".to_owned()));
}

#[tokio::test]
async fn a_token_in_memory_is_sealed_and_opened_for_each_hand_out() {
    let replicas = Replicas::new().await;
    let before = replicas.world.sealer.opened();
    for _ in 0..3 {
        replicas.lend(&replicas.world.app).await.unwrap();
    }
    assert_eq!(replicas.world.sealer.opened() - before, 3);
}
