//! Making tokens.

use chrono::{DateTime, Utc};

use super::families::FamilyId;
use super::{ErrorCode, OAuthError, Provider, scopes};
use crate::dialect::SecretShape;
use crate::id_token::IdTokenRequest;
use crate::settings::AccessTokensExpire;

/// A successful answer of the token endpoint (RFC 6749 section 5.1). It holds secrets, therefore it has no `Debug`.
pub(crate) struct TokenAnswer {
    /// `access_token`.
    pub(crate) access_token: String,
    /// `expires_in`, in seconds, as the client is told; `None` when it never expires.
    pub(crate) expires_in: Option<u32>,
    /// `refresh_token`.
    pub(crate) refresh_token: Option<String>,
    /// For how many seconds the refresh token works without being used.
    pub(crate) refresh_token_lifetime: Option<u32>,
    /// When it was issued.
    pub(crate) issued_at: DateTime<Utc>,
    /// `scope`.
    pub(crate) scopes: Vec<String>,
    /// `id_token` (OpenID Connect Core section 3.1.3.3).
    pub(crate) id_token: Option<String>,
}

impl Provider {
    /// A fresh code of at least 256 random bits or as many as the provider's letters hold.
    pub(super) fn mint_code(&mut self, shape: SecretShape) -> String {
        self.mint(shape, 0)
    }

    /// A fresh token, as long as the settings want it.
    pub(super) fn mint_token(&mut self, shape: SecretShape) -> String {
        self.mint(shape, self.settings.token_length.unwrap_or_default())
    }

    fn mint(&mut self, shape: SecretShape, length: usize) -> String {
        let secret = shape.mint(length);
        self.secrets.note(&secret);
        secret
    }

    /// A fresh refresh token, which replaces the one in use.
    pub(super) fn mint_refresh_token(&mut self, family: FamilyId) -> String {
        let token = self.mint_token(self.dialect.refresh_token);
        let now = self.now();
        self.families.add_refresh_token(family, &token, now);
        token
    }

    /// The first tokens of a family that came of an authorization code.
    pub(super) fn issue_first(&mut self, family: FamilyId) -> Result<TokenAnswer, OAuthError> {
        self.issue_grant(family, true)
    }

    /// The first tokens of a family that came of a device code.
    pub(super) fn issue_for_device(&mut self, family: FamilyId) -> Result<TokenAnswer, OAuthError> {
        self.issue_grant(family, self.settings.device_refresh_token)
    }

    fn issue_grant(&mut self, family: FamilyId, may_refresh: bool) -> Result<TokenAnswer, OAuthError> {
        self.cap_grants(family);
        let authorization = self.families.get(family).authorization.clone();
        let expiring_app =
            self.settings.github_app && self.settings.access_tokens_expire != AccessTokensExpire::Never;
        let always = self.settings.always_refresh_token || expiring_app;
        let offline = may_refresh && (always || authorization.offline);
        let refresh_token = offline.then(|| self.mint_refresh_token(family));
        self.issue(family, authorization.scopes, refresh_token, authorization.nonce)
    }

    /// Where the user has given too many grants like this one, the oldest dies of it.
    fn cap_grants(&mut self, newest: FamilyId) {
        let Some(most) = self.settings.max_grants_per_user else { return };
        let newest = self.families.get(newest).authorization.clone();
        let by_scopes = self.dialect.caps_by_scopes;
        self.families.keep_newest(usize::try_from(most).unwrap_or(usize::MAX), |other| {
            other.user == newest.user
                && other.client_id == newest.client_id
                && (!by_scopes || scopes::same(&other.scopes, &newest.scopes))
        });
    }

