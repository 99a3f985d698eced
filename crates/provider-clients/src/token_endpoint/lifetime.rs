//! `expires_in` in all its spellings.

use std::time::Duration;

use serde_json::Value;

/// A lifetime beyond this is no information, or a date by mistake.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Reads a lifetime in seconds: a number, with or without a fraction, or the same as text. What is zero or negative is
/// over at once; what is absurdly long or not a number at all counts as not said.
pub(super) fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    if seconds <= 0.0 {
        return Some(Duration::ZERO);
    }
    // Not a number and infinity fail here.
    let lifetime = Duration::try_from_secs_f64(seconds.floor()).ok()?;
    (lifetime <= LONGEST).then_some(lifetime)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_spelling_is_read() {
        for (value, seconds) in [
            (json!(3600), Some(3600)),
            (json!(3600.9), Some(3600)),
            (json!("3600"), Some(3600)),
            (json!(" 3600 "), Some(3600)),
            (json!("3600.0"), Some(3600)),
            (json!("3.6e3"), Some(3600)),
            (json!(0), Some(0)),
            (json!(-1), Some(0)),
            (json!("-1"), Some(0)),
            (json!(0.5), Some(0)),
            (json!(315_360_000), Some(315_360_000)),
            (json!(315_360_001), None),
            (json!(1_u64 << 53), None),
            (json!(u64::MAX), None),
            (json!(f64::MAX), None),
            (json!("inf"), None),
            (json!("-inf"), Some(0)),
            (json!("NaN"), None),
            (json!("soon"), None),
            (json!(""), None),
            (json!(true), None),
            (json!([3600]), None),
            (json!({}), None),
        ] {
            assert_eq!(lifetime(&value), seconds.map(Duration::from_secs), "{value}");
        }
    }

    proptest! {
        #[test]
        fn number_and_text_mean_the_same(seconds: i64) {
            prop_assert_eq!(lifetime(&json!(seconds)), lifetime(&json!(seconds.to_string())));
        }
    }
}
