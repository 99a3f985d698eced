//! Every crate takes the workspace's lints.

use std::fs;

use crate::workspace::root;

/// Whether a manifest has `workspace = true` in its `[lints]` table.
fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]")
        && lines.take_while(|line| !line.starts_with('[')).any(|line| line == "workspace = true")
}

#[test]
fn every_crate_inherits_the_workspace_lints() {
    let crates: Vec<_> = fs::read_dir(root().join("crates"))
        .expect("the folder of our crates")
        .map(|entry| entry.expect("an entry").path().join("Cargo.toml"))
        .filter(|manifest| manifest.exists())
        .collect();
    assert!(!crates.is_empty());

    let without: Vec<_> = crates
        .iter()
        .filter(|manifest| !inherits_lints(&fs::read_to_string(manifest).expect("a manifest")))
        .collect();
    assert!(without.is_empty(), "without `[lints] workspace = true`: {without:#?}");
}

#[test]
fn lints_of_its_own_or_none_are_noticed() {
    assert!(inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n\n[dependencies]\n"));
    assert!(!inherits_lints("[package]\nname = \"a\"\n"));
    assert!(!inherits_lints("[lints]\n\n[features]\nworkspace = true\n"));
    assert!(!inherits_lints("[lints.clippy]\nworkspace = true\n"));
}
