//! Runs the simulated providers alone, until they are killed: `standalone [address] [--auto-consent]`.

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
    println!("The issuer of the plain provider is {url}. The sites:\n");
    for site in simulator.sites() {
        println!("  {:<24} {}", site.name(), site.mounts().join("\n                           "));
    }
    println!("\n  curl {url}/.well-known/openid-configuration");
    println!("  curl {url}/control/stats");
    println!("  curl {url}/control/faults -d '{{\"where\":\"token\",\"status\":503}}'");
    println!("  curl {url}/control/sites/github/settings -d '{{\"githubApp\":true}}'");
    loop {
        std::thread::park();
    }
}