    /// An access token, and an ID token where the scopes have `openid`.
    pub(super) fn issue(
        &mut self,
        family: FamilyId,
        scopes: Vec<String>,
        refresh_token: Option<String>,
        nonce: Option<String>,
    ) -> Result<TokenAnswer, OAuthError> {
        let expires = match self.settings.access_tokens_expire {
            AccessTokensExpire::Always => true,
            // The answer may say nothing of a refresh token that stays.
            AccessTokensExpire::WithRefreshToken => self.families.get(family).refresh_token.is_some(),
            AccessTokensExpire::Never => false,
        };
        let lifetime = expires.then_some(self.settings.access_token_lifetime);
        let expires_at = lifetime.map(|lifetime| self.after(lifetime));
        let shape = (self.dialect.access_token)(&self.settings);
        let access_token = self.mint_token(shape);
        let (issued_at, lag) = (self.now(), self.settings.replica_lag);
        self.families.add_access_token(family, &access_token, scopes.clone(), issued_at, expires_at, lag);
        let id_token = self.id_token(family, &access_token, &scopes, nonce)?;
        Ok(TokenAnswer {
            access_token,
            expires_in: lifetime.map(|lifetime| self.settings.told_lifetime.unwrap_or(lifetime)),
            refresh_token,
            refresh_token_lifetime: self.refresh_token_lifetime(),
            issued_at,
            scopes,
            id_token,
        })
    }

