//! What is new is not known to all of GitHub's servers at once: a token may be refused for some milliseconds after it
//! was issued (<https://github.com/coder/coder/blob/main/coderd/externalauth/externalauth.go>).

use std::time::Duration;

use grantkeeper_domain::providers::UpstreamError;

use crate::http::GuardedClient;

/// How long to wait before each further try.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];

/// Asks, and asks again as long as the answer may be another one in a moment.
pub(super) async fn asked_again<T, Asking: Future<Output = T>>(
    http: &GuardedClient,
    may_change: impl Fn(&T) -> bool,
    ask: impl Fn() -> Asking,
) -> T {
    let mut pauses = PAUSES.into_iter();
    loop {
        let answer = ask().await;
        match pauses.next() {
            Some(pause) if may_change(&answer) => http.sleep(pause).await,
            _ => return answer,
        }
    }
}

/// Whether the token was refused.
pub(super) fn refuses_token<T>(answer: &Result<T, UpstreamError>) -> bool {
    matches!(answer, Err(UpstreamError::TokenRefused))
}
