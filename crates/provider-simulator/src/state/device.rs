//! The device authorization grant (RFC 8628).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::clients::Client;
use super::families::{Authorization, FamilyId};
use super::issuing::TokenAnswer;
use super::{Decision, ErrorCode, OAuthError, PresentedClient, Provider, User, scopes};
use crate::params::Params;
use crate::randomness;

/// Seconds between two polls when nothing else is said (RFC 8628 section 3.2).
const INTERVAL: u32 = 5;

/// Seconds between two polls where nobody has to be waited for.
const INTERVAL_WITHOUT_ASKING: u32 = 1;

/// Seconds that `slow_down` adds for good (RFC 8628 section 3.5).
const SLOW_DOWN: u32 = 5;

/// A successful answer of the device authorization endpoint (RFC 8628 section 3.2), without the URLs.
pub(crate) struct DeviceAuthorizationAnswer {
    /// `device_code`.
    pub(crate) device_code: String,
    /// `user_code`.
    pub(crate) user_code: String,
    /// `expires_in`, in seconds.
    pub(crate) expires_in: u32,
    /// `interval`, in seconds.
    pub(crate) interval: u32,
}

/// Device codes and what became of them.
#[derive(Default)]
pub(super) struct DeviceAuthorizations {
    by_device_code: HashMap<String, DeviceAuthorization>,
}

struct DeviceAuthorization {
    client: Client,
    scopes: Vec<String>,
    user_code: String,
    expires_at: DateTime<Utc>,
    interval: u32,
    last_poll: Option<DateTime<Utc>>,
    fate: DeviceFate,
}

enum DeviceFate {
    Pending,
    Approved(User),
    Denied,
    Redeemed(FamilyId),
}

impl DeviceAuthorizations {
    /// The family that came of a device code.
    pub(super) fn family(&self, device_code: &str) -> Option<FamilyId> {
        match self.by_device_code.get(device_code)?.fate {
            DeviceFate::Redeemed(family) => Some(family),
            DeviceFate::Pending | DeviceFate::Approved(_) | DeviceFate::Denied => None,
        }
    }

    fn pending(&mut self, user_code: &str, now: DateTime<Utc>) -> Option<&mut DeviceAuthorization> {
        let typed = letters(user_code);
        self.by_device_code.values_mut().find(|device| {
            matches!(device.fate, DeviceFate::Pending)
                && now < device.expires_at
                && letters(&device.user_code) == typed
        })
    }
}

impl DeviceAuthorization {
    /// Notes a poll; one that comes too early makes the interval longer.
    fn poll(&mut self, now: DateTime<Utc>) -> Result<(), OAuthError> {
        let due = self.last_poll.map(|last| last + TimeDelta::seconds(i64::from(self.interval)));
        self.last_poll = Some(now);
        if due.is_some_and(|due| now < due) {
            self.interval = self.interval.saturating_add(SLOW_DOWN);
            return Err(OAuthError::new(ErrorCode::SlowDown, "polls come too fast"));
        }
        Ok(())
    }
}

impl Provider {
    /// Begins a device authorization. The client may be one without a secret.
    pub(crate) fn authorize_device(
        &mut self,
        client: Result<&PresentedClient, OAuthError>,
        params: &Params,
    ) -> Result<DeviceAuthorizationAnswer, OAuthError> {
        let client = client?.authenticate()?;
        if params.repeats_any() {
            return Err(OAuthError::invalid_request("a parameter comes more than once"));
        }
        let scopes = self.granted(&scopes::parse(params.get("scope")));
        let answer = DeviceAuthorizationAnswer {
            device_code: self.mint_code("sim_dc_"),
            user_code: randomness::user_code(),
            expires_in: self.settings.device_code_lifetime,
            interval: self.device_interval(),
        };
        let device = DeviceAuthorization {
            client,
            scopes,
            user_code: answer.user_code.clone(),
            expires_at: self.after(answer.expires_in),
            interval: answer.interval,
            last_poll: None,
            fate: DeviceFate::Pending,
        };
        self.devices.by_device_code.insert(answer.device_code.clone(), device);
        Ok(answer)
    }

    /// Takes what the user decided, if a device waits under this code; case and dashes do not matter
    /// (RFC 8628 section 6.1).
    pub(crate) fn decide_device(&mut self, user_code: &str, decision: Decision) -> bool {
        let now = self.now();
        let Some(device) = self.devices.pending(user_code, now) else {
            return false;
        };
        device.fate = match decision {
            Decision::Approve(user) => DeviceFate::Approved(user),
            Decision::Deny => DeviceFate::Denied,
        };
        true
    }

