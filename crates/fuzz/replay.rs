//! Plays a fuzz target's corpus back in plain tests. Each crate that owns a target includes this file, so that its
//! property is tried with every kept input, in every run of the tests, by the very function that is fuzzed.

use std::fs;
use std::path::{Path, PathBuf};

/// Gives every file of `crates/fuzz/corpus/<target>` to the property. Fails when there is none.
pub(crate) fn replay(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        // Shown when the property does not hold for it.
        println!("{}", file.display());
        property(&fs::read(&file).expect("a file"));
    }
}
