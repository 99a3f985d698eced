//! The device authorization grant (RFC 8628).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::clients::Client;
use super::families::{Authorization, FamilyId};
use super::issuing::TokenAnswer;
use super::{Decision, ErrorCode, OAuthError, PresentedClient, Provider, User, scopes};
use crate::dialect::{Offline, UserCodeShape};
use crate::params::Params;

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
    asked: Vec<String>,
    scopes: Vec<String>,
    user_code: String,
    expires_at: DateTime<Utc>,
    interval: u32,
    last_poll: Option<DateTime<Utc>>,
    /// Whether a refresh token was asked for, where one has to ask.
    offline: bool,
    directory: Option<&'static str>,
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

    fn pending(
        &mut self,
        typed: &str,
        shape: UserCodeShape,
        now: DateTime<Utc>,
    ) -> Option<&mut DeviceAuthorization> {
        self.by_device_code.values_mut().find(|device| {
            matches!(device.fate, DeviceFate::Pending)
                && now < device.expires_at
                && shape.matches(&device.user_code, typed)
        })
    }
}

impl DeviceAuthorization {
    /// Notes a poll; one that comes too early, or is said to, makes the interval longer.
    fn poll(&mut self, now: DateTime<Utc>, said_to_be_early: bool) -> Result<(), OAuthError> {
        let due = self.last_poll.map(|last| last + TimeDelta::seconds(i64::from(self.interval)));
        self.last_poll = Some(now);
        if said_to_be_early || due.is_some_and(|due| now < due) {
            self.interval = self.interval.saturating_add(SLOW_DOWN);
            return Err(OAuthError::slow_down(self.interval));
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
        directory: Option<&'static str>,
    ) -> Result<DeviceAuthorizationAnswer, OAuthError> {
        let client = client?.authenticate(self.settings.client_authentication)?;
        self.check_device_grant()?;
        if params.repeats_any() {
            return Err(OAuthError::invalid_request("a parameter comes more than once"));
        }
        let asked = scopes::parse(params.get("scope"));
        if self
            .dialect
            .device_scopes
            .is_some_and(|known| !asked.iter().all(|scope| known.contains(&scope.as_str())))
        {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "a scope that devices cannot have"));
        }
        let offline = match self.dialect.offline {
            Offline::Scope => scopes::contains(&asked, "offline_access"),
            Offline::AccessType => true,
        };
        let scopes = self.granted(&asked);
        let answer = DeviceAuthorizationAnswer {
            device_code: self.mint_code(self.dialect.device_code),
            user_code: self.dialect.user_code.mint(),
            expires_in: self.settings.device_code_lifetime,
            interval: self.device_interval(),
        };
        let device = DeviceAuthorization {
            client,
            asked,
            scopes,
            user_code: answer.user_code.clone(),
            expires_at: self.after(answer.expires_in),
            interval: answer.interval,
            last_poll: None,
            offline,
            directory,
            fate: DeviceFate::Pending,
        };
        self.devices.by_device_code.insert(answer.device_code.clone(), device);
        Ok(answer)
    }

    /// Takes what the user decided, if a device waits under this code; case and dashes do not matter
    /// (RFC 8628 section 6.1) where the provider's codes do without.
    pub(crate) fn decide_device(&mut self, user_code: &str, decision: Decision) -> bool {
        let now = self.now();
        let Some(device) = self.devices.pending(user_code, self.dialect.user_code, now) else {
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
        self.check_device_grant()?;
        let now = self.now();
        let decision = self.decision_without_asking(None);
        let device = self
            .devices
            .by_device_code
            .get_mut(device_code)
            .ok_or(OAuthError::new(ErrorCode::InvalidDeviceCode, "unknown device code"))?;
        if device.client.id != client.id {
            return Err(OAuthError::new(
                ErrorCode::InvalidDeviceCode,
                "the device code was issued to another client",
            ));
        }
        if device.client.authenticated || self.dialect.poll_needs_secret {
            client.confidential()?;
        }
        if device.expires_at <= now {
            return Err(OAuthError::new(ErrorCode::ExpiredToken, "the device code has expired"));
        }
        let said_to_be_early = self.settings.slow_down_polls > 0;
        self.settings.slow_down_polls = self.settings.slow_down_polls.saturating_sub(1);
        device.poll(now, said_to_be_early)?;
        match &device.fate {
            DeviceFate::Pending => {
                if self.auto_consent {
                    device.fate = match decision {
                        Decision::Approve(user) => DeviceFate::Approved(user),
                        Decision::Deny => DeviceFate::Denied,
                    };
                }
                Err(OAuthError::new(ErrorCode::AuthorizationPending, "the user has not decided yet"))
            }
            DeviceFate::Denied => Err(OAuthError::new(ErrorCode::AccessDenied, "the user refused")),
            DeviceFate::Redeemed(_) => {
                Err(OAuthError::new(ErrorCode::InvalidDeviceCode, "the device code was used before"))
            }
            DeviceFate::Approved(user) => {
                let authorization = Authorization {
                    client_id: Some(device.client.id.clone()),
                    public_client: !client.authenticated,
                    user: user.clone(),
                    asked: device.asked.clone(),
                    scopes: device.scopes.clone(),
                    nonce: None,
                    authenticated_at: now,
                    offline: device.offline,
                    redirect_uri: None,
                    directory: device.directory,
                };
                let family = self.families.begin(authorization);
                device.fate = DeviceFate::Redeemed(family);
                self.issue_for_device(family)
            }
        }
    }

    /// Refuses where there is no device grant.
    fn check_device_grant(&self) -> Result<(), OAuthError> {
        if self.settings.device_grant {
            return Ok(());
        }
        Err(OAuthError::new(ErrorCode::DeviceGrantDisabled, "no device grant for this client"))
    }

    fn device_interval(&self) -> u32 {
        let usual = if self.auto_consent { INTERVAL_WITHOUT_ASKING } else { INTERVAL };
        self.settings.device_interval.unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, PLAIN};
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

    #[test]
    fn polls_can_be_told_to_slow_down_though_they_come_in_time() {
        let mut bench = bench_with_people();
        bench.provider.settings.slow_down_polls = 2;
        let device = bench.device("profile");
        let mut outcomes = Vec::new();
        for wait in [0, 100, 100] {
            bench.pass(wait);
            outcomes.push(bench.poll(&device).err());
        }
        assert_eq!(outcomes, [Some("slow_down"), Some("slow_down"), Some("authorization_pending")]);
        assert_eq!(bench.provider.settings.slow_down_polls, 0);
    }

    #[test]
    fn slow_down_knows_the_new_interval() {
        let mut bench = bench_with_people();
        let device = bench.device("profile");
        let client = Client { id: bench.client_id.clone(), authenticated: true };
        let mut poll =
            || bench.provider.poll(&client, &device.device_code).err().and_then(|error| error.interval);
        assert_eq!([poll(), poll(), poll()], [None, Some(10), Some(15)]);
    }

    #[test]
    fn where_the_grant_is_switched_off_nothing_begins_and_nothing_ends() {
        let mut bench = bench();
        let device = bench.device("profile");
        bench.provider.settings.device_grant = false;
        assert_eq!(bench.poll(&device).err(), Some("unauthorized_client"));
        let params = Params::from([("client_id", "client")]);
        let client = PresentedClient::from_request(None, &params).expect("a client");
        assert!(bench.provider.authorize_device(Ok(&client), &params, None).is_err());
    }

    #[test]
    fn the_grant_can_come_without_refresh_token_and_for_another_account() {
        let mut bench = bench();
        bench.provider.settings.device_refresh_token = false;
        bench.provider.settings.account = Some("1003".to_owned());
        let device = bench.device("profile");
        assert_eq!(bench.poll(&device).err(), Some("authorization_pending"));
        bench.pass(1);
        let tokens = bench.poll(&device).expect("tokens");
        assert_eq!(tokens.refresh_token, None);
        assert_eq!(bench.sub_of(&tokens.access_token).as_deref(), Some("1003"));
    }

    #[test]
    fn some_providers_want_the_secret_with_the_poll_and_know_a_few_scopes_only() {
        const STRICT: Dialect =
            Dialect { poll_needs_secret: true, device_scopes: Some(&["openid", "email"]), ..PLAIN };
        let mut bench = bench();
        bench.provider.dialect = &STRICT;
        let secret = bench.secret.take();
        let device = bench.device("email openid");
        assert_eq!(bench.poll(&device).err(), Some("invalid_client"));
        bench.secret = secret;
        assert_eq!(bench.poll(&device).err(), Some("authorization_pending"));
        let params = Params::from([("client_id", "client"), ("scope", "openid calendar")]);
        let client = PresentedClient::from_request(None, &params).expect("a client");
        let refused = bench.provider.authorize_device(Ok(&client), &params, None).err();
        assert_eq!(refused.map(|error| error.code), Some(ErrorCode::InvalidScope));
    }
}
