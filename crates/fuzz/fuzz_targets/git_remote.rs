//! Git remotes of machines, and the places where administrators say that repositories are.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantkeeper_domain::fuzz::git_remote(data));
