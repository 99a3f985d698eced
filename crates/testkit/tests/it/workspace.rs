//! The workspace as cargo sees it: our crates and what each of them declares to depend on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// What the names of our crates begin with; the rules leave it out.
const PREFIX: &str = "grantkeeper-";

/// When a dependency is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// In what is built: normal and build dependencies, optional ones included.
    Normal,
    /// For tests, examples and benchmarks only.
    Dev,
}

/// One declared dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    /// The package depended on, under its own name even where it is renamed.
    pub(crate) to: String,
    pub(crate) kind: Kind,
}

/// One of our crates, named without the common prefix.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Edges to our own crates, named without the common prefix.
    pub(crate) ours: BTreeSet<Edge>,
    /// Edges to everybody else's.
    pub(crate) theirs: BTreeSet<Edge>,
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is above this crate")
}

/// The output of a cargo command that needs no network.
pub(crate) fn cargo(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(root())
        .output()
        .expect("cargo is there: it runs this test");
    assert!(run.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("cargo speaks UTF-8")
}

/// The package below `crates/` that the workspace excludes.
pub(crate) const EXCLUDED: &str = "crates/fuzz/Cargo.toml";

/// Every crate of ours with what it declares, whatever the features and the platform.
pub(crate) fn declared() -> Vec<Node> {
    let metadata = ["metadata", "--format-version", "1", "--no-deps"];
    let of_workspace = nodes_of(&cargo(&metadata));
    let excluded = nodes_of(&cargo(&[&metadata[..], &["--manifest-path", EXCLUDED]].concat()));
    [of_workspace, excluded].concat()
}

/// The folders that have a crate in them.
pub(crate) fn folders() -> BTreeSet<String> {
    fs::read_dir(root().join("crates"))
        .expect("the folder of our crates")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().expect("a name in UTF-8"))
        .collect()
}

fn nodes_of(metadata: &str) -> Vec<Node> {
    let metadata: Metadata = serde_json::from_str(metadata).expect("the format of version 1");
    metadata.packages.into_iter().map(node_of).collect()
}

fn node_of(package: Package) -> Node {
    let (ours, theirs) =
        package.dependencies.into_iter().partition::<Vec<_>, _>(|d| d.name.starts_with(PREFIX));
    Node { name: short(&package.name), ours: edges_of(&ours), theirs: edges_of(&theirs) }
}

fn edges_of(dependencies: &[Dependency]) -> BTreeSet<Edge> {
    dependencies.iter().map(|d| Edge { to: short(&d.name), kind: d.kind() }).collect()
}

fn short(name: &str) -> String {
    name.strip_prefix(PREFIX).unwrap_or(name).to_owned()
}

/// What is read of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or null for a normal one.
    kind: Option<String>,
}

impl Dependency {
    fn kind(&self) -> Kind {
        if self.kind.as_deref() == Some("dev") { Kind::Dev } else { Kind::Normal }
    }
}

#[test]
fn metadata_is_read_as_cargo_writes_it() {
    let nodes = nodes_of(
        r#"{"packages": [{"name": "grantkeeper-rest", "version": "0.1.0", "dependencies": [
            {"name": "grantkeeper-domain", "kind": null, "rename": "domain"},
            {"name": "cc", "kind": "build"},
            {"name": "config", "kind": null, "optional": true},
            {"name": "grantkeeper-testkit", "kind": "dev"}
        ]}]}"#,
    );
    let edge = |to: &str, kind| Edge { to: to.to_owned(), kind };

    assert_eq!(nodes[0].name, "rest");
    assert_eq!(nodes[0].ours, [edge("domain", Kind::Normal), edge("testkit", Kind::Dev)].into());
    assert_eq!(nodes[0].theirs, [edge("cc", Kind::Normal), edge("config", Kind::Normal)].into());
}
