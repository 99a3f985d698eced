//! An installation as an operator sets it up, with the real binary.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command as AsyncCommand};

use crate::callers::Caller;

/// A folder with a key and a database, and the settings in the environment.
pub(crate) struct Installation {
    pub(crate) folder: TempDir,
    pub(crate) base_url: String,
    environment: BTreeMap<String, String>,
}

/// A running service; it is killed when this goes.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) ready: Value,
}

impl Installation {
    /// With a key, on a free port, allowed to call providers on loopback.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base_url = format!("http://127.0.0.1:{port}");
        let mut installation = Self { folder, base_url: base_url.clone(), environment: BTreeMap::new() };
        installation.set("LISTEN", &format!("127.0.0.1:{port}"));
        installation.set("PUBLIC_URL", &base_url);
        installation
            .set("DATABASE_URL", &format!("sqlite://{}", installation.path("grantkeeper.db").display()));
        installation.set("NETWORK__ALLOW", "127.0.0.1/32");
        let key = installation.path("grantkeeper.key");
        installation.run(&["key", "generate", "--out", key.to_str().unwrap()]);
        installation.set("KEYS__FILE", key.to_str().unwrap());
        installation
    }

    /// With the simulated provider, which approves at once.
    pub(crate) fn with_simulator() -> Self {
        let mut installation = Self::new();
        installation.set("SIMULATOR__ENABLED", "true");
        installation.set("SIMULATOR__LISTEN", "127.0.0.1:0");
        installation.set("SIMULATOR__AUTO_CONSENT", "true");
        installation
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets a setting by the name of its environment variable, without the prefix.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(format!("GRANTKEEPER_{name}"), value.to_owned());
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.remove(&format!("GRANTKEEPER_{name}"));
    }

    /// Runs a command to its end.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantkeeper"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        clean_environment(&mut command);
        command.envs(&self.environment).output().unwrap()
    }

    /// Runs a command that has to work; returns what it printed as JSON.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.output(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{arguments:?} printed no JSON: {output:?}"))
    }

    /// Runs a command that has to fail with status 1; returns why, without looking like a panic.
    pub(crate) fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.output(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        let last = error.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{arguments:?}: {error}"));
        error["error"].as_str().unwrap().to_owned()
    }

    /// An account of the organization `Acme`, which is made when it is missing; returns an API token.
    pub(crate) fn token(&self, email: &str, admin: bool) -> String {
        let known = self.run(&["org", "list"]);
        if !known.to_string().contains("\"Acme\"") {
            self.run(&["org", "create", "Acme"]);
        }
        let mut create = vec!["account", "create", "--org", "Acme", "--email", email];
        if admin {
            create.push("--admin");
        }
        self.run(&create);
        let issued = self.run(&["token", "create", "--account", email]);
        issued["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn caller(&self, token: &str) -> Caller {
        Caller::new(&self.base_url, token)
    }

    /// What the service has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Starts the service and waits until it answers.
    pub(crate) async fn serve(&self) -> Running {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantkeeper"));
        command.args(["serve", "--json"]).current_dir(self.folder.path()).stdin(Stdio::null());
        clean_environment(&mut command);
        command.envs(&self.environment).stdout(Stdio::piped()).stderr(log);
        let mut child = AsyncCommand::from(command).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line =
            lines.next_line().await.unwrap().unwrap_or_else(|| panic!("did not start: {}", self.log()));
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        Running { child, ready }
    }
}

/// The developer's own settings stay out of the tests.
pub(crate) fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GRANTKEEPER_") {
            command.env_remove(name);
        }
    }
}

impl Running {
    pub(crate) fn simulator(&self) -> String {
        self.ready["simulatorUrl"].as_str().unwrap().to_owned()
    }

    /// As `kill -9` does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// As `kill` does; returns the exit status.
    pub(crate) async fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().await.unwrap().code()
    }
}
