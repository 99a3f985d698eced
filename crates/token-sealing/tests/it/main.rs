//! The sealer as its callers see it, over a store whose rows the tests can move about.

mod canary;
mod data_keys;
mod master_key;
mod sealing;
mod support;
mod swaps;
