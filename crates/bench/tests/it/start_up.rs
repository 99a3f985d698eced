//! `start-up`.

use super::targets;

#[test]
fn starts_are_timed_and_idle_memory_is_seen() {
    let arguments = ["start-up", "--store", "sqlite", "--starts", "2", "--idle-ms", "0"];
    let (tables, json) = super::run(&arguments);
    assert_eq!(json["starts"], 2);
    let run = &json["runs"][0];
    let contenders = run["figures"].as_array().unwrap().iter().map(|figures| &figures["contender"]);
    assert_eq!(contenders.collect::<Vec<_>>(), ["peer", "service"]);
    if cfg!(target_os = "linux") {
        assert_eq!(targets(run), ["from the start to the first token", "memory when idle"]);
    }
    assert!(tables.contains("the median of 2 starts"), "{tables}");
}
