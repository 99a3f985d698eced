//! What commands print: for people, or with `--json` for machines.

use std::fmt;
use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;

/// What a command has to say: `Display` is for people, `Serialize` for machines.
pub(crate) trait Report: fmt::Display + Serialize {}

impl<T: fmt::Display + Serialize> Report for T {}

/// Writes a report to standard output, as one line of JSON or as text.
pub(crate) fn print(report: &impl Report, json: bool) -> Result<(), Failure> {
    let text = if json { serde_json::to_string(report)? } else { report.to_string() };
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// Writes a failure to standard error. When that is closed there is nobody to tell.
pub(crate) fn print_failure(failure: &Failure, json: bool) {
    let text = if json { failure_as_json(failure).to_string() } else { format!("error: {failure}") };
    let _ = writeln!(io::stderr(), "{text}");
}

fn failure_as_json(failure: &Failure) -> Value {
    json!({ "error": failure.to_string() })
}

/// A table for people: columns as wide as their widest cell, two spaces apart.
pub(crate) fn write_table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    head: [&str; N],
    rows: &[[String; N]],
) -> fmt::Result {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    write_row(f, head, widths)?;
    for row in rows {
        writeln!(f)?;
        write_row(f, row.each_ref().map(String::as_str), widths)?;
    }
    Ok(())
}

fn write_row<const N: usize>(f: &mut fmt::Formatter<'_>, row: [&str; N], widths: [usize; N]) -> fmt::Result {
    for (index, (cell, width)) in row.into_iter().zip(widths).enumerate() {
        // No space at the end of a line.
        if index + 1 == N {
            write!(f, "{cell}")?;
        } else {
            write!(f, "{cell:width$}  ")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table(Vec<[String; 2]>);

    impl fmt::Display for Table {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_table(f, ["id", "name"], &self.0)
        }
    }

    #[test]
    fn columns_are_aligned() {
        let table = Table(vec![["1".to_owned(), "one".to_owned()], ["2222".to_owned(), "two".to_owned()]]);
        assert_eq!(table.to_string(), "id    name\n1     one\n2222  two");
    }

    #[test]
    fn failures_are_an_object_with_one_member() {
        let failure = Failure::of("no \"such\" thing");
        assert_eq!(failure_as_json(&failure).to_string(), r#"{"error":"no \"such\" thing"}"#);
    }
}
