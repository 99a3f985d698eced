//! Redirect URIs of callers, and the list they are matched against.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantkeeper_domain::fuzz::redirect_uri(data));
