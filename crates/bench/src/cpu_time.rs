//! CPU time of processes, as Linux tells it in `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// One tick of the times in `/proc/<pid>/stat`: a hundredth of a second, whatever the kernel's own tick is
/// (`USER_HZ`, which is 100 on every architecture that Rust's standard library runs on).
const TICK: Duration = Duration::from_millis(10);

/// The CPU time that a process and all its descendants have used since they began, user and system; `None` where there
/// is no such `/proc`, or no such process.
pub(crate) fn of_tree(root: u32) -> Option<Duration> {
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        // A process may end while it is looked at: its parent accounts for it then.
        Process::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    });
    let ticks = ticks_of_tree(root, processes)?;
    Some(TICK * u32::try_from(ticks).ok()?)
}

/// What is read of a line of `/proc/<pid>/stat` (`proc_pid_stat(5)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    parent: u32,
    /// Of itself and of the children that have ended.
    ticks: u64,
}

impl Process {
    fn parse(line: &str) -> Option<Self> {
        // The name stands in parentheses and may hold anything, parentheses and spaces too.
        let (pid, rest) = line.split_once(" (")?;
        let (_, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
        Some(Self {
            pid: pid.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            // utime, stime, cutime and cstime
            ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        })
    }
}

fn ticks_of_tree(root: u32, processes: impl Iterator<Item = Process>) -> Option<u64> {
    let mut own = None;
    let mut children: HashMap<u32, Vec<Process>> = HashMap::new();
    for process in processes {
        if process.pid == root {
            own = Some(process);
        }
        children.entry(process.parent).or_default().push(process);
    }
    let mut sum = 0;
    let mut waiting = vec![own?];
    while let Some(process) = waiting.pop() {
        sum += process.ticks;
        waiting.extend(children.remove(&process.pid).unwrap_or_default());
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, ticks: u64) -> Process {
        Process { pid, parent, ticks }
    }

    #[test]
    fn a_line_is_read_whatever_the_name_of_the_program() {
        let line = "4711 (odd) name (x)) S 12 4711 4711 0 -1 4194560 1 2 3 4 100 20 3 1 20 0 9 0 1234 5 6";
        assert_eq!(Process::parse(line), Some(process(4_711, 12, 124)));
        assert_eq!(Process::parse("4711 (cut off) S 12"), None);
    }

    #[test]
    fn a_tree_is_all_below_a_process() {
        let all =
            [process(1, 0, 1), process(2, 1, 10), process(3, 2, 100), process(4, 3, 1_000), process(5, 1, 7)];
        assert_eq!(ticks_of_tree(2, all.into_iter()), Some(1_110));
        assert_eq!(ticks_of_tree(6, all.into_iter()), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_very_process_can_be_looked_at() {
        assert!(of_tree(std::process::id()).is_some());
    }
}
