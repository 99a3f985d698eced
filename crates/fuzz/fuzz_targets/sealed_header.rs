//! What rests, taken apart and opened.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantkeeper_token_sealing::fuzz::sealed_header(data));
