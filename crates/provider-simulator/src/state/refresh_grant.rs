//! The refresh token grant (RFC 6749 section 6), with rotation and reuse detection (RFC 9700 section 4.14.2).

use chrono::{DateTime, TimeDelta, Utc};

use super::clients::Client;
use super::families::FamilyId;
use super::issuing::TokenAnswer;
use super::{ErrorCode, OAuthError, Provider, scopes};
use crate::settings::Rotation;

impl Provider {
    /// Gives a new access token and, where tokens rotate, a new refresh token. A refresh token that was replaced
    /// before is a stolen one: the whole family dies.
    pub(super) fn refresh(
        &mut self,
        client: &Client,
        token: &str,
        scope: Option<&str>,
    ) -> Result<TokenAnswer, OAuthError> {
        let now = self.now();
        let presented =
            self.families.refresh_token(token).ok_or(OAuthError::invalid_grant("unknown refresh token"))?;
        let family = self.families.get(presented.family);
        if family.authorization.client_id != client.id {
            return Err(OAuthError::invalid_grant("the refresh token was issued to another client"));
        }
        if !family.authorization.public_client {
            client.confidential()?;
        }
        if !family.alive {
            return Err(OAuthError::invalid_grant("the refresh token is revoked"));
        }
        let scopes = narrowed(&family.authorization.scopes, scope)?;
        let refresh_token = match presented.replaced_at {
            None => self.next_refresh_token(presented.family, token),
            Some(replaced_at) if self.in_grace(replaced_at, now) => family.refresh_token.clone(),
            Some(_) => {
                self.families.kill(presented.family);
                return Err(OAuthError::invalid_grant(
                    "the refresh token was used before; the family is revoked",
                ));
            }
        };
        // An ID token of a refresh should have no nonce (OpenID Connect Core section 12.2).
        self.issue(presented.family, scopes, refresh_token, None)
    }

    /// The refresh token of the answer to a refresh with the one in use.
    fn next_refresh_token(&mut self, family: FamilyId, in_use: &str) -> Option<String> {
        // A client that is told of no other token will go on with this one, so it must not be replaced.
        if self.settings.refresh_omits_refresh_token {
            return None;
        }
        match self.settings.rotation {
            Rotation::None => Some(in_use.to_owned()),
            Rotation::Immediate | Rotation::Grace => Some(self.mint_refresh_token(family)),
        }
    }

    fn in_grace(&self, replaced_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let grace = TimeDelta::seconds(i64::from(self.settings.grace_seconds));
        self.settings.rotation == Rotation::Grace && now - replaced_at <= grace
    }
}

/// The scopes asked for, which may be fewer than were granted but no others (RFC 6749 section 6).
fn narrowed(granted: &[String], asked: Option<&str>) -> Result<Vec<String>, OAuthError> {
    let asked = scopes::parse(asked);
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    if asked.iter().all(|scope| scopes::contains(granted, scope)) {
        return Ok(asked);
    }
    Err(OAuthError::new(ErrorCode::InvalidScope, "scope exceeds what was granted"))
}

#[cfg(test)]
mod tests {
    use crate::settings::Rotation;
    use crate::state::testing::bench;

    #[test]
    fn a_refresh_replaces_the_refresh_token() {
        let mut bench = bench();
        let first = bench.tokens("profile");
        let second = bench.refresh(first.refresh()).expect("refreshed");
        assert_ne!(first.refresh(), second.refresh());
        assert_ne!(first.access_token, second.access_token);
        assert!(bench.sub_of(&first.access_token).is_some());
        assert!(bench.refresh(second.refresh()).is_ok());
    }

    #[test]
    fn reuse_kills_the_whole_family_and_only_that() {
        let mut bench = bench();
        let bystander = bench.tokens("profile");
        let first = bench.tokens("profile");
        let second = bench.refresh(first.refresh()).expect("refreshed");

        assert_eq!(bench.refresh(first.refresh()).err(), Some("invalid_grant"));
        assert_eq!(bench.refresh(second.refresh()).err(), Some("invalid_grant"));
        assert_eq!(bench.sub_of(&first.access_token), None);
        assert_eq!(bench.sub_of(&second.access_token), None);
        assert!(bench.refresh(bystander.refresh()).is_ok());

        let families = bench.provider.stats().families;
        assert!(families["family-1"].alive && !families["family-2"].alive);
    }

    #[test]
    fn without_rotation_the_token_stays() {
        let mut bench = bench();
        bench.provider.settings.rotation = Rotation::None;
        let first = bench.tokens("profile");
        for _ in 0..3 {
            assert_eq!(bench.refresh(first.refresh()).expect("refreshed").refresh(), first.refresh());
        }
    }

    #[test]
    fn a_refresh_that_tells_no_token_replaces_none() {
        let mut bench = bench();
        bench.provider.settings.refresh_omits_refresh_token = true;
        let first = bench.tokens("profile");
        for _ in 0..3 {
            assert_eq!(bench.refresh(first.refresh()).expect("refreshed").refresh_token, None);
        }
    }

    #[test]
    fn in_grace_the_replaced_token_gets_the_same_answer_and_later_kills() {
        let mut bench = bench();
        bench.provider.settings.rotation = Rotation::Grace;
        bench.provider.settings.grace_seconds = 10;
        let first = bench.tokens("profile");
        let second = bench.refresh(first.refresh()).expect("refreshed");
        bench.pass(10);
        assert_eq!(bench.refresh(first.refresh()).expect("in grace").refresh(), second.refresh());
        bench.pass(1);
        assert_eq!(bench.refresh(first.refresh()).err(), Some("invalid_grant"));
        assert_eq!(bench.refresh(second.refresh()).err(), Some("invalid_grant"));
    }

    #[test]
    fn scopes_can_be_narrowed_but_not_widened() {
        let mut bench = bench();
        let tokens = bench.tokens("profile email");
        let refresh =
            |scope| [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh()), ("scope", scope)];
        assert_eq!(bench.token(&refresh("email admin")).err(), Some("invalid_scope"));
        assert_eq!(bench.token(&refresh("email")).expect("narrower").scopes, ["email"]);
    }

    #[test]
    fn another_client_cannot_use_nor_kill_a_refresh_token() {
        let mut bench = bench();
        let tokens = bench.tokens("profile");
        bench.client_id = "another".to_owned();
        assert_eq!(bench.refresh(tokens.refresh()).err(), Some("invalid_grant"));
        bench.client_id = "client".to_owned();
        assert!(bench.refresh(tokens.refresh()).is_ok());
    }

    #[test]
    fn every_refresh_is_recorded_with_what_was_presented() {
        let mut bench = bench();
        let first = bench.tokens("profile");
        let second = bench.refresh(first.refresh()).expect("refreshed");
        bench.refresh(second.refresh()).expect("refreshed");
        assert!(bench.refresh(first.refresh()).is_err());
        assert!(bench.refresh("sim_rt_unknown").is_err());
        let calls = bench.provider.stats().token_calls;
        let shown: Vec<_> = calls
            .iter()
            .map(|call| {
                (call.grant.as_deref(), call.family.as_deref(), call.generation, call.outcome.as_str())
            })
            .collect();
        let refresh = Some("refresh_token");
        assert_eq!(
            shown,
            [
                (Some("authorization_code"), Some("family-1"), Some(0), "ok"),
                (refresh, Some("family-1"), Some(1), "ok"),
                (refresh, Some("family-1"), Some(2), "ok"),
                (refresh, Some("family-1"), Some(1), "invalid_grant"),
                (refresh, None, None, "invalid_grant"),
            ]
        );
    }
}
