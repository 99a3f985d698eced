use chrono::TimeDelta;

use super::*;
use crate::fixtures::{START, job};

fn lease(until: DateTime<Utc>) -> Lease {
    Lease { holder: "worker".to_owned(), until }
}

fn running() -> Job {
    job().claimed(lease(START + TimeDelta::seconds(30)), START)
}

#[test]
fn a_job_is_claimable_when_new_or_left() {
    let ended = |status| running().finish(status, Vec::new(), START).unwrap();
    for (job, after, expected) in [
        (job(), 0, true),
        (running(), 29, false),
        (running(), 30, true),
        (Job { lease: None, ..running() }, 0, true),
        (ended(JobStatus::Completed), 99, false),
        (ended(JobStatus::Error), 99, false),
    ] {
        assert_eq!(
            job.is_claimable(START + TimeDelta::seconds(after)),
            expected,
            "{:?} after {after}",
            job.status
        );
    }
}

#[test]
fn a_job_that_is_taken_over_started_when_it_first_did() {
    let later = START + TimeDelta::seconds(60);
    let taken_over = running().claimed(lease(later), later);
    assert_eq!((taken_over.started_at, taken_over.lease), (Some(START), Some(lease(later))));
    assert_eq!(taken_over.version, job().version.next().next());
}

#[test]
fn only_a_running_job_ends() {
    assert_eq!(job().finish(JobStatus::Completed, Vec::new(), START), Err(NotRunning));
    let report = vec![JobDetail::new("count", 3)];
    let ended = running().finish(JobStatus::Error, report.clone(), START).unwrap();
    assert_eq!((ended.status, ended.finished_at, &ended.details), (JobStatus::Error, Some(START), &report));
    assert_eq!(ended.lease, None);
    assert_eq!(ended.finish(JobStatus::Completed, Vec::new(), START), Err(NotRunning));
}

#[test]
fn names_are_read_as_they_are_written() {
    for status in [JobStatus::Pending, JobStatus::Running, JobStatus::Completed, JobStatus::Error] {
        assert_eq!(JobStatus::from_name(status.as_str()), Some(status));
    }
    for kind in [JobKindName::DeleteProvider, JobKindName::Stats] {
        assert_eq!(JobKindName::from_name(kind.as_str()), Some(kind));
    }
    assert_eq!((JobStatus::from_name("pending"), JobKindName::from_name("")), (None, None));
}
