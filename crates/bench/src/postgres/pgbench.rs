//! The database alone, under the same statements: what `pgbench -M prepared` makes of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use hdrhistogram::Histogram;
use url::Url;

use super::{Database, as_the_store_does, said};
use crate::contender::{Contender, Usage};
use crate::failure::{Failure, while_doing};
use crate::figures::Round;
use crate::load::{Connections, histogram};
use crate::population::{Population, authorization_id_head};
use crate::seeds::Known;

/// What a hand-out reads whose caller has been seen a moment ago: the authorization with its provider.
pub(crate) const PGBENCH_READ: &str = "pgbench_read";
/// What every other hand-out reads: the API token with its account, too.
pub(crate) const PGBENCH_READS: &str = "pgbench_reads";

const SCRIPT: &str = "script.sql";

/// A script that runs over so many connections.
pub(crate) struct Pgbench {
    name: &'static str,
    program: PathBuf,
    url: Url,
    /// The script, and pgbench's log while it runs.
    folder: PathBuf,
    connections: Connections,
    database: Option<u32>,
}

impl Pgbench {
    /// Writes the script into that folder.
    pub(crate) fn prepare(
        name: &'static str,
        database: &Database,
        folder: &Path,
        population: Population,
        known: &Known,
        connections: Connections,
    ) -> Result<Self, Failure> {
        let folder = folder.join(name);
        fs::create_dir(&folder)?;
        fs::write(folder.join(SCRIPT), script_of(name, population, known))?;
        Ok(Self {
            name,
            program: database.program("pgbench"),
            url: database.url(),
            folder,
            connections,
            database: database.process(),
        })
    }

    fn run(&self, number: u32, length: Duration) -> Result<String, Failure> {
        let mut command = Command::new(&self.program);
        command.args(["-n", "-M", "prepared", "--log", "--log-prefix=log"]);
        command.arg(format!("--random-seed={number}"));
        command.arg("-c").arg(self.connections.count.to_string());
        command.arg("-j").arg(self.connections.threads.to_string());
        match length.as_secs() {
            0 => command.args(["-t", "1"]),
            seconds => command.args(["-T", &seconds.to_string()]),
        };
        command.arg("-f").arg(SCRIPT);
        command.arg(self.url.as_str()).current_dir(&self.folder).stdin(Stdio::null());
        as_the_store_does(&mut command, &self.url);
        let output = command.output().map_err(while_doing(format!("running {}", self.program.display())))?;
        said("pgbench", output)
    }

    /// Reads the log of all threads, and removes it.
    fn latencies(&self) -> Result<Histogram<u64>, Failure> {
        let mut latencies = histogram();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("log.") {
                for line in fs::read_to_string(entry.path())?.lines() {
                    latencies.record(latency(line).ok_or_else(|| format!("pgbench logged {line:?}"))?)?;
                }
                fs::remove_file(entry.path())?;
            }
        }
        Ok(latencies)
    }
}

impl Contender for Pgbench {
    fn name(&self) -> &'static str {
        self.name
    }

    fn round(&mut self, number: u32, length: Duration) -> Result<Round, Failure> {
        let database = Usage::of(self.database);
        let output = self.run(number, length)?;
        let database_cpu = database.since();
        let latencies = self.latencies()?;
        let summary =
            Summary::parse(&output).ok_or_else(|| format!("pgbench printed no summary: {output}"))?;
        if summary.failed > 0 || summary.processed != latencies.len() {
            return Err(format!("pgbench: not every transaction was done: {output}").into());
        }
        #[expect(clippy::cast_precision_loss, reason = "a round has far fewer than 2^52 transactions")]
        let elapsed = Duration::from_secs_f64(summary.processed as f64 / summary.per_second);
        Ok(Round {
            requests: summary.processed,
            elapsed,
            p50: Duration::from_micros(latencies.value_at_quantile(0.5)),
            p99: Duration::from_micros(latencies.value_at_quantile(0.99)),
            cpu: None,
            database_cpu,
        })
    }

    fn peak_memory(&self) -> Option<u64> {
        None
    }
}

