//! Where it was measured.

use std::fmt;
use std::fs;

use serde::Serialize;

use crate::options::cores;

/// The machine, before anything is measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// How many threads it runs at once.
    pub(crate) cores: usize,
    /// `linux`, `macos`.
    pub(crate) os: &'static str,
    /// `x86_64`, `aarch64`.
    pub(crate) architecture: &'static str,
    /// What else it did in the last minute, as Linux tells it.
    pub(crate) load_average: Option<f64>,
}

impl Machine {
    /// This one, as it is now.
    pub(crate) fn here() -> Self {
        let load_average = fs::read_to_string("/proc/loadavg").ok();
        Self {
            cores: cores(),
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            load_average: load_average.and_then(|line| line.split(' ').next()?.parse().ok()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cores", self.cores)?;
        match self.load_average {
            Some(load) => write!(f, " (load {load} before)"),
            None => Ok(()),
        }
    }
}
