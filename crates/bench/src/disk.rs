//! Room on the disk, looked at before it is filled.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, while_doing};

/// What an authorization takes at most while it is seeded: its row (two to a page of PostgreSQL's, which leaves room for
/// a newer version of each), its part of the indices and of the log; and a quarter more.
const BYTES_EACH: u64 = 6 * 1_024;

/// Refuses to seed what does not fit on the disk of that folder.
pub(crate) fn check_room(folder: &Path, authorizations: u64) -> Result<(), Failure> {
    let run = Command::new("df").arg("-Pk").arg(folder).output().map_err(while_doing("running df"))?;
    let answer = String::from_utf8_lossy(&run.stdout);
    let free = free_bytes(&answer).ok_or_else(|| format!("df tells nothing of {}", folder.display()))?;
    let needed = BYTES_EACH * authorizations;
    if free < needed {
        return Err(format!(
            "{authorizations} authorizations need {} MiB on the disk of {}, and {} are free: free some, or measure fewer \
             with --authorizations",
            needed >> 20,
            folder.display(),
            free >> 20
        )
        .into());
    }
    Ok(())
}

/// What `df -Pk` says is available (POSIX, df: the fourth field of the second line, in KiB).
fn free_bytes(answer: &str) -> Option<u64> {
    let blocks: u64 = answer.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(blocks * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read_from_df() {
        let answer = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 263174212 37000000 58000000 40% /\n";
        assert_eq!(free_bytes(answer), Some(58_000_000 * 1_024));
        assert_eq!(free_bytes("df: no such folder\n"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_to_do() {
        let here = Path::new(".");
        assert!(check_room(here, 0).is_ok());
        let refusal = check_room(here, 1 << 40).unwrap_err().to_string();
        assert!(refusal.contains("--authorizations"), "{refusal}");
    }
}
