//! The benchmark of handing out valid tokens.

mod report;
mod targets;

use std::rc::Rc;

pub(crate) use self::report::label;
use self::report::{Comparison, Report, Run};
use crate::contender::{Contender, WebServer};
use crate::failure::Failure;
use crate::load::Connections;
use crate::machine::Machine;
use crate::options::{HandOut, Program, StoreKind};
use crate::planted::Planted;
use crate::population::{JWT, Population};
use crate::postgres::{PGBENCH_READ, PGBENCH_READS};
use crate::report::write;
use crate::rounds::compare;

/// The service, asked for tokens of any authorization.
pub(crate) const SERVICE: &str = "service";
/// The service, asked for those of few authorizations again and again.
pub(crate) const SERVICE_HOT: &str = "service_hot";
/// The bare web handler.
pub(crate) const PEER: &str = "peer";

/// The service as it is set by default.
pub(crate) const BY_DEFAULT: &str = "default";
/// The service with the record of every hand-out on disk before its token leaves.
pub(crate) const BEFORE_RELEASE: &str = "before_release";

/// How many authorizations are hot: each of an account of its own, where there are as many accounts.
pub(crate) const HOT: u64 = 64;
/// The authorization whose answer the bare handler gives.
const RECORDED: u64 = 0;

/// Measures what was asked for, prints it, and writes it down.
pub(crate) fn run(options: &HandOut) -> Result<(), Failure> {
    let machine = Machine::here();
    let mut runs = Vec::new();
    for store in options.databases.stores() {
        let run = measure(store, options)?;
        println!("{}", run.told(&machine, options.pace.effort()));
        runs.push(run);
    }
    write(&Report::of(machine, options.pace.effort(), runs), options.json.as_deref())
}

/// All that is measured over one database, one load after the other.
fn measure(store: StoreKind, options: &HandOut) -> Result<Run, Failure> {
    let population = Population::of(options.authorizations(store), JWT);
    let population = if options.long_unused { population.long_unused() } else { population };
    let planted = Planted::new(store, &options.databases.server, population)?;
    let by_default = by_default(&planted, options)?;
    let before_release = before_release(&planted, options)?;
    Ok(Run::of(store, population, planted.place.settings()?, vec![by_default, before_release]))
}

fn by_default(planted: &Planted, options: &HandOut) -> Result<Comparison, Failure> {
    let connections = Connections::open(options.connections());
    let mut contenders = web_servers(planted, &options.program, connections)?;
    for name in [PGBENCH_READ, PGBENCH_READS] {
        if let Some(pgbench) = planted.pgbench(name, connections)? {
            contenders.push(Box::new(pgbench));
        }
    }
    let measured = compare(contenders, options.pace.effort())?;
    Ok(Comparison::of(BY_DEFAULT, connections, &options.program, &measured))
}

fn before_release(planted: &Planted, options: &HandOut) -> Result<Comparison, Failure> {
    let connections = Connections::open(options.connections_before_release());
    let program = options.program.with(&["tokens.hand_out_record=before_release"]);
    let measured = compare(web_servers(planted, &program, connections)?, options.pace.effort())?;
    Ok(Comparison::of(BEFORE_RELEASE, connections, &program, &measured))
}

/// The bare handler with one of the service's answers, and the service, asked in two ways.
fn web_servers(
    planted: &Planted,
    program: &Program,
    connections: Connections,
) -> Result<Vec<Box<dyn Contender>>, Failure> {
    let installation = &planted.place.installation;
    let all = planted.any_of(u64::MAX);
    let service = Rc::new(installation.serve(&planted.place.url(), program)?);
    let asked = planted.hand_outs(service.address, all, None);
    let answer = asked.sample(RECORDED).map_err(|failure| format!("{failure}\n{}", service.log()))?;
    let peer = Rc::new(installation.peer(&answer, program.workers())?);
    let database = planted.place.process();
    Ok(vec![
        Box::new(WebServer {
            name: PEER,
            hand_outs: planted.hand_outs(peer.address, all, Some(RECORDED)),
            server: peer,
            connections,
            database: None,
        }),
        Box::new(WebServer {
            name: SERVICE_HOT,
            hand_outs: planted.hand_outs(service.address, planted.any_of(HOT), None),
            server: Rc::clone(&service),
            connections,
            database,
        }),
        Box::new(WebServer { name: SERVICE, hand_outs: asked, server: service, connections, database }),
    ])
}
