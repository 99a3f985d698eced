//! The settings as the program sees them.

mod example;
mod external_auth;
mod keys;
mod layers;
mod login;
mod refusals;
mod support;
