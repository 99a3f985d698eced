//! Room on the disk, looked at before it is filled.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, while_doing};
use crate::population::Population;

/// What an authorization takes beside its access token, in a table and in its log.
const ROW: u64 = 1_100;
/// What it takes in the indices, and in the table of what is due.
const INDICES: u64 = 400;
/// What PostgreSQL writes into a page of 8 KiB, and leaves room there for newer versions (a fillfactor of 70).
const PAGE: u64 = 8_192;
const FILLED: u64 = 5_700;
/// The log is no longer than this (`max_wal_size`).
const LONGEST_LOG: u64 = 4 << 30;

/// Refuses to seed what does not fit on the disk of that folder.
pub(crate) fn check_room(folder: &Path, population: Population) -> Result<(), Failure> {
    let run = Command::new("df").arg("-Pk").arg(folder).output().map_err(while_doing("running df"))?;
    let answer = String::from_utf8_lossy(&run.stdout);
    let free = free_bytes(&answer).ok_or_else(|| format!("df tells nothing of {}", folder.display()))?;
    let needed = needed(population);
    if free < needed {
        return Err(format!(
            "{} authorizations need {} MiB on the disk of {}, and {} are free: free some, or measure fewer with \
             --authorizations",
            population.authorizations,
            needed >> 20,
            folder.display(),
            free >> 20
        )
        .into());
    }
    Ok(())
}

/// While it is seeded, the log included.
fn needed(population: Population) -> u64 {
    let row = ROW + u64::from(population.access_token);
    let page_share = PAGE / (FILLED / row).max(1);
    let log = (row + INDICES).saturating_mul(population.authorizations).min(LONGEST_LOG);
    (page_share + INDICES).saturating_mul(population.authorizations).saturating_add(log)
}

/// What `df -Pk` says is available (POSIX, df: the fourth field of the second line, in KiB).
fn free_bytes(answer: &str) -> Option<u64> {
    let blocks: u64 = answer.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(blocks * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::population::{JWT, REFERENCE};

    #[test]
    fn what_is_free_is_read_from_df() {
        let answer = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 263174212 37000000 58000000 40% /\n";
        assert_eq!(free_bytes(answer), Some(58_000_000 * 1_024));
        assert_eq!(free_bytes("df: no such folder\n"), None);
    }

    #[test]
    fn short_tokens_need_less_room() {
        let gibibytes = |access_token| needed(Population::of(5_000_000, access_token)) >> 30;
        assert_eq!(gibibytes(JWT), 24);
        assert_eq!(gibibytes(REFERENCE), 15);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_to_do() {
        let here = Path::new(".");
        assert!(check_room(here, Population::of(0, JWT)).is_ok());
        let refusal = check_room(here, Population::of(1 << 40, JWT));
        let refusal = refusal.unwrap_err().to_string();
        assert!(refusal.contains("--authorizations"), "{refusal}");
    }
}
