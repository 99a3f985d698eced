//! Reads typed values out of the merged layers and notes what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use config::{Config, Value, ValueKind};

use crate::layer::Layer;
use crate::problem::{ConfigErrors, Problem};

/// A setting that is missing or wrong reads as `None`, and the section goes on with its default: so all problems
/// come to light at once. Which keys exist is exactly which keys are read.
pub(crate) struct Reader {
    merged: Value,
    /// Every table by its dotted key, with its origin.
    tables: BTreeMap<String, Option<String>>,
    refused_tables: Vec<String>,
    known: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Reader {
    /// Merges the layers, the strongest last; `problems` are those of reading them.
    pub(crate) fn over(layers: &[Layer], problems: Vec<Problem>) -> Self {
        let builder =
            layers.iter().fold(Config::builder(), |builder, layer| builder.add_source(layer.clone()));
        let merged = builder.build().expect("a layer that has been read can be collected").cache;
        Self { merged, tables: tables(layers), refused_tables: Vec::new(), known: BTreeSet::new(), problems }
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

    /// The same of a setting that has to be given; `what` says what it is.
    pub(crate) fn needed<T>(
        &mut self,
        key: &str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = self.parsed(key, parse);
        if self.find(key).is_none() {
            self.problems.push(Problem::missing(key, format!("not given; {what}")));
        }
        parsed
    }

    /// The names of the tables in a section where the operator gives the names, those that `parse` understands.
    /// `placeholder` stands for a name where it is told what there is.
    pub(crate) fn tables(
        &mut self,
        section: &str,
        placeholder: &str,
        parse: impl Fn(&str) -> Result<String, String>,
    ) -> Vec<String> {
        let inside = format!("{section}.");
        self.known.insert(format!("{inside}{placeholder}"));
        let below = self.tables.keys().filter_map(|table| table.strip_prefix(&inside));
        let given: Vec<_> = below.filter(|name| !name.contains('.')).map(str::to_owned).collect();
        let mut names = Vec::new();
        for name in given {
            match parse(&name) {
                Ok(name) => names.push(name),
                Err(message) => self.refuse_table(&format!("{inside}{name}"), message),
            }
        }
        names
    }

    /// What is in it is not looked at, and not told of.
    fn refuse_table(&mut self, table: &str, message: String) {
        self.problems.push(Problem::with(table, self.tables[table].as_deref(), message));
        self.refused_tables.push(format!("{table}."));
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
        let entries = self.entries(key)?;
        let mut list = Vec::with_capacity(entries.len());
        for entry in &entries {
            match parse(entry.trim()) {
                Ok(value) => list.push(value),
                Err(message) => self.problem(key, format!("{entry:?}: {message}")),
            }
        }
        (list.len() == entries.len()).then_some(list)
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
                let is_refused = self.refused_tables.iter().any(|table| key.starts_with(table));
                if !is_refused && !self.known.contains(key) {
                    self.problems.push(Problem::with(key, value.origin(), self.alternatives(key)));
                }
            }
            for (section, origin) in &layer.sections {
                let inside = format!("{section}.");
                if self.refused_tables.iter().any(|table| inside.starts_with(table)) {
                    continue;
                }
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

/// The tables of all layers, those included that only the names of what is in them tell of.
fn tables(layers: &[Layer]) -> BTreeMap<String, Option<String>> {
    let mut tables = BTreeMap::new();
    for layer in layers {
        let sections = layer.sections.iter().map(|(section, origin)| (section, Some(origin.as_str())));
        let values =
            layer.values.iter().filter_map(|(key, value)| Some((key.rsplit_once('.')?.0, value.origin())));
        let direct = sections.map(|(section, origin)| (section.as_str(), origin)).chain(values);
        for (table, origin) in direct {
            for (end, _) in table.match_indices('.').chain([(table.len(), "")]) {
                tables.insert(table[..end].to_owned(), origin.map(str::to_owned));
            }
        }
    }
    tables
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
