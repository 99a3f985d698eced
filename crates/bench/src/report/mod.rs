//! How figures are told: tables for people, JSON for everything else.

mod table;

use std::fs;
use std::path::Path;

use serde::Serialize;

pub(crate) use self::table::Table;
use crate::failure::{Failure, while_doing};
use crate::figures::Spread;

/// Of the form of the documents.
pub(crate) const VERSION: u32 = 2;

/// Writes a report as JSON, where that was asked for.
pub(crate) fn write(report: &impl Serialize, file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = file else {
        return Ok(());
    };
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    fs::write(file, text).map_err(while_doing(format!("writing {}", file.display())))
}

/// A figure that there may not be.
pub(crate) fn or_none(value: Option<Spread>, show: fn(f64) -> String) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| spread(value, show))
}

/// A median, with the lowest and the highest where they differ.
pub(crate) fn spread(value: Spread, show: impl Fn(f64) -> String) -> String {
    let (median, lowest, highest) = (show(value.median), show(value.lowest), show(value.highest));
    if lowest == highest { median } else { format!("{median} ({lowest}–{highest})") }
}

/// Microseconds, as milliseconds.
pub(crate) fn millis(micros: f64) -> String {
    format!("{:.2}", micros / 1_000.0)
}

/// Bytes, as millions of them.
pub(crate) fn megabytes(bytes: f64) -> String {
    tenths(bytes / 1e6)
}

/// With two digits.
pub(crate) fn hundredths(number: f64) -> String {
    format!("{number:.2}")
}

/// With one digit.
pub(crate) fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

/// Without digits.
pub(crate) fn whole(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are small and positive"
    )]
    grouped(number.round() as u64)
}

/// With a comma before every three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_have_commas() {
        assert_eq!(grouped(5_000_000), "5,000,000");
        assert_eq!(grouped(999), "999");
        assert_eq!(whole(1_234.5), "1,235");
    }

    #[test]
    fn times_and_memory_have_the_digits_that_matter() {
        assert_eq!(millis(420.4), "0.42");
        assert_eq!(megabytes(29_960_000.0), "30.0");
        let figure = Spread { median: 0.5, lowest: 0.25, highest: 1.0 };
        assert_eq!(spread(figure, hundredths), "0.50 (0.25–1.00)");
        assert_eq!(spread(Spread::single(0.5), hundredths), "0.50");
        assert_eq!(or_none(None, hundredths), "n/a");
    }
}
