//! `[log]`.

use crate::reader::Reader;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// A filter directive: a level, or levels per module, as in `info,grantkeeper_rest=debug`.
    pub level: String,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Human, level: "info".to_owned() }
    }
}

impl Log {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            format: reader.parsed("log.format", format).unwrap_or(default.format),
            level: reader.parsed("log.level", directive).unwrap_or(default.level),
        }
    }
}

fn format(text: &str) -> Result<LogFormat, String> {
    match text {
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is not a format; give \"human\" or \"json\"")),
    }
}

/// Stricter than the filter itself, which takes a misspelt level for the name of a module and then logs nothing.
fn directive(text: &str) -> Result<String, String> {
    let understood = text.split(',').all(|part| {
        let (module, level) =
            part.trim().split_once('=').map_or((None, part.trim()), |(module, level)| (Some(module), level));
        LEVELS.contains(&level) && module.is_none_or(is_module)
    });
    if understood {
        Ok(text.to_owned())
    } else {
        let levels = LEVELS.join(", ");
        Err(format!(
            "{text:?} is not a filter; give one of {levels}, or levels per module as in \"info,grantkeeper_rest=debug\""
        ))
    }
}

fn is_module(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
}
