//! The settings as the program sees them.

mod example;
mod keys;
mod layers;
mod refusals;
mod support;
