//! The rules of the house, which no crate can check about itself; and the use cases at work together.

mod dependency_rule;
mod documentation;
mod lints;
mod migrations;
mod postgres;
mod postgres_schema;
// Says that all of it is tests, so that its fixtures may unwrap as tests do.
#[cfg(test)]
mod refresh_races;
#[cfg(test)]
mod scenarios;
mod workspace;