    fn id_token(
        &mut self,
        family: FamilyId,
        access_token: &str,
        scopes: &[String],
        nonce: Option<String>,
    ) -> Result<Option<String>, OAuthError> {
        let Some(claims) = self.dialect.id_token_claims.filter(|_| scopes::contains(scopes, "openid")) else {
            return Ok(None);
        };
        let Some(access) = self.families.access_token(access_token).map(|token| self.stands_for(&token))
        else {
            return Ok(None);
        };
        let Some(client_id) = access.client_id.clone() else { return Ok(None) };
        let request = IdTokenRequest {
            issuer: self.place.issuer.clone(),
            client_id,
            sub: (self.dialect.subject)(&access.user.sub),
            nonce,
            authenticated_at: self.families.get(family).authorization.authenticated_at,
            now: self.now(),
            access_token,
            more_claims: claims(&access, &self.place.issuer),
        };
        let id_token = request
            .issue(&mut self.keys, self.settings.id_token)
            .map_err(|_| OAuthError::new(ErrorCode::ServerError, "the ID token could not be signed"))?;
        if let Some(id_token) = &id_token {
            self.secrets.note(id_token);
        }
        Ok(id_token)
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::AccessTokensExpire;
    use crate::state::testing::bench;

    #[test]
    fn tokens_say_what_they_are_and_can_be_padded() {
        let mut bench = bench();
        let tokens = bench.tokens("profile");
        assert!(tokens.access_token.starts_with("sim_at_") && tokens.refresh().starts_with("sim_rt_"));
        bench.provider.settings.token_length = Some(4096);
        let tokens = bench.tokens("profile");
        assert_eq!((tokens.access_token.len(), tokens.refresh().len()), (4096, 4096));
    }

    #[test]
    fn a_length_too_small_to_be_safe_is_not_obeyed() {
        let mut bench = bench();
        bench.provider.settings.token_length = Some(1);
        assert_eq!(bench.tokens("profile").access_token.len(), 50);
    }

    #[test]
    fn strict_providers_give_refresh_tokens_for_offline_access_only() {
        let mut bench = bench();
        bench.provider.settings.always_refresh_token = false;
        assert_eq!(bench.tokens("profile").refresh_token, None);
        assert!(bench.tokens("profile offline_access").refresh_token.is_some());
    }

    #[test]
    fn access_tokens_expire() {
        let mut bench = bench();
        bench.provider.settings.access_token_lifetime = 10;
        let tokens = bench.tokens("profile");
        assert_eq!(tokens.expires_in, Some(10));
        bench.pass(9);
        assert!(bench.sub_of(&tokens.access_token).is_some());
        bench.pass(1);
        assert_eq!(bench.sub_of(&tokens.access_token), None);
    }

    #[test]
    fn the_lifetime_told_can_be_a_lie() {
        let mut bench = bench();
        bench.provider.settings.access_token_lifetime = 10;
        bench.provider.settings.told_lifetime = Some(3600);
        let tokens = bench.tokens("profile");
        assert_eq!(tokens.expires_in, Some(3600));
        bench.pass(10);
        assert_eq!(bench.sub_of(&tokens.access_token), None);
    }

    #[test]
    fn access_tokens_may_expire_only_together_with_a_refresh_token() {
        let mut bench = bench();
        bench.provider.settings.access_tokens_expire = AccessTokensExpire::WithRefreshToken;
        bench.provider.settings.always_refresh_token = false;
        let forever = bench.tokens("profile");
        assert_eq!((forever.expires_in, &forever.refresh_token), (None, &None));
        assert_eq!(bench.tokens("offline_access").expires_in, Some(3600));
        bench.pass(1_000_000_000);
        assert!(bench.sub_of(&forever.access_token).is_some());
    }

    #[test]
    fn of_too_many_grants_the_oldest_dies() {
        let mut bench = bench();
        bench.provider.settings.max_grants_per_user = Some(2);
        let [first, second, third] = [(); 3].map(|()| bench.tokens("profile"));
        assert_eq!(bench.sub_of(&first.access_token), None);
        assert_eq!(bench.refresh(first.refresh()).err(), Some("invalid_grant"));
        for alive in [&second, &third] {
            assert!(bench.sub_of(&alive.access_token).is_some());
        }
        bench.client_id = "another".to_owned();
        bench.tokens("profile");
        assert!(bench.sub_of(&second.access_token).is_some());
    }

    #[test]
    fn a_new_access_token_is_not_known_everywhere_at_once() {
        let mut bench = bench();
        bench.provider.settings.replica_lag = 2;
        let tokens = bench.tokens("profile");
        let known = [(); 4].map(|()| bench.sub_of(&tokens.access_token).is_some());
        assert_eq!(known, [false, false, true, true]);
    }

    #[test]
    fn a_skewed_clock_shows_in_what_is_issued() {
        let mut bench = bench();
        let right = bench.tokens("profile").issued_at;
        bench.provider.settings.clock_skew = -90;
        assert_eq!((bench.tokens("profile").issued_at - right).num_seconds(), -90);
    }

    #[test]
    fn granted_scopes_can_differ_from_those_asked_for() {
        let mut bench = bench();
        bench.provider.settings.granted_scopes = Some(vec!["email".to_owned()]);
        assert_eq!(bench.tokens("profile email calendar").scopes, ["email"]);
    }

    #[test]
    fn every_secret_is_remembered() {
        let mut bench = bench();
        let code = bench.code("openid");
        let tokens = bench.redeem(&code).expect("tokens");
        let secrets = bench.provider.issued_secrets();
        let refresh_token = tokens.refresh().to_owned();
        for secret in [code, tokens.access_token, refresh_token, tokens.id_token.expect("openid")] {
            assert!(secrets.contains(&secret));
        }
        assert!(secrets.iter().any(|secret| secret == "client-secret"));
        assert!(secrets.iter().any(|secret| secret == crate::state::testing::VERIFIER));
    }

    #[test]
    fn a_refresh_that_tells_no_refresh_token_does_not_make_a_token_eternal() {
        let mut bench = bench();
        bench.provider.settings.access_tokens_expire = AccessTokensExpire::WithRefreshToken;
        bench.provider.settings.refresh_omits_refresh_token = true;
        let tokens = bench.tokens("profile");
        assert_eq!(bench.refresh(tokens.refresh()).expect("refreshed").expires_in, Some(3600));
    }

    #[test]
    fn a_github_app_has_refresh_tokens_and_no_scopes_unless_its_tokens_never_expire() {
        let mut bench = bench();
        bench.provider.settings.github_app = true;
        bench.provider.settings.always_refresh_token = false;
        bench.provider.settings.refresh_token_lifetime = Some(15_897_600);
        let tokens = bench.tokens("repo");
        assert!(tokens.scopes.is_empty() && tokens.refresh_token.is_some());
        assert_eq!(tokens.refresh_token_lifetime, Some(15_811_200));
        bench.provider.settings.access_tokens_expire = AccessTokensExpire::Never;
        let tokens = bench.tokens("repo");
        assert_eq!((tokens.refresh_token, tokens.expires_in), (None, None));
    }
}
