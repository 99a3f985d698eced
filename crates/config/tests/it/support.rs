//! Short ways to give settings.

use std::path::PathBuf;

use grantkeeper_config::{ConfigErrors, Settings};
use tempfile::TempDir;

/// A configuration file in a folder of its own.
pub(crate) struct SettingsFile {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl SettingsFile {
    pub(crate) fn new(text: &str) -> Self {
        let folder = TempDir::new().expect("a folder for temporary files");
        let path = folder.path().join("grantkeeper.toml");
        std::fs::write(&path, text).expect("the folder can be written to");
        Self { _folder: folder, path }
    }
}

pub(crate) fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn from_file(text: &str) -> Result<Settings, ConfigErrors> {
    Settings::load(Some(&SettingsFile::new(text).path), std::iter::empty(), &[])
}

pub(crate) fn from_environment(variables: &[(&str, &str)]) -> Result<Settings, ConfigErrors> {
    Settings::load(None, pairs(variables).into_iter(), &[])
}

pub(crate) fn from_overrides(overrides: &[(&str, &str)]) -> Result<Settings, ConfigErrors> {
    Settings::load(None, std::iter::empty(), &pairs(overrides))
}

/// The lines of an error, with the folder of the test's file left out.
pub(crate) fn lines(result: Result<Settings, ConfigErrors>) -> Vec<String> {
    let text = result.expect_err("refused").to_string();
    text.lines().map(without_folder).collect()
}

fn without_folder(line: &str) -> String {
    match line.split_once("file /") {
        Some((before, rest)) => {
            let (_, name) = rest.split_once("grantkeeper.toml").expect("the file has that name");
            format!("{before}file grantkeeper.toml{name}")
        }
        None => line.to_owned(),
    }
}
