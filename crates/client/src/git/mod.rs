//! Git's protocol for credential helpers (`git help credential`, "INPUT/OUTPUT FORMAT"; `git help gitcredentials`, "CUSTOM
//! HELPERS"): lines of `key=value`, ended by an empty one or by the end.

mod answer;
mod request;

pub use answer::{CredentialAnswer, QUIT};
pub use request::CredentialRequest;

/// Why what git says, or what it is to be told, is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitProtocolError {
    /// A line is no `key=value`.
    #[error("git has sent a line that is no key=value")]
    Line,
    /// A value has a character that ends lines, or steers a terminal.
    #[error("git has sent a value with a control character in it")]
    ControlCharacter,
    /// More than a description of credentials ever is.
    #[error("git has sent more than a description of credentials")]
    TooLong,
    /// The service has lent a token that would end the line.
    #[error("the token cannot be told to git: there is a control character in it")]
    Unspeakable,
}
