//! Runs the simulated provider alone, until it is killed: `standalone [address] [--auto-consent]`.

use std::net::SocketAddr;

use grantkeeper_provider_simulator::{Simulator, SimulatorOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = SimulatorOptions::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--auto-consent" => options.auto_consent = true,
            address => options.listen = address.parse::<SocketAddr>()?,
        }
    }
    let simulator = Simulator::start(options)?;
    let url = simulator.url();
    println!("The issuer is {url}\n");
    println!("  curl {url}/.well-known/openid-configuration");
    println!("  curl {url}/control/stats");
    println!("  curl {url}/control/faults -d '{{\"where\":\"token\",\"status\":503}}'");
    loop {
        std::thread::park();
    }
}
