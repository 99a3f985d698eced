//! The layers: a file, the environment, overrides. Each is read into dotted keys, whose values know their origin.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use config::{ConfigError, FileFormat, Format as _, Map, Source, Value, ValueKind};

use crate::problem::Problem;

const PREFIX: &str = "GRANTKEEPER_";
const SHORT_NAMES: [(&str, &str); 2] = [("key", "keys.key"), ("key_file", "keys.file")];

/// What one source says.
#[derive(Clone, Default)]
pub(crate) struct Layer {
    /// Everything but tables, by dotted key.
    pub(crate) values: BTreeMap<String, Value>,
    /// The origin of every table, by dotted key.
    pub(crate) sections: BTreeMap<String, String>,
}

impl Layer {
    /// Reads a TOML file.
    pub(crate) fn from_file(path: &Path, problems: &mut Vec<Problem>) -> Self {
        let origin = file_origin(path);
        let mut layer = Self::default();
        match read_toml(path, &origin) {
            Ok(table) => layer.flatten("", table, &origin),
            Err(message) => problems.push(Problem::of_source(&origin, message)),
        }
        layer
    }

    fn flatten(&mut self, parent: &str, table: Map<String, Value>, origin: &str) {
        for (name, value) in table {
            let key = if parent.is_empty() { name } else { format!("{parent}.{name}") };
            if let ValueKind::Table(table) = value.kind {
                self.flatten(&key, table, origin);
                self.sections.insert(key, origin.to_owned());
            } else {
                self.values.insert(key, value);
            }
        }
    }

    /// Reads the variables that begin with `GRANTKEEPER_`.
    pub(crate) fn from_environment(
        variables: impl Iterator<Item = (String, String)>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut layer = Self::default();
        for (variable, text) in variables {
            let Some(key) = key_of(&variable) else { continue };
            // Compose files and charts set a variable to nothing where they mean not to set it.
            if text.is_empty() {
                continue;
            }
            let origin = format!("environment variable {variable}");
            if let Some(other) = layer.values.get(&key) {
                let message =
                    format!("also given by {}: keep one of them", other.origin().unwrap_or_default());
                problems.push(Problem::with(&key, Some(&origin), message));
                continue;
            }
            layer.values.insert(key, Value::new(Some(&origin), text));
        }
        layer
    }

    /// Takes overrides; of two for one key the later counts.
    pub(crate) fn from_overrides(overrides: &[(String, String)]) -> Self {
        let origin = FLAG.to_owned();
        let values =
            overrides.iter().map(|(key, text)| (key.clone(), Value::new(Some(&origin), text.clone())));
        Self { values: values.collect(), sections: BTreeMap::new() }
    }
}

/// The origin of overrides.
pub(crate) const FLAG: &str = "flag";

/// The origin of what stands in a file.
pub(crate) fn file_origin(path: &Path) -> String {
    format!("file {}", path.display())
}

/// What is for other programs and for commands that are clients of a service, and no setting of one.
const NO_SETTINGS: [&str; 5] = ["CONFIG", "PORT", "URL", "TOKEN", "GIT_WAIT"];

/// The key that a variable sets, in lower case; `None` when the variable is none of ours.
fn key_of(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(PREFIX)?;
    if NO_SETTINGS.contains(&name) || name.starts_with("PORT_") || name.starts_with("SERVICE_") {
        return None;
    }
    let key = name.to_ascii_lowercase().replace("__", ".");
    let short = SHORT_NAMES.iter().find(|(short, _)| *short == key);
    Some(short.map_or(key, |(_, long)| (*long).to_owned()))
}

fn read_toml(path: &Path, origin: &str) -> Result<Map<String, Value>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    FileFormat::Toml
        .parse(Some(&origin.to_owned()), &text)
        .map_err(|error| without_excerpt(&error.to_string()))
}

/// A TOML error begins with the position and three lines that show the text there. The text may be a key.
fn without_excerpt(error: &str) -> String {
    let mut lines = error.lines();
    match (lines.next(), lines.next()) {
        (Some(position), Some(gutter)) if gutter.trim() == "|" => {
            let message: Vec<_> = lines.skip(2).collect();
            format!("{position}: {}", message.join(" "))
        }
        _ => error.to_owned(),
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    /// Only plain keys are handed on: the `config` crate takes others, such as `a[0]`, for paths into lists.
    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let plain =
            |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        Ok(self
            .values
            .iter()
            .filter(|(key, _)| plain(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }
}

/// Without the values, of which one may be the key.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_name_keys() {
        let table = [
            ("GRANTKEEPER_LISTEN", Some("listen")),
            ("GRANTKEEPER_TOKENS__CALLER_WAIT", Some("tokens.caller_wait")),
            ("GRANTKEEPER_PROVIDERS__OIDC__TOKEN_URL", Some("providers.oidc.token_url")),
            ("GRANTKEEPER_LOGIN__PROVIDERS__GITHUB__SCOPES", Some("login.providers.github.scopes")),
            ("GRANTKEEPER_KEY", Some("keys.key")),
            ("GRANTKEEPER_KEYS__KEY", Some("keys.key")),
            ("GRANTKEEPER_KEY_FILE", Some("keys.file")),
            ("GRANTKEEPER_CONFIG", None),
            ("GRANTKEEPER_URL", None),
            ("GRANTKEEPER_TOKEN", None),
            ("GRANTKEEPER_GIT_WAIT", None),
            ("GRANTKEEPER_TOKENS", Some("tokens")),
            ("GRANTKEEPER_PORT", None),
            ("GRANTKEEPER_PORT_8080_TCP_ADDR", None),
            ("GRANTKEEPER_SERVICE_HOST", None),
            ("GRANTKEEPER_SERVICE_PORT_HTTP", None),
            ("GRANTKEEPERLISTEN", None),
            ("LISTEN", None),
        ];
        for (variable, key) in table {
            assert_eq!(key_of(variable).as_deref(), key, "{variable}");
        }
    }

    #[test]
    fn a_layer_shows_no_values() {
        let layer = Layer::from_overrides(&[("keys.key".to_owned(), "gkk_secret".to_owned())]);
        assert_eq!(format!("{layer:?}"), r#"{"keys.key"}"#);
    }
}
