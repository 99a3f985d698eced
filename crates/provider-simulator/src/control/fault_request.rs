//! Faults as they are asked for in JSON.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use crate::faults::{Fault, FaultEffect, FaultPlace, FaultTimes};

/// The status of a fault that says nothing else.
const STATUS: u16 = 503;

/// `{"where":"token","status":503,"delayMs":0,"drop":false,"loseAnswer":false,"times":1}`, all optional but `where`;
/// `{}` clears. Of several effects the first of `drop`, `loseAnswer` and `status` counts, so that a client may always
/// send all fields. A delay alone is just that; a place alone means status 503.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FaultRequest {
    r#where: Option<Place>,
    status: Option<u16>,
    retry_after: Option<u32>,
    body: Option<String>,
    delay_ms: Option<u32>,
    drop: Option<bool>,
    lose_answer: Option<bool>,
    times: Option<i64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Token,
    Userinfo,
    Revoke,
    Device,
    Discovery,
    All,
}

impl From<Place> for FaultPlace {
    fn from(place: Place) -> Self {
        match place {
            Place::Token => Self::Token,
            Place::Userinfo => Self::Userinfo,
            Place::Revoke => Self::Revoke,
            Place::Device => Self::Device,
            Place::Discovery => Self::Discovery,
            Place::All => Self::All,
        }
    }
}

impl FaultRequest {
    /// The fault; `None` clears all. The error says what is wrong.
    pub(super) fn into_fault(self) -> Result<Option<Fault>, String> {
        let Some(place) = self.r#where else {
            return if self.is_empty() { Ok(None) } else { Err("`where` is missing".to_owned()) };
        };
        let times = match self.times.unwrap_or(1) {
            -1 => FaultTimes::UntilCleared,
            times => match u32::try_from(times).ok().and_then(NonZeroU32::new) {
                Some(times) => FaultTimes::Times(times),
                None => {
                    return Err("`times` is a positive number, or -1 for every call until cleared".to_owned());
                }
            },
        };
        let delay = Duration::from_millis(u64::from(self.delay_ms.unwrap_or_default()));
        Ok(Some(Fault { place: place.into(), delay, effect: self.effect(delay)?, times }))
    }

    fn is_empty(&self) -> bool {
        let Self { r#where, status, retry_after, body, delay_ms, drop, lose_answer, times } = self;
        let numbers = status.is_none() && retry_after.is_none() && delay_ms.is_none() && times.is_none();
        numbers && r#where.is_none() && body.is_none() && drop.is_none() && lose_answer.is_none()
    }

    fn effect(self, delay: Duration) -> Result<FaultEffect, String> {
        let Self { status, retry_after, body, .. } = self;
        if self.drop == Some(true) {
            return Ok(FaultEffect::Drop);
        }
        if self.lose_answer == Some(true) {
            return Ok(FaultEffect::LoseAnswer);
        }
        if status.is_none() && retry_after.is_none() && body.is_none() && !delay.is_zero() {
            return Ok(FaultEffect::Nothing);
        }
        match status.unwrap_or(STATUS) {
            status @ 200..=599 => Ok(FaultEffect::Status { status, retry_after, body }),
            _ => Err("`status` is between 200 and 599".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Option<Fault>, String> {
        serde_json::from_value::<FaultRequest>(value).map_err(|error| error.to_string())?.into_fault()
    }

    fn fault(value: Value) -> Fault {
        read(value).expect("valid").expect("a fault")
    }

    #[test]
    fn an_empty_object_clears() {
        assert_eq!(read(json!({})), Ok(None));
    }

    #[test]
    fn defaults_are_one_503() {
        assert_eq!(fault(json!({"where": "token"})), Fault::status(FaultPlace::Token, 503));
    }

    #[test]
    fn a_delay_alone_is_just_a_delay() {
        let delay = Duration::from_millis(250);
        assert_eq!(fault(json!({"where": "all", "delayMs": 250})), Fault::slow(FaultPlace::All, delay));
        let both = fault(json!({"where": "all", "delayMs": 250, "status": 500, "times": -1}));
        assert_eq!(both, Fault::status(FaultPlace::All, 500).delayed(delay).until_cleared());
    }

    #[test]
    fn connections_that_close_come_before_the_status() {
        let all = |drop: bool, lose: bool| json!({"where": "revoke", "status": 503, "delayMs": 0, "drop": drop, "loseAnswer": lose, "times": 1});
        assert_eq!(fault(all(true, true)).effect, FaultEffect::Drop);
        assert_eq!(fault(all(false, true)).effect, FaultEffect::LoseAnswer);
        assert_eq!(fault(all(false, false)), Fault::status(FaultPlace::Revoke, 503));
    }

    #[test]
    fn mistakes_are_named() {
        let refused = |value| read(value).expect_err("refused");
        assert!(refused(json!({"status": 500})).contains("where"));
        assert!(refused(json!({"where": "moon"})).contains("moon"));
        assert!(refused(json!({"where": "token", "times": 0})).contains("times"));
        assert!(refused(json!({"where": "token", "times": -2})).contains("times"));
        assert!(refused(json!({"where": "token", "status": 100})).contains("status"));
        assert!(refused(json!({"where": "token", "delay": 1})).contains("delay"));
    }
}
