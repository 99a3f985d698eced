//! An operator suspends an account: within a moment its tokens open nothing any more, at every process.

use reqwest::StatusCode;

use super::at_either_provider;
use super::client::assert_refused;
use super::world::LoginWorld;
use crate::waiting::eventually;

at_either_provider!(a_token_of_a_suspended_account_opens_nothing);

async fn a_token_of_a_suspended_account_opens_nothing(world: LoginWorld) {
    let alice = world.signed_in("alice").await;
    let bob = world.signed_in("bob").await;
    // It has been seen, so that whoever remembers would remember it.
    assert_eq!(world.apis(&alice.secret).await, [StatusCode::OK; 2]);
    world.installation.run(&["account", "suspend", &alice.account]);
    eventually("the token to open nothing", async || {
        let closed = world.apis(&alice.secret).await == [StatusCode::UNAUTHORIZED; 2];
        let unknown = world.client.current(&alice.secret).await.0 == StatusCode::UNAUTHORIZED;
        (closed && unknown).then_some(())
    })
    .await;
    let token = world.access_token("alice").await;
    assert_refused(&world.client.exchange("github", &token).await, StatusCode::FORBIDDEN);
    assert_eq!(world.apis(&bob.secret).await, [StatusCode::OK; 2]);
    world.installation.run(&["account", "resume", &alice.account]);
    eventually("the token to work again", async || {
        (world.apis(&alice.secret).await == [StatusCode::OK; 2]).then_some(())
    })
    .await;
}
