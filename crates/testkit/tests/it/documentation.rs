//! The architecture document names the test that holds each invariant; those tests exist.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::root;

/// The tests named as in "Held by `dependency_rule::only_allowed_edges` and `lints::…`." up to the end of the sentence.
fn held_by(document: &str) -> Vec<String> {
    let flowing = document.split_whitespace().collect::<Vec<_>>().join(" ");
    flowing
        .split("Held by ")
        .skip(1)
        .flat_map(|rest| {
            let sentence = rest.split_once(". ").map_or(rest, |(sentence, _)| sentence);
            sentence.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether `source`, a file at `path`, has the function that `reference` names, in the module that it names.
fn defines(reference: &str, path: &Path, source: &str) -> bool {
    let mut segments = reference.rsplit("::");
    let function = segments.next().unwrap_or_default();
    let in_module = segments.next().is_none_or(|module| {
        path.file_stem().is_some_and(|stem| stem == module)
            || path.parent().is_some_and(|parent| parent.ends_with(module))
            || source.contains(&format!("mod {module} "))
    });
    in_module && ["(", "<"].iter().any(|next| source.contains(&format!("fn {function}{next}")))
}

fn rust_files(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.push((path, source));
        }
    }
}

#[test]
fn invariants_name_tests_that_exist() {
    let document = fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md");
    let references = held_by(&document);
    assert!(!references.is_empty(), "docs/architecture.md names no test that holds an invariant");

    let mut sources = Vec::new();
    rust_files(&root().join("crates"), &mut sources);
    let unknown: Vec<_> = references
        .iter()
        .filter(|reference| !sources.iter().any(|(path, source)| defines(reference, path, source)))
        .collect();
    assert!(unknown.is_empty(), "docs/architecture.md names tests that are not there: {unknown:#?}");
}

#[test]
fn references_are_found_in_running_text() {
    let document = "Only `rest` speaks HTTP. Held by `rule::a` and\n`rule::b`. See `c`.\n\n- Sealed. Held by `suite::d`.\n";
    assert_eq!(held_by(document), ["rule::a", "rule::b", "suite::d"]);
}

#[test]
fn a_reference_that_nothing_defines_is_noticed() {
    let path = Path::new("crates/testkit/tests/it/rule.rs");
    assert!(defines("rule::a", path, "#[test]\nfn a() {}"));
    assert!(defines("it::a", path, "#[test]\nfn a() {}"));
    assert!(defines("inner::a", path, "mod inner { fn a() {} }"));
    assert!(defines("a", path, "async fn a() {}"));
    assert!(!defines("rule::a", path, "fn ab() {}"));
    assert!(!defines("elsewhere::a", path, "fn a() {}"));
}
