//! `config check`.

use std::fmt;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::cli::GlobalOptions;
use crate::effective_settings;
use crate::failure::Failure;
use crate::wiring;

/// Check whether `serve` can work with this configuration, and show the settings in effect, without secrets.
#[derive(Debug, Args)]
pub(crate) struct ConfigCheck {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checked {
    /// The name of the key, which says nothing about it.
    key_id: String,
    warnings: Vec<String>,
    settings: Value,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(f, "# warning: {warning}")?;
        }
        writeln!(f, "# the key's id is {}", self.key_id)?;
        f.write_str(&effective_settings::lines(&self.settings).join("\n"))
    }
}

impl ConfigCheck {
    pub(super) fn run(options: &GlobalOptions) -> Result<Checked, Failure> {
        let settings = options.settings(&[])?;
        let (_, key) = settings.for_serving()?;
        let key = wiring::master_key(&settings, &key)?;
        Ok(Checked {
            key_id: key.id().to_string(),
            warnings: settings.warnings.clone(),
            settings: effective_settings::of(&settings),
        })
    }
}
