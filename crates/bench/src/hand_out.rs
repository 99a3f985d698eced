//! The benchmark of handing out valid tokens.

use std::sync::Arc;

use grantkeeper_store_diesel::{DieselStore, OpenOptions};
use grantkeeper_token_sealing::MasterKey;
use tokio::runtime::Runtime;

use crate::contender::{Contender, WebServer};
use crate::disk;
use crate::failure::{Failure, while_doing};
use crate::figures::Round;
use crate::installation::Installation;
use crate::load::{Connections, HandOuts};
use crate::options::{Effort, HandOut, StoreKind, cores};
use crate::population::Population;
use crate::postgres::{Database, PGBENCH_ALL, PGBENCH_READS, Pgbench, copy_authorizations};
use crate::report::{Conditions, Report, Run};
use crate::seeds::{Known, Seeds};
use crate::sequence::Sequence;

/// The service that all is about.
pub(crate) const SERVICE: &str = "service";
/// The bare web handler.
pub(crate) const PEER: &str = "peer";

/// The authorization whose answer the bare handler gives.
const RECORDED: u64 = 0;

/// Measures what was asked for, prints it, and writes it down.
pub(crate) fn run(options: &HandOut) -> Result<(), Failure> {
    let conditions = Conditions::of(options);
    let mut runs = Vec::new();
    for store in options.stores() {
        for authorizations in options.sizes() {
            let run = measure(store, Population { authorizations }, options)?;
            println!("{}", run.table(&conditions));
            runs.push(run);
        }
    }
    let report = Report::of(conditions, runs);
    print!("{}", report.growth_table());
    match &options.json {
        Some(file) => report.write(file).map_err(while_doing(format!("writing {}", file.display()))),
        None => Ok(()),
    }
}

fn say(text: &str) {
    eprintln!("bench: {text}");
}

fn measure(store: StoreKind, population: Population, options: &HandOut) -> Result<Run, Failure> {
    let random = Arc::new(Sequence::new(population.authorizations));
    let installation = Installation::new(&random)?;
    match store {
        StoreKind::Sqlite => over_sqlite(&installation, random, population, options),
        StoreKind::Postgres => over_postgres(&installation, random, population, options),
    }
}

fn over_sqlite(
    installation: &Installation,
    random: Arc<Sequence>,
    population: Population,
    options: &HandOut,
) -> Result<Run, Failure> {
    disk::check_room(installation.folder(), population.authorizations)?;
    say(&format!("seeding SQLite with {} authorizations", population.authorizations));
    let url = installation.sqlite_url();
    let key = installation.key()?;
    let api_tokens = Runtime::new()?.block_on(async {
        let store = Arc::new(DieselStore::open(&url, OpenOptions::default()).await?);
        let seeds = Seeds::plant(&store, key, random, population).await?;
        seeds.commit_authorizations(&store).await?;
        Ok::<_, Failure>(seeds.api_tokens())
    })?;
    let contenders = web_servers(installation, &url, population, &api_tokens, None, options)?;
    let measured = compare(contenders, options.effort())?;
    Ok(Run::of(StoreKind::Sqlite, population, None, &measured))
}

fn over_postgres(
    installation: &Installation,
    random: Arc<Sequence>,
    population: Population,
    options: &HandOut,
) -> Result<Run, Failure> {
    let server = options.postgres.as_ref().ok_or("--postgres has to name a server")?;
    let database = Database::create(&options.psql, server)?;
    if let Some(folder) = database.data_folder() {
        disk::check_room(&folder, population.authorizations)?;
    }
    say(&format!("seeding PostgreSQL with {} authorizations", population.authorizations));
    let (api_tokens, known) = seed_postgres(&database, installation.key()?, random, population)?;
    let (url, process) = (database.url(), database.process());
    let mut contenders = web_servers(installation, url.as_str(), population, &api_tokens, process, options)?;
    for name in [PGBENCH_READS, PGBENCH_ALL] {
        let folder = installation.folder();
        let pgbench = Pgbench::prepare(name, &database, folder, population, &known, connections(options))?;
        contenders.push(Box::new(pgbench));
    }
    let measured = compare(contenders, options.effort())?;
    Ok(Run::of(StoreKind::Postgres, population, Some(database.settings()?), &measured))
}

/// Gives the API tokens, and what SQL has to know.
fn seed_postgres(
    database: &Database,
    key: MasterKey,
    random: Arc<Sequence>,
    population: Population,
) -> Result<(Arc<[String]>, Known), Failure> {
    // The store's connections end with it.
    let runtime = Runtime::new()?;
    let seeds = runtime.block_on(async {
        let opening = OpenOptions { migrate: true, ..OpenOptions::default() };
        let store = Arc::new(DieselStore::open(database.url().as_str(), opening).await?);
        Seeds::plant(&store, key, random, population).await
    })?;
    copy_authorizations(database, &runtime, &seeds, population)?;
    Ok((seeds.api_tokens(), seeds.known().ok_or("there is no account")?))
}

/// Half of the cores for those who ask: more would only be taken from those who answer.
fn connections(options: &HandOut) -> Connections {
    Connections { count: options.connections(), threads: (cores() / 2).max(1) }
}

/// The service over that database, and the bare handler with one of its answers.
fn web_servers(
    installation: &Installation,
    database_url: &str,
    population: Population,
    api_tokens: &Arc<[String]>,
    database: Option<u32>,
    options: &HandOut,
) -> Result<Vec<Box<dyn Contender>>, Failure> {
    let connections = connections(options);
    let hand_outs = |address, always| {
        Arc::new(HandOuts { address, population, api_tokens: Arc::clone(api_tokens), always })
    };
    let server = installation.serve(database_url, options)?;
    let asked = hand_outs(server.address, None);
    let answer = asked.sample(RECORDED).map_err(|failure| format!("{failure}\n{}", server.log()))?;
    let service = WebServer { name: SERVICE, server, hand_outs: asked, connections, database };
    let server = installation.peer(&answer, options)?;
    let asked = hand_outs(server.address, Some(RECORDED));
    let peer = WebServer { name: PEER, server, hand_outs: asked, connections, database: None };
    Ok(vec![Box::new(peer), Box::new(service)])
}

/// A contender's name and its rounds.
pub(crate) type Measured = (&'static str, Vec<Round>);

/// Warms all of them up, then measures them in turns.
fn compare(mut contenders: Vec<Box<dyn Contender>>, effort: Effort) -> Result<Vec<Measured>, Failure> {
    for contender in &mut contenders {
        say(&format!("warming up: {}", contender.name()));
        contender.round(0, effort.warm_up)?;
    }
    let mut measured: Vec<Measured> =
        contenders.iter().map(|contender| (contender.name(), Vec::new())).collect();
    for number in 1..=effort.rounds {
        say(&format!("round {number} of {}", effort.rounds));
        for (contender, (_, rounds)) in contenders.iter_mut().zip(&mut measured) {
            rounds.push(contender.round(number, effort.length)?);
        }
    }
    Ok(measured)
}
