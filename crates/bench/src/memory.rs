//! Memory of processes, as Linux tells it in `/proc`.

use std::fs;

/// What a process has in memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resident {
    /// At this moment: everything, the program's own text included (`VmRSS`).
    pub(crate) now: u64,
    /// The most that it ever was (`VmHWM`).
    pub(crate) peak: u64,
}

impl Resident {
    /// Of that process; `None` where there is no such `/proc`, or no such process.
    pub(crate) fn of(process: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
    }

    /// What is read of `/proc/<pid>/status` (`proc_pid_status(5)`).
    fn parse(status: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kibibytes * 1_024)
        };
        Some(Self { now: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read_with_its_peak() {
        let status = "Name:\tgrantkeeper\nVmPeak:\t  900000 kB\nVmHWM:\t   30000 kB\nVmRSS:\t   20000 kB\nThreads:\t4\n";
        assert_eq!(Resident::parse(status), Some(Resident { now: 20_480_000, peak: 30_720_000 }));
        // The status of a process that has ended.
        assert_eq!(Resident::parse("Name:\tgrantkeeper\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_very_process_can_be_looked_at() {
        let resident = Resident::of(std::process::id()).unwrap();
        assert!(resident.now > 0 && resident.now <= resident.peak);
    }
}
