//! A client of the service, for programs and for the commands.
//!
//! - [`Service`] makes the calls: signing in ([`login`]), links to providers ([`links`], [`device_flow`]) and the tokens that
//!   they are good for ([`tokens`]).
//! - [`credentials`] is where the token of a person is kept, and which one counts.
//! - [`git`] is git's protocol for credential helpers, without any input or output.
//!
//! It keeps no time and waits for nothing by itself: a call that may be asked again says so ([`ClientError::ask_again`]).

mod answer;
pub mod credentials;
pub mod device_flow;
mod error;
pub mod git;
pub mod links;
pub mod login;
mod secret;
mod service;
mod service_url;
mod shown;
pub mod tokens;

pub use error::{AskAgain, ClientError, Refusal};
pub use secret::Secret;
pub use service::Service;
pub use service_url::{ServiceUrl, ServiceUrlError};
pub use shown::shown;
