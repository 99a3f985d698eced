//! The programs that the tests run against, installed by `tests/prepare`.

use std::path::{Path, PathBuf};

/// Where an installed tool is. Without it a test is skipped, loudly; in CI that is a failure.
pub(crate) fn installed(path: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let tool = target.join("e2e-tools").join(path);
    if tool.exists() {
        return Some(tool);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing: run `just e2e-tools`", tool.display());
    eprintln!("*** SKIPPED: {} is missing; `just test` installs it ***", tool.display());
    None
}
