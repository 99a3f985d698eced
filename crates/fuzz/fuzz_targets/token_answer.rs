//! Answers of token endpoints.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantkeeper_provider_clients::fuzz::token_answer(data));
