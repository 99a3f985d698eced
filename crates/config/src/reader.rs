//! Reads typed values out of the merged layers and notes what is wrong with them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use config::{Config, Value, ValueKind};

use crate::layer::Layer;
use crate::problem::{ConfigErrors, Problem};

/// A setting that is missing or wrong reads as `None`, and the section goes on with its default: so all problems
/// come to light at once. Which keys exist is exactly which keys are read.
pub(crate) struct Reader {
    merged: Value,
    known: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Reader {
    /// Merges the layers, the strongest last; `problems` are those of reading them.
    pub(crate) fn over(layers: &[Layer], problems: Vec<Problem>) -> Self {
        let builder =
            layers.iter().fold(Config::builder(), |builder, layer| builder.add_source(layer.clone()));
        let merged = builder.build().expect("a layer that has been read can be collected").cache;
        Self { merged, known: BTreeSet::new(), problems }
    }

    /// A text, as `parse` understands it; its error says what to give instead.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(&self.text(key)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.problem(key, message);
                None
            }
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        match self.value(key)?.kind {
            ValueKind::String(text) => Some(text),
            _ => self.refuse(key, "give a text, in quotes"),
        }
    }

    /// A whole number of the range, which counts `what`.
    pub(crate) fn number(&mut self, key: &str, range: &RangeInclusive<u64>, what: &str) -> Option<u64> {
        let given = self.value(key)?.kind;
        let number = match &given {
            ValueKind::I64(number) => u64::try_from(*number).ok(),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => self.refuse(
                key,
                &format!(
                    "{} does not do; give {what}, a whole number from {} to {}",
                    shown(&given),
                    range.start(),
                    range.end()
                ),
            ),
        }
    }

    /// A duration in whole seconds.
    pub(crate) fn seconds(&mut self, key: &str, range: &RangeInclusive<u64>) -> Option<Duration> {
        self.number(key, range, "seconds").map(Duration::from_secs)
    }

    /// `true` or `false`.
    pub(crate) fn switch(&mut self, key: &str) -> Option<bool> {
        let given = self.value(key)?.kind;
        let on = match &given {
            ValueKind::Boolean(on) => Some(*on),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        on.or_else(|| self.refuse(key, &format!("{} is neither true nor false", shown(&given))))
    }

    /// A list, each entry of which `parse` understands. Outside of a file its entries are separated by commas.
    pub(crate) fn list<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for entry in self.entries(key)? {
            match parse(entry.trim()) {
                Ok(value) => list.push(value),
                Err(message) => self.problem(key, format!("{entry:?}: {message}")),
            }
        }
        Some(list)
    }

    fn entries(&mut self, key: &str) -> Option<Vec<String>> {
        let entries = match self.value(key)?.kind {
            ValueKind::Array(entries) => entries.into_iter().map(text_of).collect(),
            ValueKind::String(text) => Some(text.split(',').map(str::to_owned).collect()),
            _ => None,
        };
        entries.or_else(|| self.refuse(key, "give a list of texts"))
    }

    /// Notes a problem with the value of a key.
    pub(crate) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let problem = Problem::with(key, self.origin(key), message);
        self.problems.push(problem);
    }

    /// Where the value of a key came from.
    pub(crate) fn origin(&self, key: &str) -> Option<&str> {
        self.find(key)?.origin()
    }

    fn refuse<T>(&mut self, key: &str, message: &str) -> Option<T> {
        self.problem(key, message);
        None
    }

    fn value(&mut self, key: &str) -> Option<Value> {
        self.known.insert(key.to_owned());
        self.find(key).cloned()
    }

    fn find(&self, key: &str) -> Option<&Value> {
        let found = key.split('.').try_fold(&self.merged, |value, name| match &value.kind {
            ValueKind::Table(table) => table.get(name),
            _ => None,
        })?;
        // A table where a value should be: the keys in it are unknown, and reported as such.
        (!matches!(found.kind, ValueKind::Table(_))).then_some(found)
    }

    /// Ends the reading: keys that were never asked for are unknown.
    pub(crate) fn finish<T>(mut self, layers: &[Layer], settings: T) -> Result<T, ConfigErrors> {
        for layer in layers {
            for (key, value) in &layer.values {
                if !self.known.contains(key) {
                    self.problems.push(Problem::with(key, value.origin(), self.alternatives(key)));
                }
            }
            for (section, origin) in &layer.sections {
                let inside = format!("{section}.");
                let empty = !layer.values.keys().any(|key| key.starts_with(&inside));
                if empty && !self.known.iter().any(|key| key.starts_with(&inside)) {
                    self.problems.push(Problem::with(section, Some(origin), self.alternatives(section)));
                }
            }
        }
        if self.problems.is_empty() { Ok(settings) } else { Err(ConfigErrors::of(self.problems)) }
    }

    /// What there is instead of an unknown key: the names beside it, in the nearest section that exists.
    fn alternatives(&self, unknown: &str) -> String {
        let mut section = unknown;
        loop {
            section = section.rsplit_once('.').map_or("", |(parent, _)| parent);
            let inside = if section.is_empty() { String::new() } else { format!("{section}.") };
            let names: BTreeSet<_> = self
                .known
                .iter()
                .filter_map(|key| key.strip_prefix(&inside))
                .map(|rest| rest.split('.').next().unwrap_or(rest))
                .collect();
            if !names.is_empty() || section.is_empty() {
                let place =
                    if section.is_empty() { "at the top".to_owned() } else { format!("in [{section}]") };
                let names = names.into_iter().collect::<Vec<_>>().join(", ");
                return format!("unknown key; {place} there are {names}");
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn known(&self) -> &BTreeSet<String> {
        &self.known
    }
}

/// A value as it is repeated in a message.
fn shown(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

fn text_of(value: Value) -> Option<String> {
    match value.kind {
        ValueKind::String(text) => Some(text),
        _ => None,
    }
}
