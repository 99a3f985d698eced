//! Times on the wire: RFC 3339 with `Z`, and no more digits of a second than there are.

use chrono::{DateTime, Datelike as _, SecondsFormat, Timelike as _, Utc};
use serde::{Serialize, Serializer};

/// A time on the wire.
pub(super) struct Time(pub(super) DateTime<Utc>);

/// Room for `2026-01-01T00:00:00.123456789Z`.
type Buffer = [u8; 30];

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match written(self.0, &mut Buffer::default()) {
            Some(text) => serializer.serialize_str(text),
            None => serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

/// A time in four-digit years, without a leap second: a hand-out has half a dozen of them, and writing these digits takes
/// a fifth of what chrono takes, which can write any time.
fn written(time: DateTime<Utc>, buffer: &mut Buffer) -> Option<&str> {
    let year = u32::try_from(time.year()).ok().filter(|year| *year <= 9_999)?;
    let nanos = Some(time.nanosecond()).filter(|nanos| *nanos < 1_000_000_000)?;
    let (fraction, digits) = match nanos {
        0 => (0, 0),
        nanos if nanos % 1_000_000 == 0 => (nanos / 1_000_000, 3),
        nanos if nanos % 1_000 == 0 => (nanos / 1_000, 6),
        nanos => (nanos, 9),
    };
    let mut end = 0;
    let mut write = |mut number: u32, digits: usize, then: u8| {
        for digit in buffer[end..end + digits].iter_mut().rev() {
            *digit = b"0123456789"[(number % 10) as usize];
            number /= 10;
        }
        buffer[end + digits] = then;
        end += digits + 1;
    };
    write(year, 4, b'-');
    write(time.month(), 2, b'-');
    write(time.day(), 2, b'T');
    write(time.hour(), 2, b':');
    write(time.minute(), 2, b':');
    if digits == 0 {
        write(time.second(), 2, b'Z');
    } else {
        write(time.second(), 2, b'.');
        write(fraction, digits, b'Z');
    }
    str::from_utf8(&buffer[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_has_as_many_digits_as_it_needs() {
        for text in [
            "0000-01-01T00:00:00Z",
            "2026-01-01T00:00:00.100Z",
            "2026-12-31T23:59:59.000001Z",
            "9999-10-20T07:08:09.123456789Z",
        ] {
            assert_eq!(serde_json::to_value(Time(at(text))).unwrap(), text);
        }
    }

    #[test]
    fn leap_seconds_and_far_years_are_written_too() {
        for text in ["2016-12-31T23:59:60Z", "+10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"] {
            assert_eq!(serde_json::to_value(Time(at(text))).unwrap(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_time_is_written_as_chrono_writes_it(
            seconds in -62_167_219_200_i64..253_402_300_800,
            nanos in 0_u32..1_000_000_000,
            step in proptest::sample::select(vec![1_u32, 1_000, 1_000_000, 1_000_000_000]),
        ) {
            let time = DateTime::from_timestamp(seconds, nanos / step * step).unwrap();
            let expected = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            let mut buffer = Buffer::default();
            proptest::prop_assert_eq!(written(time, &mut buffer), Some(expected.as_str()));
        }
    }
}
