//! `migrate`.

use std::fmt;

use clap::Args;
use grantkeeper_store_diesel::DieselStore;
use serde::Serialize;

use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::wiring;

/// Bring the database's schema up to date; `serve` does so by itself on SQLite.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Show what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Migrations {
    dry_run: bool,
    /// What was pending before.
    migrations: Vec<String>,
}

impl fmt::Display for Migrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.migrations.is_empty() {
            return f.write_str("the schema is up to date");
        }
        f.write_str(if self.dry_run {
            "these migrations would be run:"
        } else {
            "these migrations were run:"
        })?;
        self.migrations.iter().try_for_each(|name| write!(f, "\n  {name}"))
    }
}

impl Migrate {
    pub(super) async fn run(&self, options: &GlobalOptions) -> Result<Migrations, Failure> {
        let settings = options.settings(&[])?;
        let url = settings.database_url.as_str();
        let migrations = DieselStore::pending_migrations(url).await?;
        if !self.dry_run {
            wiring::migrate(&settings).await?;
        }
        Ok(Migrations { dry_run: self.dry_run, migrations })
    }
}
