//! The benchmark of starting: how soon the first token is handed out, and what an idle service takes.

mod report;

use std::time::Duration;

use self::report::{Report, Run};
use crate::child::Server;
use crate::failure::Failure;
use crate::hand_out::{PEER, SERVICE};
use crate::machine::Machine;
use crate::memory::Resident;
use crate::options::{StartUp, StoreKind};
use crate::planted::Planted;
use crate::population::{JWT, Population};
use crate::report::write;
use crate::rounds::say;
use crate::stopwatch::{now, rest};

/// How many authorizations there are: some, for it is not about them.
const AUTHORIZATIONS: u64 = 1_000;
/// The one that is asked for.
const ASKED: u64 = 0;

/// One start of a program.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// From the moment before it was started to the end of its first answer.
    first_answer: Duration,
    /// What it has in memory once it has idled for a while, in bytes.
    idle_memory: Option<u64>,
}

/// All starts of one program.
struct Starts {
    contender: &'static str,
    starts: Vec<Start>,
}

/// Measures what was asked for, prints it, and writes it down.
pub(crate) fn run(options: &StartUp) -> Result<(), Failure> {
    let machine = Machine::here();
    let mut runs = Vec::new();
    for store in options.databases.stores() {
        let run = measure(store, options)?;
        println!("{}", run.told(&machine, options.starts()));
        runs.push(run);
    }
    write(&Report::of(machine, options.starts(), runs), options.json.as_deref())
}

fn measure(store: StoreKind, options: &StartUp) -> Result<Run, Failure> {
    let population = Population::of(AUTHORIZATIONS, JWT);
    let planted = Planted::new(store, &options.databases.server, population)?;
    let installation = &planted.place.installation;
    let url = planted.place.url();
    let program = &options.program;
    let serve = || installation.serve(&url, program);
    // What the bare handler will answer; and with this the program has been read from the disk once.
    let answer = {
        let server = serve()?;
        ask(&planted, &server, None)?
    };
    let mut peer = Starts { contender: PEER, starts: Vec::new() };
    let mut service = Starts { contender: SERVICE, starts: Vec::new() };
    for number in 1..=options.starts() {
        say(&format!("start {number} of {}", options.starts()));
        let idles = options.idles();
        peer.starts.push(start(
            || installation.peer(&answer, program.workers()),
            |server| ask(&planted, server, Some(ASKED)),
            idles,
        )?);
        service.starts.push(start(serve, |server| ask(&planted, server, None), idles)?);
    }
    Ok(Run::of(store, &[peer, service]))
}

/// Starts a program, asks it once, and lets it idle.
fn start(
    program: impl FnOnce() -> Result<Server, Failure>,
    ask: impl FnOnce(&Server) -> Result<Vec<u8>, Failure>,
    idles: Duration,
) -> Result<Start, Failure> {
    let begin = now();
    let server = program()?;
    ask(&server)?;
    let first_answer = now() - begin;
    rest(idles);
    Ok(Start { first_answer, idle_memory: Resident::of(server.id()).map(|resident| resident.now) })
}

/// One hand-out, over a new connection.
fn ask(planted: &Planted, server: &Server, always: Option<u64>) -> Result<Vec<u8>, Failure> {
    let all = planted.any_of(u64::MAX);
    let hand_outs = planted.hand_outs(server.address, all, always);
    Ok(hand_outs.sample(ASKED).map_err(|failure| format!("{failure}\n{}", server.log()))?)
}
