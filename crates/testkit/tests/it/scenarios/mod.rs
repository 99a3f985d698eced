//! The use cases together, over the in-memory store, in virtual time.

mod accounts;
mod browser_flow;
mod code_exchange;
mod deleting_accounts;
mod deleting_providers;
mod device_flow;
mod flow_repeats;
mod flow_state;
mod lending;
mod looking_up;
mod providers;
mod refreshing_ahead;
mod replicas;
mod revoking;
mod statistics;
mod workers;
mod world;
