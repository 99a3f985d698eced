//! PostgreSQL for tests: throw-away servers, and databases that only one test sees.
//!
//! The script `with-postgres` beside this crate starts and removes the servers. `just test` runs everything under one of
//! them; a test binary that is run without gets its own, which ends with the process, however that ends. The script says
//! what it needs where something is missing.
//!
//! An adapter's tests bring one database up to date and copy it for every test, which is faster than migrating each:
//!
//! ```no_run
//! use std::sync::LazyLock;
//!
//! use grantkeeper_testkit::postgres::{Database, PostgresCluster};
//!
//! static TEMPLATE: LazyLock<Database> = LazyLock::new(|| {
//!     let database = PostgresCluster::shared().fresh_database();
//!     database.sql("CREATE TABLE things (id uuid PRIMARY KEY)");
//!     database
//! });
//!
//! let database = Database::from_template(&TEMPLATE);
//! // What is under test connects to `database.url()`; the test looks at what it has done there.
//! assert_eq!(database.sql("SELECT count(*) FROM things"), "0\n");
//! ```
//!
//! A database in a `static` is not dropped; it goes with the server.
//!
//! All of this blocks its thread, as tests may, and panics where PostgreSQL cannot be had. Nothing of it is `Debug`: the
//! URLs have a password in them.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};

use url::Url;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/with-postgres");

/// A PostgreSQL server whose user may do everything. One that this process started ends with the value and the
/// databases in it.
pub struct PostgresCluster {
    server: Arc<Server>,
}

/// A database that nobody else knows. It goes with the value, whoever is still connected.
pub struct Database {
    server: Arc<Server>,
    name: String,
    url: String,
}

impl PostgresCluster {
    /// The server that all tests share: the one that the environment names, or else one of this process.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<PostgresCluster> = LazyLock::new(|| {
            let server = Server::of_environment().unwrap_or_else(|| Server::start(&[]));
            PostgresCluster { server: Arc::new(server) }
        });
        &SHARED
    }

    /// A server for one test, which may crash it. What it has committed it keeps.
    pub fn start() -> Self {
        Self { server: Arc::new(Server::start(&[])) }
    }

    /// A server that flushes to the disk as a real one does, where the time that it takes matters.
    pub fn start_durable() -> Self {
        Self { server: Arc::new(Server::start(&["--durable"])) }
    }

    /// The URL of the database that every server has.
    pub fn url(&self) -> &str {
        self.server.url.as_str()
    }

    /// The certificate, in PEM, of the authority that vouches for the server as `127.0.0.1` and `localhost`. A server
    /// that was not started by the script may lack one.
    pub fn ca_certificate(&self) -> Option<&Path> {
        self.server.ca_certificate.as_deref()
    }

    /// Stops the server as a crash does, and starts it again at the same address.
    pub fn restart(&self) {
        self.server.control(&["restart", "-m", "immediate"]);
    }

    /// Stops the server as a crash does.
    pub fn stop(&self) {
        self.server.control(&["stop", "-m", "immediate"]);
    }

    /// Starts the stopped server again at the same address.
    pub fn start_again(&self) {
        self.server.control(&["start"]);
    }

    /// A new, empty database.
    pub fn fresh_database(&self) -> Database {
        Database::create(&self.server, "template1")
    }
}

impl Database {
    /// A copy of a database to which nobody is connected.
    pub fn from_template(template: &Self) -> Self {
        Self::create(&template.server, &template.name)
    }

    /// A URL with which to connect to it, with the name and the password of a user who may do everything.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements as a stranger would, each in a transaction of its own. Returns the rows that came back, each
    /// with a line break, the columns apart by `|`.
    ///
    /// # Panics
    /// When one of the statements fails.
    pub fn sql(&self, statements: &str) -> String {
        self.try_sql(statements).unwrap_or_else(|error| panic!("{error}in {statements}"))
    }

    /// Like [`Database::sql`], for statements that may fail. Those after the first one that does are not run.
    ///
    /// # Errors
    /// What psql has to say.
    pub fn try_sql(&self, statements: &str) -> Result<String, String> {
        self.server.psql(&self.url, &[], statements)
    }

