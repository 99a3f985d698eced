//! Somebody at a terminal, with a home of their own.

use std::process::{ExitStatus, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_grantkeeper");

pub(crate) struct Person {
    pub(crate) home: TempDir,
    environment: Vec<(String, String)>,
}

/// A command that goes on.
pub(crate) struct Started {
    child: Child,
    stdout: ChildStdout,
    stderr: Lines<BufReader<ChildStderr>>,
}

/// What a command has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Person {
    /// Who has signed in nowhere.
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// Who calls a service with a token, by the environment.
    pub(crate) fn calling(url: &str, token: &str) -> Self {
        let mut person = Self::new();
        person.set("GRANTKEEPER_URL", url);
        person.set("GRANTKEEPER_TOKEN", token);
        person
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A program in the person's home, with nothing of the developer's own environment but the way to programs.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.home.path()).kill_on_drop(true);
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.home.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command of ours to its end, over this input.
    pub(crate) async fn runs(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(BINARY);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        Said::of(child.wait_with_output().await.unwrap())
    }

    /// Runs a command of ours that has to work; returns what it printed as JSON.
    pub(crate) async fn json(&self, arguments: &[&str], input: &str) -> Value {
        let said = self.runs(&[arguments, &["--json"]].concat(), input).await;
        assert_eq!(said.status, Some(0), "{arguments:?}: {said:?}");
        serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {said:?}"))
    }

    /// Runs a command of ours that has to fail; returns why.
    pub(crate) async fn refused(&self, arguments: &[&str]) -> String {
        let said = self.runs(&[arguments, &["--json"]].concat(), "").await;
        assert_eq!((said.status, said.stdout.as_str()), (Some(1), ""), "{arguments:?}: {said:?}");
        let last: Value = serde_json::from_str(said.stderr.lines().last().unwrap()).unwrap();
        last["error"].as_str().unwrap().to_owned()
    }

    /// Starts a command of ours that waits for somebody.
    pub(crate) fn starts(&self, arguments: &[&str]) -> Started {
        let mut command = self.command(BINARY);
        command.args(arguments);
        Started::of(command)
    }
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Started {
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stdout, stderr }
    }

    /// The next indented line on standard error: an address, or a code.
    pub(crate) async fn shows(&mut self) -> String {
        while let Some(line) = self.stderr.next_line().await.unwrap() {
            if let Some(shown) = line.strip_prefix("    ") {
                return shown.to_owned();
            }
        }
        panic!("it ended with {:?}", self.child.wait().await);
    }

    /// All that it has left to say on standard error up to a line with this in it.
    pub(crate) async fn says(&mut self, part: &str) -> String {
        while let Some(line) = self.stderr.next_line().await.unwrap() {
            if line.contains(part) {
                return line;
            }
        }
        panic!("it ended with {:?}", self.child.wait().await);
    }

    /// Waits for the end; returns what is on standard output.
    pub(crate) async fn ends(mut self) -> (ExitStatus, String) {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).await.unwrap();
        while self.stderr.next_line().await.unwrap().is_some() {}
        (self.child.wait().await.unwrap(), stdout)
    }
}
