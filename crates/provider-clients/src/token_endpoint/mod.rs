//! The answers of token endpoints and their kin: one tolerant reader for all providers (RFC 6749, 5).

mod answer;
mod device;
mod error_table;
mod fields;
mod lifetime;

pub(crate) use answer::{TokenAnswer, read_refusal, read_token_answer};
pub(crate) use device::{PollRefusal, read_device_authorization, read_poll_refusal};
pub(crate) use error_table::{ErrorClass, ErrorTable, OPENID_ERRORS, row, subtype_row};
