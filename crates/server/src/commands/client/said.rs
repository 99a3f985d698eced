//! What is said to a person while a command goes on.

use std::fmt;
use std::io::{self, Write as _};

/// Says a line on standard error: standard output is for what comes of it. When it is closed nobody listens.
pub(super) fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
