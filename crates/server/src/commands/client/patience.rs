//! Asking a service again.

use std::time::Duration;

use grantkeeper_client::tokens::{LentToken, LinkToken, Patience, Wanted};
use grantkeeper_client::{AskAgain, ClientError, Service};
use grantkeeper_domain::services::Clock;

/// How often a service that is in trouble is asked again: for some minutes, in which it is started anew.
const MOST_TROUBLES: u32 = 60;
/// A gateway that gives up after longer than this has waited with us: that is its limit, and no trouble.
const WAITED: Duration = Duration::from_secs(10);
/// The status of a wait that was given up.
const GATEWAY_TIMEOUT: u16 = 504;
/// Before a wait is begun anew that has found nothing.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Makes a call until it says something that counts, or what is wrong does not pass.
pub(super) async fn patiently<T>(
    clock: &dyn Clock,
    mut call: impl AsyncFnMut() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let mut troubles = 0;
    loop {
        let asked = clock.monotonic();
        let error = match call().await {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        let has_waited = clock.monotonic().saturating_sub(asked) > WAITED;
        if has_waited && error.status() == Some(GATEWAY_TIMEOUT) {
            troubles = 0;
        }
        match error.ask_again() {
            AskAgain::After(pause) => {
                troubles = 0;
                clock.sleep(pause).await;
            }
            AskAgain::Patiently(pause) if troubles < MOST_TROUBLES => {
                troubles += 1;
                clock.sleep(pause).await;
            }
            AskAgain::Patiently(_) | AskAgain::Never => return Err(error),
        }
    }
}

/// Waits until a person has linked.
pub(super) async fn linked(
    service: &Service,
    wanted: Wanted<'_>,
    clock: &dyn Clock,
) -> Result<Box<LentToken>, ClientError> {
    loop {
        let found = patiently(clock, async || service.link_token(wanted, Patience::Listen).await).await?;
        if let LinkToken::Linked(token) = found {
            return Ok(token);
        }
        clock.sleep(A_MOMENT).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use grantkeeper_client::Refusal;

    use super::*;

    /// Time passes at once, and how much of it is remembered.
    #[derive(Default)]
    struct Slept {
        slept: Mutex<Vec<u64>>,
        now: Mutex<Duration>,
    }

    #[async_trait]
    impl Clock for Slept {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            *self.now.lock().expect("nobody panics")
        }

        async fn sleep(&self, duration: Duration) {
            self.slept.lock().expect("nobody panics").push(duration.as_secs());
        }
    }

    fn refusal(status: u16) -> ClientError {
        let retry_after = (status == 429).then_some(Duration::from_secs(30));
        let (message, detail) = ("no".to_owned(), String::new());
        ClientError::Refused(Refusal { status, message, detail, retry_after, token_source: None })
    }

    /// A service that refuses with these, and then with the last one for ever; 200 is no refusal.
    async fn asked(statuses: &[u16]) -> (Option<u16>, Vec<u64>) {
        let clock = Slept::default();
        let mut calls = 0;
        let end = patiently(&clock, async || {
            let status = statuses[calls.min(statuses.len() - 1)];
            calls += 1;
            if status == 200 { Ok(()) } else { Err(refusal(status)) }
        });
        let status = end.await.err().and_then(|error| error.status());
        (status, clock.slept.into_inner().expect("nobody panics"))
    }

    /// How often a gateway is asked that answers 504 itself, each time after so long; it lets one through at the very end.
    async fn asked_through_a_gateway(each: Duration) -> usize {
        let clock = Slept::default();
        let mut calls = 0;
        let end = patiently(&clock, async || {
            *clock.now.lock().expect("nobody panics") += each;
            calls += 1;
            let url = "https://auth.example".parse().expect("an address");
            if calls == 1000 {
                Ok(())
            } else {
                Err(ClientError::OnTheWay { url, status: GATEWAY_TIMEOUT, retry_after: None })
            }
        });
        let _ = end.await;
        calls
    }

    #[tokio::test]
    async fn a_gateway_that_waits_with_us_is_no_trouble_and_one_that_says_no_at_once_is() {
        assert_eq!(asked_through_a_gateway(Duration::from_secs(60)).await, 1000);
        assert_eq!(asked_through_a_gateway(Duration::from_secs(1)).await, MOST_TROUBLES as usize + 1);
    }

    #[tokio::test]
    async fn what_passes_is_waited_for() {
        assert_eq!(asked(&[200]).await, (None, vec![]));
        assert_eq!(asked(&[504, 503, 429, 200]).await, (None, vec![1, 1, 30]));
    }

    #[tokio::test]
    async fn what_does_not_pass_is_told() {
        assert_eq!(asked(&[504, 404]).await, (Some(404), vec![1]));
        let (status, slept) = asked(&[502]).await;
        assert_eq!((status, slept.len()), (Some(502), MOST_TROUBLES as usize));
    }

    #[tokio::test]
    async fn a_wait_that_all_is_well_with_has_no_end() {
        let waits = [504; 1000];
        let (status, slept) = asked(&[&waits[..], &[200]].concat()).await;
        assert_eq!((status, slept.len()), (None, waits.len()));
    }
}
