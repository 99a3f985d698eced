//! `[keys]`: where the operator's key is.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::layer::{FLAG, file_origin};
use crate::problem::{ConfigErrors, Problem};
use crate::reader::Reader;

const FILE: &str = "keys.file";
const KEY: &str = "keys.key";

/// A key has 47 characters; what is much longer is another file.
const LONGEST_FILE: u64 = 1_024;

/// Where the operator's key is, if that was said. Whether it is a key is for the sealer to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    source: Option<KeySource>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum KeySource {
    File { path: PathBuf, origin: Option<String> },
    Text { text: KeyText, origin: Option<String> },
}

/// The text of the operator's key: `Debug` does not show it, and it is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(Zeroizing<String>);

impl KeyText {
    /// The text itself; whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(…)")
    }
}

impl Keys {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let path = reader.parsed(FILE, path);
        let text = reader.text(KEY).map(|text| KeyText(Zeroizing::new(text)));
        let origin = |key| reader.origin(key).map(str::to_owned);
        let (path_origin, text_origin) = (origin(FILE), origin(KEY));

        if text_origin.as_deref() == Some(FLAG) {
            reader.problem(
                KEY,
                "a flag can be read by every user of this machine; use GRANTKEEPER_KEY or keys.file",
            );
        }
        if let (Some(_), Some(other)) = (&path_origin, &text_origin) {
            reader.problem(FILE, format!("keys.key is also given ({other}): keep one of them"));
        }
        let source = match (path, text) {
            (Some(path), _) => Some(KeySource::File { path, origin: path_origin }),
            (None, text) => text.map(|text| KeySource::Text { text, origin: text_origin }),
        };
        Self { source }
    }

    /// The file that holds the key, where there is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.source {
            Some(KeySource::File { path, .. }) => Some(path),
            _ => None,
        }
    }

    /// The key's text. Errors: no key was given, or its file cannot be read.
    pub fn text(&self) -> Result<KeyText, ConfigErrors> {
        match &self.source {
            Some(KeySource::Text { text, .. }) => Ok(text.clone()),
            Some(KeySource::File { path, origin }) => read_file(path)
                .map_err(|message| Problem::with(FILE, origin.as_deref(), message).into()),
            None => Err(Problem::missing(
                "keys",
                "there is no key, and secrets are never kept in plaintext; make one with `grantkeeper key generate` \
                 and give its file as keys.file or GRANTKEEPER_KEY_FILE, or the key itself as GRANTKEEPER_KEY",
            )
            .into()),
        }
    }

    /// A line for each file with the key in it that others than its owner can read.
    pub(crate) fn warnings(&self, settings_file: Option<&Path>) -> Vec<String> {
        let holder = match &self.source {
            Some(KeySource::File { path, .. }) => Some((FILE, path.as_path())),
            Some(KeySource::Text { origin, .. }) => settings_file
                .filter(|path| origin.as_deref() == Some(&file_origin(path)))
                .map(|path| (KEY, path)),
            None => None,
        };
        holder
            .and_then(|(key, path)| exposed(path).map(|mode| warning(key, path, mode)))
            .into_iter()
            .collect()
    }
}

fn warning(key: &str, path: &Path, mode: u32) -> String {
    let path = path.display();
    format!(
        "{key}: {path} can be read by other users of this machine (mode {mode:03o}); run chmod 600 {path}"
    )
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.starts_with("gkk_") {
        // Not repeated: it is the key.
        return Err(
            "this is a key where the path of a file is wanted; give the key as GRANTKEEPER_KEY".to_owned()
        );
    }
    if text.is_empty() {
        return Err("give the path of a file that holds the key".to_owned());
    }
    Ok(PathBuf::from(text))
}

fn read_file(path: &Path) -> Result<KeyText, String> {
    let name = path.display();
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("there is no file {name}; make a key with `grantkeeper key generate`")
        }
        _ => format!("{name} cannot be read: {error}"),
    })?;
    let mut text = Zeroizing::new(String::with_capacity(2 * 1_024));
    file.take(LONGEST_FILE + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("{name} cannot be read: {error}"))?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(format!("{name} is too long for a key file"));
    }
    Ok(KeyText(text))
}

/// The file's mode when others than its owner can read it.
#[cfg(unix)]
fn exposed(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = path.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o044 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn exposed(_: &Path) -> Option<u32> {
    None
}