/// Every authorization takes part, and one API token: pgbench has no variables of text.
fn script_of(name: &str, population: Population, known: &Known) -> String {
    let Known { organization, token_hash: hash } = known;
    let (last, head) = (population.authorizations - 1, authorization_id_head());
    let id = format!("('{head}' || lpad(to_hex(:number::bigint), 12, '0'))::uuid");
    let caller = format!(
        "SELECT api_tokens.*, accounts.* FROM api_tokens \
         INNER JOIN accounts ON api_tokens.account_id = accounts.id WHERE api_tokens.hash = '{hash}';\n"
    );
    let authorization = format!(
        "SELECT authorizations.*, providers.* FROM authorizations \
         INNER JOIN providers ON authorizations.provider_id = providers.id \
         WHERE authorizations.id = {id} AND authorizations.organization_id = '{organization}';\n"
    );
    let reads = if name == PGBENCH_READS { caller + &authorization } else { authorization };
    format!("\\set number random(0, {last})\n{reads}")
}

/// The latency in a line of pgbench's log, in microseconds (PostgreSQL manual, pgbench, "Per-Transaction Logging").
fn latency(line: &str) -> Option<u64> {
    line.split(' ').nth(2)?.parse().ok()
}

/// What pgbench prints in the end.
#[derive(Debug, PartialEq)]
struct Summary {
    processed: u64,
    failed: u64,
    per_second: f64,
}

impl Summary {
    fn parse(output: &str) -> Option<Self> {
        let value = |name: &str| {
            let rest = output.lines().find_map(|line| line.strip_prefix(name))?;
            rest.split([' ', '/']).find(|word| !word.is_empty())
        };
        Some(Self {
            processed: value("number of transactions actually processed:")?.parse().ok()?,
            // Versions before 15 do not count them: they end with an error instead.
            failed: value("number of failed transactions:").map_or(Some(0), |failed| failed.parse().ok())?,
            per_second: value("tps =")?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read_as_pgbench_prints_it() {
        let output = "transaction type: multiple scripts\nnumber of clients: 32\nduration: 5 s\n\
            number of transactions actually processed: 76543\nnumber of failed transactions: 0 (0.000%)\n\
            latency average = 2.090 ms\ninitial connection time = 130.1 ms\n\
            tps = 15308.600000 (without initial connection time)\n\
            SQL script 1: 0.sql\n - 1196 transactions (1.6% of total, tps = 239.2)\n";
        let summary = Summary { processed: 76_543, failed: 0, per_second: 15_308.6 };
        assert_eq!(Summary::parse(output), Some(summary));
        let each =
            "number of transactions actually processed: 4/4\ntps = 100.5 (without initial connection time)\n";
        assert_eq!(Summary::parse(each), Some(Summary { processed: 4, failed: 0, per_second: 100.5 }));
        assert_eq!(Summary::parse("pgbench: error: connection refused"), None);
    }

    #[test]
    fn a_line_of_the_log_has_the_latency_in_its_third_field() {
        assert_eq!(latency("0 199 2241 0 1175850568 995598"), Some(2_241));
        assert_eq!(latency("0 199"), None);
    }

    #[test]
    fn only_the_longer_script_asks_who_the_caller_is() {
        let known = Known { organization: "0-1".to_owned(), token_hash: "abc".to_owned() };
        let population = Population::of(10, 64);
        let script = |name| script_of(name, population, &known);
        assert!(script(PGBENCH_READ).starts_with("\\set number random(0, 9)\nSELECT authorizations.*"));
        assert_eq!(script(PGBENCH_READ).matches(";\n").count(), 1);
        assert!(script(PGBENCH_READS).contains("'abc';\nSELECT authorizations.*"));
    }
}
