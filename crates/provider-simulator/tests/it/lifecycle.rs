//! Starting and stopping.

use std::io::ErrorKind;
use std::net::TcpListener;

use grantkeeper_provider_simulator::{Simulator, SimulatorOptions};
use reqwest::StatusCode;

use crate::browser::open;

fn listening_on(address: &str) -> SimulatorOptions {
    SimulatorOptions { listen: address.parse().expect("an address"), ..SimulatorOptions::default() }
}

#[test]
fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = Simulator::start(listening_on(address)).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("loopback") && error.to_string().contains(address));
    }
}

#[test]
fn an_address_in_use_is_an_error_at_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let error = Simulator::start(listening_on(&address)).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn it_starts_and_stops_inside_the_runtime_of_actix() {
    actix_web::rt::System::new().block_on(async {
        let browser = open();
        assert_eq!(browser.get("/jwks").await.status, StatusCode::OK);
        browser.simulator.stop().await;
        assert!(browser.try_get("/jwks").await.is_err());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_and_stops_inside_a_runtime_of_tokio() {
    let browser = open();
    assert_eq!(browser.get("/jwks").await.status, StatusCode::OK);
    browser.simulator.stop().await;
    assert!(browser.try_get("/jwks").await.is_err());
    assert_eq!(browser.simulator.stats().jwks_calls, 1, "what was recorded can still be read");
}

#[test]
fn it_starts_without_any_runtime() {
    let simulator = Simulator::start(SimulatorOptions::default()).expect("started");
    assert!(simulator.url().starts_with("http://127.0.0.1:"));
}
