//! Lifetimes as people type them: `90d`, `12h`, `30m`, `45s`.

use std::time::Duration;

/// Reads a lifetime: a whole number above zero and its unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no lifetime; give one such as 90d, 12h, 30m or 45s");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        'd' => 24 * 60 * 60,
        'h' => 60 * 60,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - unit.len_utf8()];
    // `parse` would take a sign, too.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = digits.parse().map_err(|_| format!("{text:?} is too long a lifetime"))?;
    match number.checked_mul(seconds) {
        None => Err(format!("{text:?} is too long a lifetime")),
        Some(0) => Err("a lifetime of nothing is no lifetime".to_owned()),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let table = [("45s", 45), ("30m", 1_800), ("12h", 43_200), ("90d", 7_776_000), ("007s", 7)];
        for (text, seconds) in table {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let longest = format!("{}d", u64::MAX);
        for text in [
            "",
            "d",
            "90",
            "90 d",
            " 90d",
            "-1d",
            "+1d",
            "1.5h",
            "1w",
            "0s",
            "1ü",
            "999999999999999999999s",
            &longest,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
