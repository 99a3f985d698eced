//! API tokens of our own.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantkeeper_domain::fuzz::api_token(data));
