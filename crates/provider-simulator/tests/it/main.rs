//! The simulator over HTTP, as a client meets it.

mod browser;
mod code_flow;
mod control;
mod device_flow;
mod facts;
mod fault_effects;
mod lifecycle;
mod pages;
mod sites;
mod whose_tokens;
