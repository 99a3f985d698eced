//! A folder with all that the service needs: the operator's key, the database where it is a file, the logs.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use grantkeeper_token_sealing::MasterKey;
use tempfile::TempDir;

use crate::child::Server;
use crate::failure::{Failure, while_doing};
use crate::options::Program;
use crate::sequence::Sequence;

/// Token reads a minute; no setting may be higher.
const HIGHEST_LIMIT: &str = "6000000";

/// A folder that goes when this does.
pub(crate) struct Installation {
    folder: TempDir,
}

impl Installation {
    /// A folder with a key.
    pub(crate) fn new(random: &Sequence) -> Result<Self, Failure> {
        let installation = Self { folder: TempDir::with_prefix("grantkeeper-bench-")? };
        let key = MasterKey::generate(random);
        File::create_new(installation.key_file())?.write_all(key.to_text().expose().as_bytes())?;
        Ok(installation)
    }

    /// The key.
    pub(crate) fn key(&self) -> Result<MasterKey, Failure> {
        Ok(MasterKey::parse(&std::fs::read_to_string(self.key_file())?)?)
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of a database that is a file in the folder.
    pub(crate) fn sqlite_url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("grantkeeper.db").display())
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("grantkeeper.key")
    }

    /// Starts the service, with its default settings but for those that were asked for.
    pub(crate) fn serve(&self, database_url: &str, program: &Program) -> Result<Server, Failure> {
        let mut command = Command::new(service(program.service.as_deref())?);
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--public-url", "http://127.0.0.1:8080"]);
        for setting in &program.settings {
            command.args(["--set", setting]);
        }
        clean_environment(&mut command);
        command
            .current_dir(self.folder())
            .env("GRANTKEEPER_DATABASE_URL", database_url)
            .env("GRANTKEEPER_KEY_FILE", self.key_file())
            .env("GRANTKEEPER_WORKERS", program.workers().to_string())
            // One address asks for what a whole fleet does: limits are looked at as ever, and as high as they can be.
            .env("GRANTKEEPER_LIMITS__TOKEN_READS_PER_CALLER", HIGHEST_LIMIT)
            .env("GRANTKEEPER_LIMITS__TOKEN_READS_PER_ADDRESS", HIGHEST_LIMIT);
        Server::start(command, &self.folder().join("service.log"))
    }

    /// Starts the handler that gives that answer from memory.
    pub(crate) fn peer(&self, answer: &[u8], workers: usize) -> Result<Server, Failure> {
        let file = self.folder().join("answer.http");
        std::fs::write(&file, answer)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("peer").arg("--answer").arg(file).args(["--workers", &workers.to_string()]);
        Server::start(command, &self.folder().join("peer.log"))
    }

    /// Starts the simulated provider.
    pub(crate) fn provider(&self) -> Result<Server, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("provider");
        Server::start(command, &self.folder().join("provider.log"))
    }
}

/// The program to measure.
fn service(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let program = match given {
        Some(given) => given.to_owned(),
        None => {
            std::env::current_exe()?.with_file_name(format!("grantkeeper{}", std::env::consts::EXE_SUFFIX))
        }
    };
    program.canonicalize().map_err(while_doing(format!(
        "{} (build it with `cargo build --release -p grantkeeper-server`, or name it with --service)",
        program.display()
    )))
}

/// The operator's own settings stay out of the measurement.
fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GRANTKEEPER_") {
            command.env_remove(name);
        }
    }
}