    /// Copied file by file where nothing is flushed, which takes a fraction of the time that it takes by way of the
    /// log. Before version 15 there is no other way, and no word for it. The server makes up the name: it may have
    /// other clients.
    fn create(server: &Arc<Server>, template: &str) -> Self {
        const SCRIPT: &str = r#"
            SELECT 'test_' || replace(gen_random_uuid()::text, '-', '') AS name,
                CASE WHEN :SERVER_VERSION_NUM >= 150000 AND current_setting('fsync') = 'off'
                    THEN 'STRATEGY file_copy' ELSE '' END AS strategy
            \gset
            CREATE DATABASE :"name" TEMPLATE :"template" :strategy;
            SELECT :'name';
        "#;
        let name = server.maintain(&[("template", template)], SCRIPT).trim().to_owned();
        let mut url = server.url.clone();
        url.set_path(&name);
        Self { server: Arc::clone(server), name, url: url.into() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that is stopped keeps it, and mostly goes next.
        let script = r#"DROP DATABASE :"name" WITH (FORCE)"#;
        let _ = self.server.psql(self.server.url.as_str(), &[("name", &self.name)], script);
    }
}

struct Server {
    url: Url,
    ca_certificate: Option<PathBuf>,
    control: Option<CommandLine>,
    psql: CommandLine,
    /// Of a server that this process started.
    _script: Option<Script>,
}

impl Server {
    /// The server that somebody else looks after. Its URL is all that it must have.
    fn of_environment() -> Option<Self> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        Some(Self {
            url: parsed(&variable("TEST_POSTGRES")?),
            ca_certificate: variable("TEST_POSTGRES_CA").map(PathBuf::from),
            control: variable("TEST_POSTGRES_CTL").map(CommandLine),
            psql: CommandLine(variable("TEST_POSTGRES_PSQL").unwrap_or_else(|| "psql -X".to_owned())),
            _script: None,
        })
    }

    fn start(options: &[&str]) -> Self {
        let (script, told) = Script::start(options);
        let [url, ca_certificate, control, psql] = told;
        Self {
            url: parsed(&url),
            ca_certificate: Some(ca_certificate.into()),
            control: Some(CommandLine(control)),
            psql: CommandLine(psql),
            _script: Some(script),
        }
    }

    fn control(&self, arguments: &[&str]) {
        let control =
            self.control.as_ref().expect("only a server of the script's can be stopped and started");
        let done =
            control.command().args(arguments).stdin(Stdio::null()).output().expect("pg_ctl can be run");
        let said = [done.stdout, done.stderr].concat();
        assert!(done.status.success(), "pg_ctl {arguments:?}: {}", String::from_utf8_lossy(&said));
    }

    /// Runs a script for psql in the database that every server has.
    fn maintain(&self, variables: &[(&str, &str)], script: &str) -> String {
        self.psql(self.url.as_str(), variables, script).unwrap_or_else(|error| panic!("{error}in {script}"))
    }

    fn psql(&self, url: &str, variables: &[(&str, &str)], script: &str) -> Result<String, String> {
        let mut command = self.psql.command();
        command.args(["--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        command.args(variables.iter().map(|(name, value)| format!("--set={name}={value}")));
        command.args(["--file=-", "--dbname", url]);
        let mut psql = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("psql cannot be run: {error}"));
        let mut input = psql.stdin.take().expect("it is piped");
        // A psql that has given up reads no further; how it ended tells why.
        let _ = input.write_all(script.as_bytes());
        drop(input);
        let ended = psql.wait_with_output().expect("psql can be waited for");
        let text = |bytes| String::from_utf8(bytes).expect("psql speaks UTF-8");
        if ended.status.success() { Ok(text(ended.stdout)) } else { Err(text(ended.stderr)) }
    }
}

fn parsed(url: &str) -> Url {
    // The text has a password in it.
    Url::parse(url).expect("TEST_POSTGRES is a URL")
}

/// A program and its first arguments, none of them with a space.
struct CommandLine(String);

impl CommandLine {
    fn command(&self) -> Command {
        let mut words = self.0.split_whitespace();
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words);
        command
    }
}

/// The script while it runs a server.
struct Script(Child);

impl Script {
    /// Returns what the script puts into the environment: the URL, the certificate and how to call `pg_ctl` and `psql`.
    ///
    /// The script ends when the pipe to it is closed, as it is when this process ends, be it killed. In a process group
    /// of its own it outlives whoever kills this process with all its children, and tidies up.
    fn start(options: &[&str]) -> (Self, [String; 4]) {
        const COMMAND: &str = r#"printf '%s\n' "$TEST_POSTGRES" "$TEST_POSTGRES_CA" \
            "$TEST_POSTGRES_CTL" "$TEST_POSTGRES_PSQL"; exec cat >/dev/null"#;
        let mut child = Command::new("bash")
            .args([SCRIPT, "--own"])
            .args(options)
            .args(["sh", "-c", COMMAND])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("bash {SCRIPT} cannot be run: {error}"));
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut line = || match lines.next() {
            Some(line) => line.expect("the script speaks UTF-8"),
            None => panic!("no PostgreSQL: the script has said why"),
        };
        let told = [line(), line(), line(), line()];
        (Self(child), told)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It has removed the server when it ends.
        let _ = self.0.wait();
    }
}
