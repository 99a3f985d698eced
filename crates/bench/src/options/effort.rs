//! For how long it is measured.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

/// For how long, as it is typed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Pace {
    /// How many rounds are measured; each takes all contenders in turns.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each contender is measured in a round; with 0 every connection sends one request.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    seconds: u32,
    /// How long each contender is warmed up first.
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    warm_up: u32,
    /// Three rounds of one second over small databases: to see that it works.
    #[arg(long, conflicts_with_all = ["rounds", "seconds", "warm_up"])]
    pub(crate) quick: bool,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Effort {
    /// How often all contenders are measured.
    pub(crate) rounds: u32,
    /// How long one of them is measured in a round.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(crate) length: Duration,
    /// How long it is warmed up before the first.
    #[serde(rename = "warm_up_seconds", serialize_with = "seconds")]
    pub(crate) warm_up: Duration,
}

impl Pace {
    /// How much is measured.
    pub(crate) fn effort(self) -> Effort {
        let second = Duration::from_secs(1);
        if self.quick {
            return Effort { rounds: 3, length: second, warm_up: Duration::ZERO };
        }
        Effort { rounds: self.rounds, length: second * self.seconds, warm_up: second * self.warm_up }
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}
