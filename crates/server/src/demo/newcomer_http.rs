//! The HTTP client of the newcomer and of their browser.

use std::time::Duration;

use crate::failure::Failure;

/// Longer than any caller of ours waits.
const LIMIT: Duration = Duration::from_secs(10);

/// A client that goes nowhere by itself: no redirects, no cookies, no proxy.
#[expect(
    clippy::disallowed_methods,
    reason = "it plays the newcomer's own program and browser; no call of the service goes through it"
)]
pub(super) fn client() -> Result<reqwest::Client, Failure> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(LIMIT)
        // Nothing to hold the service up with when it stops.
        .pool_max_idle_per_host(0)
        .build()?;
    Ok(client)
}
