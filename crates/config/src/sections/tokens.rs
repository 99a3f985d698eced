//! `[tokens]`.

use std::time::Duration;

use crate::reader::Reader;

/// How access tokens are kept fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// An access token that lives less than this is refreshed.
    pub freshness_margin: Duration,
    /// How long a caller waits for a provider: published clients give up after 5 s.
    pub caller_wait: Duration,
    /// How long an exchange or a refresh may take at a provider, with nobody waiting.
    pub upstream_limit: Duration,
    /// How long whoever refreshes a token may be silent before another replica takes over.
    pub refresh_lease: Duration,
    /// For how long after a hand-out the tokens of an authorization are refreshed ahead of their expiry.
    pub in_use_for: Duration,
    /// How many refreshes ahead of expiry are under way at one provider.
    pub refreshes_at_once: usize,
    /// How many refreshes ahead of expiry begin at one provider in a second.
    pub refreshes_per_second: u32,
    /// When a hand-out is in the audit log.
    pub hand_out_record: HandOutRecord,
}

/// When a hand-out is in the audit log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandOutRecord {
    /// Within 100 ms after the caller has the token.
    #[default]
    Within100Ms,
    /// Before the caller has the token.
    BeforeRelease,
}

impl HandOutRecord {
    const ALL: [Self; 2] = [Self::Within100Ms, Self::BeforeRelease];

    /// As the configuration names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Within100Ms => "within_100ms",
            Self::BeforeRelease => "before_release",
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is neither within_100ms nor before_release"))
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for Tokens {
    fn default() -> Self {
        Self {
            freshness_margin: Duration::from_secs(60),
            caller_wait: Duration::from_secs(4),
            upstream_limit: Duration::from_secs(30),
            refresh_lease: Duration::from_secs(15),
            in_use_for: DAY * 7,
            refreshes_at_once: 32,
            refreshes_per_second: 100,
            hand_out_record: HandOutRecord::default(),
        }
    }
}

impl Tokens {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            freshness_margin: reader
                .seconds("tokens.freshness_margin", &(0..=3_600))
                .unwrap_or(default.freshness_margin),
            caller_wait: reader.seconds("tokens.caller_wait", &(1..=4)).unwrap_or(default.caller_wait),
            upstream_limit: reader
                .seconds("tokens.upstream_limit", &(5..=30))
                .unwrap_or(default.upstream_limit),
            refresh_lease: reader.seconds("tokens.refresh_lease", &(1..=60)).unwrap_or(default.refresh_lease),
            in_use_for: reader
                .number("tokens.in_use_days", &(0..=3_650), "days")
                .and_then(|days| u32::try_from(days).ok())
                .map_or(default.in_use_for, |days| DAY * days),
            refreshes_at_once: reader
                .number("tokens.refreshes_at_once", &(1..=128), "the number of refreshes")
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(default.refreshes_at_once),
            refreshes_per_second: reader
                .number("tokens.refreshes_per_second", &(1..=100_000), "the number of refreshes")
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(default.refreshes_per_second),
            hand_out_record: reader
                .parsed("tokens.hand_out_record", HandOutRecord::parse)
                .unwrap_or(default.hand_out_record),
        }
    }
}