    /// Answers a poll with a device code (RFC 8628 section 3.5).
    pub(super) fn poll(&mut self, client: &Client, device_code: &str) -> Result<TokenAnswer, OAuthError> {
        let now = self.now();
        let device = self
            .devices
            .by_device_code
            .get_mut(device_code)
            .ok_or(OAuthError::invalid_grant("unknown device code"))?;
        if device.client != *client {
            return Err(OAuthError::invalid_grant("the device code was issued to another client"));
        }
        if device.expires_at <= now {
            return Err(OAuthError::new(ErrorCode::ExpiredToken, "the device code has expired"));
        }
        device.poll(now)?;
        match &device.fate {
            DeviceFate::Pending => {
                if self.auto_consent {
                    device.fate = DeviceFate::Approved(User::default_user());
                }
                Err(OAuthError::new(ErrorCode::AuthorizationPending, "the user has not decided yet"))
            }
            DeviceFate::Denied => Err(OAuthError::new(ErrorCode::AccessDenied, "the user refused")),
            DeviceFate::Redeemed(_) => Err(OAuthError::invalid_grant("the device code was used before")),
            DeviceFate::Approved(user) => {
                let authorization = Authorization {
                    client_id: device.client.id.clone(),
                    public_client: !device.client.authenticated,
                    user: user.clone(),
                    scopes: device.scopes.clone(),
                    nonce: None,
                    authenticated_at: now,
                };
                let family = self.families.begin(authorization);
                device.fate = DeviceFate::Redeemed(family);
                self.issue_first(family)
            }
        }
    }

    fn device_interval(&self) -> u32 {
        let usual = if self.auto_consent { INTERVAL_WITHOUT_ASKING } else { INTERVAL };
        self.settings.device_interval.unwrap_or(usual)
    }
}

/// What matters of a user code that somebody typed.
fn letters(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{bench, bench_with_people};

    #[test]
    fn a_device_waits_for_the_user_and_gets_tokens_once() {
        let mut bench = bench_with_people();
        let device = bench.device("profile");
        assert_eq!(device.interval, 5);
        assert_eq!(bench.poll(&device).err(), Some("authorization_pending"));
        let typed = device.user_code.replace('-', "").to_lowercase();
        assert!(bench.provider.decide_device(&typed, Decision::Approve(User::with_sub("1002"))));
        bench.pass(5);
        let tokens = bench.poll(&device).expect("tokens");
        assert_eq!(bench.sub_of(&tokens.access_token).as_deref(), Some("1002"));
        bench.pass(5);
        assert_eq!(bench.poll(&device).err(), Some("invalid_grant"));
        assert!(!bench.provider.decide_device(&device.user_code, Decision::Deny));
    }

    #[test]
    fn polls_too_fast_slow_down_for_good() {
        let mut bench = bench_with_people();
        let device = bench.device("profile");
        assert_eq!(bench.poll(&device).err(), Some("authorization_pending"));
        bench.pass(4);
        assert_eq!(bench.poll(&device).err(), Some("slow_down"));
        bench.pass(9);
        assert_eq!(bench.poll(&device).err(), Some("slow_down"));
        bench.pass(15);
        assert_eq!(bench.poll(&device).err(), Some("authorization_pending"));
    }

    #[test]
    fn a_refusal_and_an_expiry_are_told() {
        let mut bench = bench_with_people();
        let device = bench.device("profile");
        assert!(bench.provider.decide_device(&device.user_code, Decision::Deny));
        assert_eq!(bench.poll(&device).err(), Some("access_denied"));
        bench.pass(900);
        assert_eq!(bench.poll(&device).err(), Some("expired_token"));
        let late = bench.device("profile");
        bench.pass(900);
        assert!(!bench.provider.decide_device(&late.user_code, Decision::Deny));
    }

    #[test]
    fn without_asking_the_second_poll_succeeds() {
        let mut bench = bench();
        let device = bench.device("profile");
        assert_eq!(device.interval, 1);
        assert_eq!(bench.poll(&device).err(), Some("authorization_pending"));
        bench.pass(1);
        assert!(bench.poll(&device).is_ok());
    }

    #[test]
    fn a_device_without_secret_can_refresh_and_revoke_what_it_got() {
        let mut bench = bench();
        bench.secret = None;
        let device = bench.device("profile");
        assert!(bench.poll(&device).is_err());
        bench.pass(1);
        let tokens = bench.poll(&device).expect("tokens");
        let refreshed = bench.refresh(tokens.refresh()).expect("refreshed");
        assert_eq!(bench.revoke(refreshed.refresh(), None), Ok(()));
        assert_eq!(bench.sub_of(&refreshed.access_token), None);
    }

    #[test]
    fn another_client_cannot_poll() {
        let mut bench = bench();
        let device = bench.device("profile");
        bench.client_id = "another".to_owned();
        assert_eq!(bench.poll(&device).err(), Some("invalid_grant"));
    }
}
