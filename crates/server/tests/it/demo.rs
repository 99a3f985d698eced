//! The newcomer's first minute.

use std::process::{Command, Stdio};

use reqwest::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::callers::{Caller, client};
use crate::installation::clean_environment;
use crate::stores::Store;

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantkeeper"));
    command.args(["demo", "--listen", "127.0.0.1:0"]).args(arguments).stdin(Stdio::null());
    clean_environment(&mut command);
    command
}

#[test]
fn the_walk_works_with_and_without_a_person() {
    for flags in [&["--once"][..], &["--once", "--auto-consent"]] {
        let output = demo(flags).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(told.contains("50 callers"), "{told}");
        let in_order = [
            "For machines",
            "type: github",
            "403",
            "Sign in by device code",
            "Sign in with a browser",
            "the same account",
            "sign out",
            "204",
        ];
        let mut rest = &*told;
        for step in in_order {
            rest = rest.split_once(step).unwrap_or_else(|| panic!("no {step:?} in {rest}")).1;
        }
        for name in ["GitHub", "GitLab", "Bitbucket", "Google", "Box", "Microsoft"] {
            assert!(
                told.lines().any(|line| line.trim().starts_with(name) && line.contains("token ")),
                "{told}"
            );
        }
    }
}

#[test]
fn it_keeps_its_data_in_a_new_database_where_that_is_asked_for() {
    let store = Store::postgres();
    let output = demo(&["--once", "--auto-consent", "--database", &store.url()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_ne!(store.count("audit_entries"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_serving_and_leaves_the_member_with_a_live_authorization_per_type() {
    let mut command = demo(&["--json", "--auto-consent"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("no {name} in {told}")).to_owned();
    let base = text("baseUrl");
    let member = Caller::new(&base, &text("memberToken"));
    let (_, authorizations) = member.get("/authorizedProviders/").await;
    let mut kinds = Vec::new();
    for authorization in authorizations["data"].as_array().unwrap() {
        assert_eq!(authorization["status"], "active", "{authorization}");
        kinds.push(authorization["provider"]["type"].as_str().unwrap().to_owned());
        let (status, _) = member.access_token(authorization["id"].as_str().unwrap(), "").await;
        assert_eq!(status, StatusCode::CREATED);
    }
    kinds.sort();
    assert_eq!(kinds, ["bitbucket", "box", "github", "gitlab", "google", "microsoft", "oidc", "test"]);
    let admin = Caller::new(&base, &text("adminToken"));
    assert_eq!(admin.get("/jobs/").await.0, StatusCode::OK, "an administrator");
    let stranger = Caller::new(&base, &text("strangerToken"));
    assert_eq!(stranger.get("/jobs/").await.1["data"], serde_json::json!([]), "of another organization");
    let stats = client().get(format!("{}/control/stats", text("simulatorUrl"))).send().await.unwrap();
    assert_eq!(stats.status(), StatusCode::OK);
}

/// The last of the lines to try is one that git would write: it works as it is printed.
#[tokio::test(flavor = "multi_thread")]
async fn what_git_asks_for_is_answered() {
    let mut command = demo(&["--auto-consent"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = loop {
        let line = lines.next_line().await.unwrap().expect("it is printed");
        if line.starts_with("printf ") {
            break line;
        }
    };
    let mut shell = Command::new("sh");
    clean_environment(&mut shell);
    let answer = tokio::process::Command::from(shell).args(["-c", &line]).output().await.unwrap();
    let credentials = String::from_utf8(answer.stdout).unwrap();
    assert!(answer.status.success(), "{line}: {}", String::from_utf8_lossy(&answer.stderr));
    assert!(credentials.contains("username=gho_"), "{credentials}");
}
