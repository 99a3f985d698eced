//! The answers of token endpoints: one tolerant reader for all providers (RFC 6749, 5).

mod answer;
mod error_table;
mod fields;
mod lifetime;

pub(crate) use answer::{TokenAnswer, read_refusal, read_token_answer};
pub(crate) use error_table::{ErrorTable, OPENID_ERRORS};
