//! Many clients wait for people, and leave.

use reqwest::StatusCode;

use super::upstream::Upstream;
use super::world::LoginWorld;
use crate::stores::StoreKind;
use crate::waiting::eventually;

const MANY: usize = 200;

/// Each waits on a connection of its own; what stays open when they are gone would stay so until the codes end.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn waits_end_when_their_clients_leave() {
    let world = LoginWorld::around(Upstream::simulated(600), StoreKind::Sqlite, &[]).await;
    // One after the other, over one connection.
    let mut devices = Vec::new();
    while devices.len() < MANY {
        devices.push(world.client.start_device().await);
    }
    let before = world.running.sockets();
    let waiting: Vec<_> = devices
        .iter()
        .map(|device| {
            let request =
                super::client::LoginClient::at(&world.client.base).request_to_complete(&device.session);
            tokio::spawn(request.send())
        })
        .collect();
    eventually("all of them to wait", async || (world.running.sockets() >= before + MANY).then_some(()))
        .await;
    // They are in the way of nobody: not of the database's four connections, and not of the threads.
    assert_eq!(world.running.get("/readyz").await.0, StatusCode::OK);
    assert!(waiting.iter().all(|one| !one.is_finished()));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    eventually("their connections to end", async || (world.running.sockets() <= before).then_some(())).await;
    let polls = world.upstream.polls().await;
    let device = world.client.start_device().await;
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    super::client::SignedIn::read(&world.client.complete(&device.session).await);
    let more = world.upstream.polls().await - polls;
    assert!(more < 10, "nobody asks for those who have left, and {more} did");
}
