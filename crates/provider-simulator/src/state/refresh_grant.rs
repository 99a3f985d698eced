//! The refresh token grant (RFC 6749 section 6), with rotation and reuse detection (RFC 9700 section 4.14.2).

use chrono::{DateTime, TimeDelta, Utc};

use super::clients::Client;
use super::families::{Authorization, FamilyId, RefreshToken};
use super::issuing::TokenAnswer;
use super::{ErrorCode, OAuthError, Provider, scopes};
use crate::dialect::RefreshScope;
use crate::settings::Rotation;

const fn refused(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRefreshToken, description)
}

impl Provider {
    /// Gives a new access token and, where tokens rotate, a new refresh token. A refresh token that was replaced
    /// before is a stolen one: where the settings say so, the whole family dies.
    pub(super) fn refresh(
        &mut self,
        client: &Client,
        token: &str,
        scope: Option<&str>,
        redirect_uri: Option<&str>,
    ) -> Result<TokenAnswer, OAuthError> {
        let now = self.now();
        let presented = self.families.refresh_token(token).ok_or(refused("unknown refresh token"))?;
        let family = self.families.get(presented.family);
        if !family.authorization.is_of(&client.id) {
            return Err(refused("the refresh token was issued to another client"));
        }
        if !family.authorization.public_client {
            client.confidential()?;
        }
        if !family.alive {
            return Err(refused("the refresh token is revoked"));
        }
        self.check_idle(&presented, now)?;
        self.check_redirect_uri(&family.authorization, redirect_uri)?;
        let scopes = self.narrowed(&family.authorization, scope)?;
        let refresh_token = match presented.replaced_at {
            None => {
                self.end_companions(presented.family, now);
                self.next_refresh_token(presented.family, token)
            }
            Some(_) if self.settings.rotation == Rotation::Tolerant => {
                self.next_refresh_token(presented.family, token)
            }
            Some(replaced_at) if self.in_grace(replaced_at, now) => family.refresh_token.clone(),
            Some(_) if self.settings.reuse_kills_family => {
                self.families.kill(presented.family);
                return Err(refused("the refresh token was used before; the family is revoked"));
            }
            Some(_) => return Err(refused("the refresh token was used before")),
        };
        self.families.touch_refresh_token(token, now);
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
            Rotation::Immediate | Rotation::Grace | Rotation::Tolerant => {
                Some(self.mint_refresh_token(family))
            }
        }
    }

    /// Refuses a token that was not used for too long.
    fn check_idle(&self, presented: &RefreshToken, now: DateTime<Utc>) -> Result<(), OAuthError> {
        match self.refresh_token_lifetime() {
            Some(lifetime) if presented.last_used_at + TimeDelta::seconds(i64::from(lifetime)) <= now => {
                Err(OAuthError::new(ErrorCode::ExpiredRefreshToken, "the refresh token has expired"))
            }
            _ => Ok(()),
        }
    }

    fn check_redirect_uri(
        &self,
        authorization: &Authorization,
        sent: Option<&str>,
    ) -> Result<(), OAuthError> {
        let compares = self.dialect.compares_redirect_uri_on_refresh && sent.is_some();
        if compares && sent != authorization.redirect_uri.as_deref() {
            return Err(OAuthError::new(
                ErrorCode::RedirectUriMismatch,
                "redirect_uri is not that of the authorization",
            ));
        }
        Ok(())
    }

    /// Ends the access tokens so far where the settings want that, together with the refresh token.
    fn end_companions(&mut self, family: FamilyId, now: DateTime<Utc>) {
        if self.settings.old_access_token_dies {
            let grace = match self.settings.rotation {
                Rotation::Grace => TimeDelta::seconds(i64::from(self.settings.grace_seconds)),
                Rotation::Immediate | Rotation::None | Rotation::Tolerant => TimeDelta::zero(),
            };
            self.families.end_access_tokens(family, now + grace);
        }
    }

    /// The scopes asked for, which may be fewer than were granted but no others (RFC 6749 section 6).
    fn narrowed(
        &self,
        authorization: &Authorization,
        asked: Option<&str>,
    ) -> Result<Vec<String>, OAuthError> {
        let asked = (self.dialect.granted)(&scopes::parse(asked));
        let Authorization { asked: before, scopes: granted, .. } = authorization;
        if asked.is_empty() {
            return Ok(granted.clone());
        }
        let known = match self.dialect.refresh_scope {
            RefreshScope::Forbidden => return Err(OAuthError::invalid_request("a refresh takes no scope")),
            RefreshScope::Narrows => granted,
            RefreshScope::NarrowsWhatWasAsked => before,
        };
        if !asked.iter().all(|scope| scopes::contains(known, scope)) {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "scope exceeds what was granted"));
        }
        Ok(asked.into_iter().filter(|scope| scopes::contains(granted, scope)).collect())
    }

    fn in_grace(&self, replaced_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let grace = TimeDelta::seconds(i64::from(self.settings.grace_seconds));
        self.settings.rotation == Rotation::Grace && now - replaced_at <= grace
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::{Dialect, PLAIN, RefreshScope};
    use crate::settings::Rotation;
    use crate::state::testing::{REDIRECT_URI, bench};

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
    fn where_reuse_kills_nobody_the_replaced_token_is_just_refused() {
        let mut bench = bench();
        bench.provider.settings.reuse_kills_family = false;
        let first = bench.tokens("profile");
        let second = bench.refresh(first.refresh()).expect("refreshed");
        assert_eq!(bench.refresh(first.refresh()).err(), Some("invalid_grant"));
        assert!(bench.refresh(second.refresh()).is_ok());
    }

    #[test]
    fn where_reuse_is_tolerated_every_token_gets_a_new_one() {
        let mut bench = bench();
        bench.provider.settings.rotation = Rotation::Tolerant;
        let first = bench.tokens("profile");
        let second = bench.refresh(first.refresh()).expect("refreshed");
        let third = bench.refresh(first.refresh()).expect("tolerated");
        assert_ne!(second.refresh(), third.refresh());
        assert!(bench.refresh(second.refresh()).is_ok() && bench.refresh(third.refresh()).is_ok());
    }

    #[test]
    fn the_old_access_token_dies_with_the_old_refresh_token() {
        let mut bench = bench();
        bench.provider.settings.old_access_token_dies = true;
        let first = bench.tokens("profile");
        let second = bench.refresh(first.refresh()).expect("refreshed");
        assert_eq!(bench.sub_of(&first.access_token), None);
        assert!(bench.sub_of(&second.access_token).is_some());

        bench.provider.settings.rotation = Rotation::Grace;
        bench.provider.settings.grace_seconds = 600;
        let third = bench.refresh(second.refresh()).expect("refreshed");
        bench.pass(599);
        assert!(bench.sub_of(&second.access_token).is_some());
        bench.pass(1);
        assert_eq!(bench.sub_of(&second.access_token), None);
        assert!(bench.sub_of(&third.access_token).is_some());
    }

    #[test]
    fn a_refresh_token_dies_of_not_being_used() {
        let mut bench = bench();
        bench.provider.settings.rotation = Rotation::None;
        bench.provider.settings.refresh_token_lifetime = Some(100);
        let tokens = bench.tokens("profile");
        for _ in 0..3 {
            bench.pass(99);
            assert!(bench.refresh(tokens.refresh()).is_ok());
        }
        bench.pass(100);
        assert_eq!(bench.refresh(tokens.refresh()).err(), Some("invalid_grant"));
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

    #[test]
    fn some_providers_compare_the_redirect_uri_that_comes_with_a_refresh() {
        const STRICT: Dialect = Dialect { compares_redirect_uri_on_refresh: true, ..PLAIN };
        let mut bench = bench();
        bench.provider.settings.rotation = Rotation::None;
        let tokens = bench.tokens("profile");
        let refresh = |uri| {
            [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh()), ("redirect_uri", uri)]
        };
        let foreign = "http://127.0.0.1:9/another";
        assert!(bench.token(&refresh(foreign)).is_ok());
        bench.provider.dialect = &STRICT;
        assert_eq!(bench.token(&refresh(foreign)).err(), Some("invalid_grant"));
        assert!(bench.token(&refresh(REDIRECT_URI)).is_ok());
        assert!(bench.token(&refresh("")).is_ok());
    }

    #[test]
    fn a_refresh_may_repeat_what_was_asked_for_where_that_is_the_measure() {
        const LENIENT: Dialect = Dialect { refresh_scope: RefreshScope::NarrowsWhatWasAsked, ..PLAIN };
        let mut bench = bench();
        bench.provider.settings.granted_scopes = Some(vec!["email".to_owned()]);
        bench.provider.settings.rotation = Rotation::None;
        let tokens = bench.tokens("email profile");
        let refresh =
            |scope| [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh()), ("scope", scope)];
        assert_eq!(bench.token(&refresh("email profile")).err(), Some("invalid_scope"));
        bench.provider.dialect = &LENIENT;
        assert_eq!(bench.token(&refresh("email profile")).expect("tokens").scopes, ["email"]);
        assert_eq!(bench.token(&refresh("calendar")).err(), Some("invalid_scope"));
    }

    #[test]
    fn some_providers_take_no_scope_with_a_refresh() {
        const STRICT: Dialect = Dialect { refresh_scope: RefreshScope::Forbidden, ..PLAIN };
        let mut bench = bench();
        bench.provider.dialect = &STRICT;
        let tokens = bench.tokens("email");
        let with_scope =
            [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh()), ("scope", "email")];
        assert_eq!(bench.token(&with_scope).err(), Some("invalid_request"));
        assert!(bench.refresh(tokens.refresh()).is_ok());
    }
}
