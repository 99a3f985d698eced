//! The commands of those who use a service.

mod links;
mod login;
pub(crate) mod person;
