//! The benchmark of size: what more authorizations cost.
//!
//! All sizes are asked at the same pace, for one authorization after the other, so that none is asked for again while the
//! service still remembers it: what is compared is the way through the database.

mod report;

use std::rc::Rc;

use self::report::Report;
use crate::contender::{Contender, WebServer};
use crate::failure::Failure;
use crate::hand_out::{PEER, SERVICE};
use crate::load::{Asking, Connections};
use crate::machine::Machine;
use crate::options::Growth;
use crate::planted::Planted;
use crate::population::{Population, REFERENCE};
use crate::report::write;
use crate::rounds::compare;

/// Measures all sizes in turns, prints what that came to, and writes it down.
pub(crate) fn run(options: &Growth) -> Result<(), Failure> {
    let machine = Machine::here();
    let plant = |authorizations| {
        let population = Population::of_same_accounts(authorizations, REFERENCE);
        Planted::new(options.store, &options.server, population)
    };
    let planted = options.sizes().into_iter().map(plant).collect::<Result<Vec<_>, _>>()?;
    let measured = compare(contenders(&planted, options)?, options.pace.effort())?;
    let server = planted.first().map(|first| first.place.settings()).transpose()?.flatten();
    let report = Report::of(machine, options, server, &measured)?;
    println!("{report}");
    write(&report, options.json.as_deref())
}

/// The bare handler; then the service over each size.
fn contenders(planted: &[Planted], options: &Growth) -> Result<Vec<Box<dyn Contender>>, Failure> {
    let connections = Connections::open(options.connections());
    let asking = Asking::InTurns(options.rate);
    let mut contenders: Vec<Box<dyn Contender>> = Vec::new();
    for database in planted {
        let installation = &database.place.installation;
        let server = Rc::new(installation.serve(&database.place.url(), &options.program)?);
        let hand_outs = database.hand_outs(server.address, asking, None);
        if contenders.is_empty() {
            let answer = hand_outs.sample(0).map_err(|failure| format!("{failure}\n{}", server.log()))?;
            let peer = Rc::new(installation.peer(&answer, options.program.workers())?);
            let hand_outs = database.hand_outs(peer.address, asking, Some(0));
            let peer = WebServer { name: PEER, server: peer, hand_outs, connections, database: None };
            contenders.push(Box::new(peer));
        }
        let process = database.place.process();
        let service = WebServer { name: SERVICE, server, hand_outs, connections, database: process };
        contenders.push(Box::new(service));
    }
    Ok(contenders)
}
