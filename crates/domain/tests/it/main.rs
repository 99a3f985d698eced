//! What the crate shows to those who use it.

#[cfg(feature = "mock")]
mod mocks;
