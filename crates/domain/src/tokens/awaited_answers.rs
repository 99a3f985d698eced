//! The answers that one process waits for because another may still bring them: until when, so that no turn waits for the
//! same one from the beginning.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::RefreshLease;
use crate::ids::AuthorizationId;

/// Until when answers are waited for in one process.
#[derive(Clone, Default)]
pub struct AwaitedAnswers(Arc<Mutex<HashMap<AuthorizationId, Awaited>>>);

#[derive(Clone, Copy)]
struct Awaited {
    /// Whose answer: the fence of the request.
    fence: i64,
    /// Monotonic.
    until: Duration,
}

/// No more are remembered than this; what is forgotten is waited for anew.
const MOST: usize = 10_000;

impl AwaitedAnswers {
    /// Until when (monotonic) to wait for the answer to the unanswered request of a lease: for `period` from when this process
    /// came upon it.
    pub(super) fn until(&self, lease: &RefreshLease, period: Duration, now: Duration) -> Duration {
        let Some(unanswered) = lease.unanswered else {
            return now;
        };
        let mut awaited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) =
            awaited.get(&lease.authorization_id).filter(|known| known.fence == unanswered.fence)
        {
            return known.until;
        }
        if awaited.len() >= MOST {
            awaited.retain(|_, known| known.until > now);
        }
        if awaited.len() >= MOST {
            awaited.clear();
        }
        let until = now + period;
        awaited.insert(lease.authorization_id, Awaited { fence: unanswered.fence, until });
        until
    }

    /// Something has come of it.
    pub(super) fn forget(&self, id: AuthorizationId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::START;
    use crate::tokens::UnansweredRequest;

    const PERIOD: Duration = Duration::from_secs(30);

    fn lease(number: u128, fence: i64) -> RefreshLease {
        let unanswered = UnansweredRequest { fence, asked_at: START, given_up: false };
        let authorization_id = AuthorizationId::from_uuid(Uuid::from_u128(number));
        RefreshLease { authorization_id, holder: String::new(), fence: 9, unanswered: Some(unanswered) }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_answer_is_waited_for_from_when_it_was_first_missed() {
        let awaited = AwaitedAnswers::default();
        assert_eq!(awaited.until(&lease(1, 3), PERIOD, seconds(100)), seconds(130));
        assert_eq!(awaited.until(&lease(1, 3), PERIOD, seconds(120)), seconds(130));
        assert_eq!(awaited.until(&lease(2, 3), PERIOD, seconds(120)), seconds(150), "another authorization");
        assert_eq!(awaited.until(&lease(1, 4), PERIOD, seconds(125)), seconds(155), "another request");
        awaited.forget(lease(1, 4).authorization_id);
        assert_eq!(awaited.until(&lease(1, 4), PERIOD, seconds(140)), seconds(170));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_over_is_forgotten_first() {
        let awaited = AwaitedAnswers::default();
        let most = u128::try_from(MOST).unwrap();
        for number in 0..most - 1 {
            awaited.until(&lease(number, 3), PERIOD, seconds(0));
        }
        awaited.until(&lease(most, 3), PERIOD, seconds(40));
        awaited.until(&lease(most + 1, 3), PERIOD, seconds(45));
        assert_eq!(awaited.0.lock().unwrap().len(), 2);
        assert_eq!(awaited.until(&lease(most, 3), PERIOD, seconds(50)), seconds(70));
    }
}
