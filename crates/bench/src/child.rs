//! Programs that are measured, as children of this one.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use crate::failure::{Failure, while_doing};

/// A server that runs until this is dropped. Its standard input is a pipe from this process.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it writes to its standard error.
    pub(crate) log: PathBuf,
}

/// The line that says that requests are answered from now on.
#[derive(Deserialize)]
struct Ready {
    listening: String,
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self, Failure> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(log)?);
        let child = command.spawn().map_err(while_doing(format!("starting {program}")))?;
        let mut server = Self { child, address: ([0, 0, 0, 0], 0).into(), log: log.to_owned() };
        server.address =
            server.ready().ok_or_else(|| format!("{program} did not start: {}", server.log()))?;
        Ok(server)
    }

    fn ready(&mut self) -> Option<SocketAddr> {
        let mut line = String::new();
        BufReader::new(self.child.stdout.take()?).read_line(&mut line).ok()?;
        let ready: Ready = serde_json::from_str(&line).ok()?;
        ready.listening.strip_prefix("http://")?.parse().ok()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it logged.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> Result<Server, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Server::start(command, &folder.path().join("log"))
    }

    #[test]
    fn a_server_says_where_it_listens() {
        let server = start("echo '{\"listening\":\"http://127.0.0.1:4711\"}'; cat >/dev/null").unwrap();
        assert_eq!(server.address, ([127, 0, 0, 1], 4_711).into());
    }

    #[test]
    fn one_that_does_not_start_tells_why() {
        let failure = start("echo no key >&2; exit 1").err().unwrap().to_string();
        assert_eq!(failure, "sh did not start: no key");
    }
}
