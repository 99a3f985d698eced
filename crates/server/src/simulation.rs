//! The simulated provider beside the service.

use grantkeeper_config::Settings;
use grantkeeper_provider_simulator::{Simulator, SimulatorOptions};

use crate::failure::Failure;

/// Starts the simulated provider where the settings switch it on.
pub(crate) fn start(settings: &Settings) -> Result<Option<Simulator>, Failure> {
    let simulator = &settings.simulator;
    if !simulator.enabled {
        return Ok(None);
    }
    let options = SimulatorOptions {
        listen: simulator.listen,
        auto_consent: simulator.auto_consent,
        ..SimulatorOptions::default()
    };
    let started = Simulator::start(options).map_err(|error| {
        Failure::from(error).in_context(format_args!(
            "the simulated provider cannot listen on {} (simulator.listen)",
            simulator.listen
        ))
    })?;
    Ok(Some(started))
}
