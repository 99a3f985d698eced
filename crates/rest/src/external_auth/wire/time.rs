//! Times on the wire: RFC 3339 with `Z`.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

/// A time on the wire.
pub(super) struct Time(pub(super) DateTime<Utc>);

impl Time {
    /// How published clients write that there is none: the zero time of their language.
    const NONE: Self =
        Self(DateTime::from_timestamp_secs(-62_135_596_800).expect("the first second of the year 1"));

    /// A time, or that there is none.
    pub(super) fn or_none(time: Option<DateTime<Utc>>) -> Self {
        time.map_or(Self::NONE, Self)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_the_zero_time_of_published_clients() {
        assert_eq!(serde_json::to_value(Time::or_none(None)).unwrap(), "0001-01-01T00:00:00Z");
        let time = "2026-01-01T00:00:00.000001Z";
        assert_eq!(serde_json::to_value(Time::or_none(time.parse().ok())).unwrap(), time);
    }
}
