//! Every crate takes the workspace's lints.

use std::fs;

use crate::workspace::{EXCLUDED, folders, root};

fn read(manifest: &str) -> String {
    fs::read_to_string(root().join(manifest)).expect("a manifest")
}

/// Whether a manifest has `workspace = true` in its `[lints]` table.
fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]")
        && lines.take_while(|line| !line.starts_with('[')).any(|line| line == "workspace = true")
}

/// The lines of the `[workspace.lints]` tables, with the headings between them.
fn workspace_lints(manifest: &str) -> Vec<String> {
    let mut within = false;
    let mut lines: Vec<String> = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('[') {
            within = line.starts_with("[workspace.lints");
        }
        if within {
            lines.push(line.to_owned());
        }
    }
    lines
}

#[test]
fn every_crate_inherits_the_workspace_lints() {
    let crates = folders();
    assert!(!crates.is_empty());

    let manifest = |folder: &String| read(&format!("crates/{folder}/Cargo.toml"));
    let without: Vec<_> = crates.iter().filter(|folder| !inherits_lints(&manifest(folder))).collect();
    assert!(without.is_empty(), "without `[lints] workspace = true`: {without:#?}");
}

#[test]
fn the_excluded_crate_has_the_same_lints() {
    let ours = workspace_lints(&read("Cargo.toml"));
    assert!(ours.contains(&"unsafe_code = \"forbid\"".to_owned()), "{ours:#?}");
    assert_eq!(workspace_lints(&read(EXCLUDED)), ours);
}

#[test]
fn lints_of_the_workspace_are_told_from_what_surrounds_them() {
    let manifest = "[lints]\na = 1\n\n[workspace.lints.rust]\nb = 2\n\n[workspace.lints.clippy]\n# c\nd = 4\n[profile]\ne = 5\n";
    assert_eq!(
        workspace_lints(manifest),
        ["[workspace.lints.rust]", "b = 2", "[workspace.lints.clippy]", "# c", "d = 4"]
    );
}

#[test]
fn lints_of_its_own_or_none_are_noticed() {
    assert!(inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n\n[dependencies]\n"));
    assert!(!inherits_lints("[package]\nname = \"a\"\n"));
    assert!(!inherits_lints("[lints]\n\n[features]\nworkspace = true\n"));
    assert!(!inherits_lints("[lints.clippy]\nworkspace = true\n"));
}
