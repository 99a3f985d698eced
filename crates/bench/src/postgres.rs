//! A database of a PostgreSQL server, by way of its own tools: `psql` makes and fills it, `pgbench` measures it.

mod binary_copy;
mod pgbench;
mod seeding;

use std::io::{BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fmt, fs, process};

use serde::Serialize;
use url::Url;

pub(crate) use self::pgbench::{PGBENCH_READ, PGBENCH_READS, Pgbench};
pub(crate) use self::seeding::copy_authorizations;
use crate::failure::{Failure, while_doing};

/// A database of its own; it is dropped with this.
pub(crate) struct Database {
    psql: String,
    server: Url,
    name: String,
}

/// What the server is and how it is set, as far as it decides what things cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ServerSettings {
    version: String,
    shared_buffers: String,
    fsync: String,
    synchronous_commit: String,
}

impl fmt::Display for ServerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, shared_buffers, fsync, synchronous_commit } = self;
        write!(f, "PostgreSQL {version}, shared_buffers = {shared_buffers}, fsync = {fsync}, ")?;
        write!(f, "synchronous_commit = {synchronous_commit}")
    }
}

impl Database {
    /// Makes an empty database on that server.
    pub(crate) fn create(psql: &str, server: &Url) -> Result<Self, Failure> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let database = Self {
            psql: psql.to_owned(),
            server: server.clone(),
            name: format!("grantkeeper_bench_{}_{number}", process::id()),
        };
        database.ask(&database.server, &format!("CREATE DATABASE {}", database.name))?;
        Ok(database)
    }

    /// Its URL, password included.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url
    }

    /// Runs a statement; gives what it answers, without padding.
    pub(crate) fn sql(&self, statement: &str) -> Result<String, Failure> {
        self.ask(&self.url(), statement)
    }

    /// Runs a `COPY … FROM STDIN` over what `write` writes.
    pub(crate) fn copy_in(
        &self,
        statement: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut psql = self.psql(&self.url(), statement).stdin(Stdio::piped()).spawn()?;
        let written = feed(&mut psql, write);
        let output = psql.wait_with_output()?;
        // What it says is the reason for what could not be written.
        said("psql", output)?;
        written
    }

    /// How the server is set.
    pub(crate) fn settings(&self) -> Result<ServerSettings, Failure> {
        let show = |name: &str| self.sql(&format!("SHOW {name}"));
        Ok(ServerSettings {
            version: show("server_version")?,
            shared_buffers: show("shared_buffers")?,
            fsync: show("fsync")?,
            synchronous_commit: show("synchronous_commit")?,
        })
    }

    /// The first process of the server, where that is on this machine and lets itself be seen.
    pub(crate) fn process(&self) -> Option<u32> {
        let file = self.sql("SELECT pg_read_file('postmaster.pid')").ok()?;
        let process = file.lines().next()?.parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
        name.starts_with("postgres").then_some(process)
    }

    /// Where the server keeps its data, where that is on this machine.
    pub(crate) fn data_folder(&self) -> Option<PathBuf> {
        let folder = PathBuf::from(self.sql("SHOW data_directory").ok()?);
        (self.process().is_some() && folder.exists()).then_some(folder)
    }

    /// A program that came with the server, or else the one in `PATH`.
    fn program(&self, name: &str) -> PathBuf {
        let folder = self.sql("SELECT setting FROM pg_config WHERE name = 'BINDIR'").unwrap_or_default();
        let program = Path::new(&folder).join(name);
        if program.exists() { program } else { PathBuf::from(name) }
    }

    fn ask(&self, url: &Url, statement: &str) -> Result<String, Failure> {
        let answer =
            said("psql", self.psql(url, statement).stdin(Stdio::null()).spawn()?.wait_with_output()?)?;
        Ok(answer.trim_end().to_owned())
    }

    fn psql(&self, url: &Url, statement: &str) -> Command {
        // The command line is one: the shell takes it apart.
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{} \"$@\"", self.psql)).arg("sh");
        command.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", statement, "-d", url.as_str()]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        as_the_store_does(&mut command, url);
        command
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Nobody is there to hear of it; the name says where it came from.
        let _ = self.ask(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Nobody listens on the way to this machine: without TLS there, unless the URL says otherwise.
fn as_the_store_does(command: &mut Command, url: &Url) {
    let host = url.host_str().unwrap_or_default();
    if host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback()) {
        command.env("PGSSLMODE", "disable");
    }
}

fn feed(child: &mut Child, write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>) -> Result<(), Failure> {
    let stdin = child.stdin.take().ok_or("psql has no standard input")?;
    let mut stdin = BufWriter::with_capacity(1 << 20, stdin);
    write(&mut stdin)?;
    stdin.flush().map_err(while_doing("writing to psql"))
}

/// What a program printed, unless it failed.
fn said(program: &str, output: Output) -> Result<String, Failure> {
    if !output.status.success() {
        return Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
