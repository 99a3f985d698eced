//! What is to be reached, and whether it was.

use std::fmt;

use serde::Serialize;

use crate::figures::Spread;
use crate::report::{Table, hundredths, spread, tenths, whole};

/// A figure beside what it has to be. The median decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Target {
    /// What is measured, for people.
    what: String,
    /// In what.
    unit: Unit,
    /// `None`: it cannot be known here.
    measured: Option<Spread>,
    /// What it has to be.
    #[serde(flatten)]
    bound: Bound,
    /// Whether it is.
    met: Option<bool>,
}

/// What a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    /// More is better.
    AtLeast(f64),
    /// Less is better.
    AtMost(f64),
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    /// Times as much as something else.
    #[serde(rename = "ratio")]
    Ratio,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Millions of bytes.
    #[serde(rename = "MB")]
    Megabytes,
    /// So many a second.
    #[serde(rename = "per second")]
    PerSecond,
    /// So much of the time of one core.
    #[serde(rename = "cores")]
    Cores,
}

impl Target {
    /// Judges a figure.
    pub(crate) fn judged(what: String, unit: Unit, measured: Option<Spread>, bound: Bound) -> Self {
        let met = measured.map(|measured| bound.holds(measured.median));
        Self { what, unit, measured, bound, met }
    }

    fn verdict(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "not known",
        }
    }
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(bound) => figure >= bound,
            Self::AtMost(bound) => figure <= bound,
        }
    }

    fn shown(self, unit: Unit) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", unit.shown(bound)),
            Self::AtMost(bound) => format!("≤ {}", unit.shown(bound)),
        }
    }
}

impl Unit {
    fn shown(self, figure: f64) -> String {
        match self {
            Self::Ratio | Self::Cores => hundredths(figure),
            Self::Milliseconds | Self::Megabytes => tenths(figure),
            Self::PerSecond => whole(figure),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ratio => "×",
            Self::Milliseconds => "ms",
            Self::Megabytes => "MB",
            Self::PerSecond => "/s",
            Self::Cores => "cores",
        }
    }
}

/// Targets as a table; nothing where there are none.
pub(crate) struct Targets<'a>(pub(crate) &'a [Target]);

impl fmt::Display for Targets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut table = Table::headed(&["targets", "measured", "", "wanted", ""]);
        for target in self.0 {
            let show = |figure| target.unit.shown(figure);
            table.add(vec![
                target.what.clone(),
                target.measured.map_or_else(|| "n/a".to_owned(), |measured| spread(measured, show)),
                target.unit.name().to_owned(),
                target.bound.shown(target.unit),
                target.verdict().to_owned(),
            ]);
        }
        write!(f, "\n{table}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(median: f64, bound: Bound) -> Target {
        let measured = Spread { median, lowest: 0.1, highest: 0.9 };
        Target::judged("hot : bare handler".to_owned(), Unit::Ratio, Some(measured), bound)
    }

    #[test]
    fn the_median_decides() {
        assert_eq!(judged(0.45, Bound::AtLeast(0.45)).met, Some(true));
        assert_eq!(judged(0.44, Bound::AtLeast(0.45)).met, Some(false));
        assert_eq!(judged(3.0, Bound::AtMost(3.0)).met, Some(true));
        assert_eq!(judged(3.1, Bound::AtMost(3.0)).met, Some(false));
    }

    #[test]
    fn people_read_what_was_wanted_and_whether_it_was_reached() {
        let unknown = Target::judged("memory".to_owned(), Unit::Megabytes, None, Bound::AtMost(30.0));
        let targets = [judged(0.4, Bound::AtLeast(0.45)), judged(2.0, Bound::AtMost(3.0)), unknown];
        let table = Targets(&targets).to_string();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert!(lines[0].contains("0.40 (0.10–0.90)") && lines[0].ends_with("≥ 0.45      MISSED"), "{table}");
        assert!(lines[1].ends_with("≤ 3.00         met"), "{table}");
        assert!(lines[2].contains("n/a") && lines[2].ends_with("≤ 30.0   not known"), "{table}");
        assert_eq!(Targets(&[]).to_string(), "");
    }

    #[test]
    fn programs_read_the_same() {
        let document = serde_json::to_value(judged(0.5, Bound::AtLeast(0.45))).unwrap();
        let expected = json!({
            "what": "hot : bare handler",
            "unit": "ratio",
            "measured": { "median": 0.5, "lowest": 0.1, "highest": 0.9 },
            "at_least": 0.45,
            "met": true,
        });
        assert_eq!(document, expected);
    }
}
