//! Background loops: refreshes, jobs, revocations, device flows whose callers have left, news for those who wait for links, and
//! clean-up.
//!
//! Each loop does one chore until there is nothing to do, rests, and looks again. What fails is
//! logged and tried again later, ever more slowly; neither an error nor a panic ends a loop. The work itself is the
//! domain's: many processes may run these loops over one store, which gives each piece of work to one of them.
#![deny(missing_docs)]

mod causes;
mod chore;
mod chores;
mod pace;
mod rounds;
mod workers;

pub use workers::{WorkerSettings, Workers};
