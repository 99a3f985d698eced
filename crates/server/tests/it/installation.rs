//! An installation as an operator sets it up, with the real binary.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command as AsyncCommand};

use crate::callers::{Answer, Caller, answer, client};
use crate::stores::{Store, StoreKind};

const BINARY: &str = env!("CARGO_BIN_EXE_grantkeeper");

/// A folder with a key, a store, and the settings in the environment.
pub(crate) struct Installation {
    pub(crate) folder: TempDir,
    pub(crate) base_url: String,
    pub(crate) store: Store,
    environment: BTreeMap<String, String>,
}

/// A running service; it is killed when this goes.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) ready: Value,
    /// Where this process can be reached, which need not be the public URL.
    pub(crate) base_url: String,
}

impl Installation {
    /// With SQLite.
    pub(crate) fn new() -> Self {
        Self::on(StoreKind::Sqlite)
    }

    /// Ready to serve.
    pub(crate) fn on(kind: StoreKind) -> Self {
        match kind {
            StoreKind::Sqlite => Self::set_up(|folder| Store::Sqlite(folder.join("grantkeeper.db"))),
            StoreKind::Postgres => {
                let installation = Self::over(Store::postgres());
                installation.run(&["migrate"]);
                installation
            }
        }
    }

    /// Over a store with which nothing was done yet.
    pub(crate) fn over(store: Store) -> Self {
        Self::set_up(|_| store)
    }

    /// With a key, on a free port, allowed to call providers on loopback.
    fn set_up(store: impl FnOnce(&Path) -> Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base_url = format!("http://127.0.0.1:{port}");
        let store = store(folder.path());
        let mut installation =
            Self { folder, base_url: base_url.clone(), store, environment: BTreeMap::new() };
        installation.set("LISTEN", &format!("127.0.0.1:{port}"));
        installation.set("PUBLIC_URL", &base_url);
        installation.set("DATABASE_URL", &installation.store.url());
        installation.set("NETWORK__ALLOW", "127.0.0.1/32");
        // A connection takes long to make in a debug build, which computes the proof of a password slowly.
        installation.set("DATABASE_CONNECTIONS", "4");
        // Nobody likes to wait for a test.
        installation.set("JOBS__POLL_INTERVAL_MS", "50");
        let key = installation.path("grantkeeper.key");
        installation.run(&["key", "generate", "--out", key.to_str().unwrap()]);
        installation.set("KEYS__FILE", key.to_str().unwrap());
        installation
    }

    /// With the simulated provider, which approves at once.
    pub(crate) fn with_simulator() -> Self {
        Self::with_simulator_on(StoreKind::Sqlite)
    }

    pub(crate) fn with_simulator_on(kind: StoreKind) -> Self {
        let mut installation = Self::on(kind);
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
        let mut command = Command::new(BINARY);
        command.args(arguments);
        self.prepare(&mut command);
        command.output().unwrap()
    }

    fn prepare(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        clean_environment(command);
        command.envs(&self.environment);
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

    /// A token that reads the access tokens of an account.
    pub(crate) fn agent_token(&self, email: &str) -> String {
        let issued = self.run(&["token", "create", "--account", email, "--agent"]);
        issued["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn caller(&self, token: &str) -> Caller {
        Caller::new(&self.base_url, token)
    }

    /// What the service has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Starts the service at its public address and waits until it answers.
    pub(crate) async fn serve(&self) -> Running {
        self.serve_with(&[]).await
    }

    /// The same with flags.
    pub(crate) async fn serve_with(&self, flags: &[&str]) -> Running {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--json"]).args(flags);
        self.start(command).await
    }

    /// Starts that many processes over the one store and key: the first at the public address, each other one at an
    /// address of its own.
    pub(crate) async fn serve_replicas(&self, number: usize) -> Vec<Running> {
        let mut replicas = vec![self.serve().await];
        while replicas.len() < number {
            replicas.push(self.serve_with(&["--listen", "127.0.0.1:0"]).await);
        }
        replicas
    }

    /// Starts the service in a process that ignores the signal of a file that may not grow, as it may be told by
    /// [`Running::limit_files`]. Its log goes nowhere.
    #[cfg(target_os = "linux")]
    pub(crate) async fn serve_with_limited_files(&self) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" serve --json 2>/dev/null", BINARY]);
        self.start(command).await
    }

    /// Starts the service with a log that cannot be written.
    #[cfg(target_os = "linux")]
    pub(crate) async fn serve_with_full_log(&self) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" serve --json 2>/dev/full", BINARY]);
        self.start(command).await
    }

    async fn start(&self, mut command: Command) -> Running {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        self.prepare(&mut command);
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = AsyncCommand::from(command).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line =
            lines.next_line().await.unwrap().unwrap_or_else(|| panic!("did not start: {}", self.log()));
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let base_url = ready["listening"].as_str().unwrap().to_owned();
        Running { child, ready, base_url }
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

    /// What a path outside the API answers.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(client().get(format!("{}{path}", self.base_url))).await
    }

    /// How many connections the process has, to callers and to others.
    #[cfg(target_os = "linux")]
    pub(crate) fn sockets(&self) -> usize {
        let descriptors = format!("/proc/{}/fd", self.child.id().unwrap());
        let targets =
            std::fs::read_dir(descriptors).unwrap().filter_map(|entry| entry.ok()?.path().read_link().ok());
        targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    }

    /// Whether the process is still there.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Lets no file of the process grow beyond so many bytes; `None`: as far as the disk has room.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let bytes = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let id = self.child.id().unwrap().to_string();
        let limit = format!("--fsize={bytes}:");
        assert!(Command::new("prlimit").args(["--pid", &id, &limit]).status().unwrap().success());
    }

    /// As `kill -9` does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// As `kill` does; returns the exit status.
    pub(crate) async fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().await.unwrap().code()
    }

    /// Lets nothing of the process go on, as on a machine that hangs.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on where it was.
    pub(crate) fn wake(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
    }
}
