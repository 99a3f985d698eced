//! Machines that wait until a person has linked an account.

#[cfg(target_os = "linux")]
use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU8, Ordering},
};

use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::client::LinkClient;
use super::world::{LinkWorld, PROVIDER};
use crate::callers::approve;
use crate::stores::{StoreKind, on_either_store};
use crate::waiting::eventually;

#[cfg(target_os = "linux")]
on_either_store!(a_machine_that_listens_gets_the_token_as_soon_as_the_person_has_linked);

/// Any value does.
fn listening() -> String {
    format!("id={PROVIDER}&listen=&match=")
}

/// A call that waits.
type Waiting = JoinHandle<Result<Response, reqwest::Error>>;

fn listen(machine: &LinkClient) -> Waiting {
    tokio::spawn(machine.request_access(&listening()).send())
}

/// A call that waits, and has arrived: it comes from an address of its own, so that the system tells when it was accepted.
#[cfg(target_os = "linux")]
async fn listen_and_arrive(machine: &LinkClient) -> Waiting {
    static CALLS: AtomicU8 = AtomicU8::new(1);
    let [.., process] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 77, process, CALLS.fetch_add(1, Ordering::Relaxed));
    let waiting = listen(&machine.calling_from(address));
    eventually("the call to arrive", async || has_arrived(address).then_some(())).await;
    waiting
}

/// Whether a process has accepted a connection from there: it is in the system's table with an inode (`man 5 proc_pid_net`).
#[cfg(target_os = "linux")]
fn has_arrived(address: Ipv4Addr) -> bool {
    let remote = format!("{:08X}:", u32::from_ne_bytes(address.octets()));
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let mut rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.any(|row| row[2].starts_with(&remote) && row[9] != "0")
}

/// What the call hears in half a minute: sooner than it looks by itself, which is after one.
async fn heard(waiting: Waiting) -> (StatusCode, Value) {
    eventually("the call to hear of it", async || waiting.is_finished().then_some(())).await;
    let response = waiting.await.unwrap().unwrap();
    (response.status(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[cfg(target_os = "linux")]
async fn a_machine_that_listens_gets_the_token_as_soon_as_the_person_has_linked(store: StoreKind) {
    let world = LinkWorld::on(store).await;
    let waiting = listen_and_arrive(&world.agent).await;
    // All that a person does, but the last step.
    let page = world.member.start_flow(&world.provider).await;
    let location = approve(&world.member.http, &page).await;
    assert!(!waiting.is_finished(), "there is nothing yet");
    let (status, completed) = world.member.complete(&world.provider, &location).await;
    assert_eq!(status, StatusCode::OK, "{completed}");
    let (status, access) = heard(waiting).await;
    assert_eq!(status, StatusCode::OK, "{access}");
    let id = completed["authorizedProvider"]["id"].as_str().unwrap();
    assert_eq!(access["access_token"], world.member.lent(id, "").await);
    // Who listens when there is a link does not wait.
    assert_eq!(world.agent.lent(&listening()).await, access["access_token"].as_str().unwrap());
}

/// Nobody tells the one process what the other has done but the database that they share.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_listens_at_one_process_hears_what_another_has_linked() {
    let world = LinkWorld::on(StoreKind::Postgres).await;
    let other = world.installation.serve_with(&["--listen", "127.0.0.1:0"]).await;
    let waiting = listen_and_arrive(&world.agent.at_process(&other)).await;
    let id = world.member.authorize_unattended(&world.provider).await;
    let (status, access) = heard(waiting).await;
    assert_eq!(status, StatusCode::OK, "{access}");
    assert_eq!(access["access_token"], world.member.lent(&id, "").await);
}

const MANY: usize = 100;

/// Each waits on a connection of its own; what stays open when they are gone would stay so until their time is up.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn waits_end_when_their_clients_leave() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    let before = world.running.sockets();
    let waiting: Vec<_> = (0..MANY).map(|_| listen(&world.agent)).collect();
    let all_wait = async || (world.running.sockets() >= before + MANY).then_some(());
    eventually("all of them to wait", all_wait).await;
    // They are in the way of nobody: not of the database's four connections, and not of the threads.
    assert_eq!(world.running.get("/readyz").await.0, StatusCode::OK);
    assert!(waiting.iter().all(|one| !one.is_finished()));
    waiting.iter().for_each(JoinHandle::abort);
    let all_left = async || (world.running.sockets() <= before).then_some(());
    eventually("their connections to end", all_left).await;
}

/// Whoever waits hears that at once, and asks again.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_waits_for_no_person() {
    let LinkWorld { installation, running, agent, links, .. } = LinkWorld::on(StoreKind::Sqlite).await;
    let waiting = listen_and_arrive(&agent).await;
    // What is answered later was asked later.
    links.list().await;
    assert!(!waiting.is_finished());
    assert_eq!(running.terminate().await, Some(0));
    let stopped = waiting.await.unwrap().unwrap();
    assert_eq!(stopped.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stopped.headers()["retry-after"], "1");
    assert!(!installation.log().contains("not every request ended"));
}

/// Published clients ask again after any error, and would take a 200 for a token.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_has_waited_long_enough_is_told_to_ask_again() {
    let world = LinkWorld::with(StoreKind::Sqlite, &[("EXTERNAL_AUTH__LISTEN_LIMIT", "1")]).await;
    let (status, told) = world.agent.access(&listening()).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{told}");
    assert!(told["message"].as_str().unwrap().contains("ask again"), "{told}");
}
