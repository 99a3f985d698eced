//! `key generate`.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use grantkeeper_domain::Secret;
use grantkeeper_token_sealing::MasterKey;
use serde::Serialize;

use crate::adapters::SystemRandom;
use crate::failure::Failure;

/// Generate a key. Without it nothing that was sealed under it can be opened again: keep a copy in a safe place.
#[derive(Debug, Args)]
pub(crate) struct KeyGenerate {
    /// Write it to this new file, for its owner alone to read, instead of printing it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A new key, or where it is; so it has no `Debug`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Generated {
    Printed { key: String, id: String },
    Written { file: PathBuf, id: String },
}

impl fmt::Display for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Printed { key, .. } => f.write_str(key),
            Self::Written { file, id } => write!(f, "wrote the key {id} to {}", file.display()),
        }
    }
}

impl KeyGenerate {
    pub(super) fn run(&self) -> Result<Generated, Failure> {
        let key = MasterKey::generate(&SystemRandom);
        let (id, text) = (key.id().to_string(), key.to_text());
        let Some(file) = &self.out else {
            return Ok(Generated::Printed { key: text.expose().to_owned(), id });
        };
        write_new(file, &text).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::of(format!(
                "{} exists, and a key is never overwritten: give another file",
                file.display()
            )),
            _ => Failure::of(format!("{} cannot be written: {error}", file.display())),
        })?;
        Ok(Generated::Written { file: file.clone(), id })
    }
}

fn write_new(path: &Path, key: &Secret) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn generate(out: &Path) -> Result<Generated, Failure> {
        KeyGenerate { out: Some(out.to_owned()) }.run()
    }

    #[test]
    fn a_printed_key_is_one() {
        let Ok(Generated::Printed { key, id }) = (KeyGenerate { out: None }).run() else {
            panic!("without a file it is printed");
        };
        assert_eq!(MasterKey::parse(&key).expect("a key").id().to_string(), id);
    }

    #[test]
    fn a_key_file_is_for_its_owner_and_written_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("grantkeeper.key");
        generate(&path).expect("there is no such file yet");
        assert_eq!(path.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
        let written = std::fs::read_to_string(&path).expect("it is text");
        assert!(MasterKey::parse(&written).is_ok());

        let failure = generate(&path).err().expect("a key is never overwritten").to_string();
        assert!(failure.contains("never overwritten"), "{failure}");
        assert_eq!(std::fs::read_to_string(&path).expect("it is still there"), written);
    }
}
