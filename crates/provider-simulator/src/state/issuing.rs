//! Making tokens.

use super::families::FamilyId;
use super::{ErrorCode, OAuthError, Provider, scopes};
use crate::id_token::IdTokenRequest;
use crate::randomness;

/// A successful answer of the token endpoint (RFC 6749 section 5.1). It holds secrets, therefore it has no `Debug`.
pub(crate) struct TokenAnswer {
    /// `access_token`.
    pub(crate) access_token: String,
    /// `expires_in`, in seconds.
    pub(crate) expires_in: u32,
    /// `refresh_token`.
    pub(crate) refresh_token: Option<String>,
    /// `scope`.
    pub(crate) scopes: Vec<String>,
    /// `id_token` (OpenID Connect Core section 3.1.3.3).
    pub(crate) id_token: Option<String>,
}

impl Provider {
    /// A fresh code of 256 random bits.
    pub(super) fn mint_code(&mut self, prefix: &str) -> String {
        let code = format!("{prefix}{}", randomness::secret());
        self.secrets.note(&code);
        code
    }

    /// A fresh token of at least 256 random bits, as long as the settings want it.
    fn mint_token(&mut self, prefix: &str) -> String {
        let mut token = format!("{prefix}{}", randomness::secret());
        let length = self.settings.token_length.unwrap_or_default().max(token.len());
        while token.len() < length {
            token.push_str(&randomness::secret());
        }
        token.truncate(length);
        self.secrets.note(&token);
        token
    }

    /// A fresh refresh token, which replaces the one in use.
    pub(super) fn mint_refresh_token(&mut self, family: FamilyId) -> String {
        let token = self.mint_token("sim_rt_");
        let now = self.now();
        self.families.add_refresh_token(family, &token, now);
        token
    }

    /// The first tokens of a family.
    pub(super) fn issue_first(&mut self, family: FamilyId) -> Result<TokenAnswer, OAuthError> {
        let authorization = &self.families.get(family).authorization;
        let (scopes, nonce) = (authorization.scopes.clone(), authorization.nonce.clone());
        let offline = self.settings.always_refresh_token || scopes::contains(&scopes, "offline_access");
        let refresh_token = offline.then(|| self.mint_refresh_token(family));
        self.issue(family, scopes, refresh_token, nonce)
    }

    /// An access token, and an ID token where the scopes have `openid`.
    pub(super) fn issue(
        &mut self,
        family: FamilyId,
        scopes: Vec<String>,
        refresh_token: Option<String>,
        nonce: Option<String>,
    ) -> Result<TokenAnswer, OAuthError> {
        let expires_in = self.settings.access_token_lifetime;
        let expires_at = self.after(expires_in);
        let access_token = self.mint_token("sim_at_");
        self.families.add_access_token(family, &access_token, scopes.clone(), expires_at);
        let id_token = if scopes::contains(&scopes, "openid") {
            self.id_token(family, &access_token, nonce)?
        } else {
            None
        };
        Ok(TokenAnswer { access_token, expires_in, refresh_token, scopes, id_token })
    }

    fn id_token(
        &mut self,
        family: FamilyId,
        access_token: &str,
        nonce: Option<String>,
    ) -> Result<Option<String>, OAuthError> {
        let authorization = &self.families.get(family).authorization;
        let request = IdTokenRequest {
            issuer: self.issuer.clone(),
            client_id: authorization.client_id.clone(),
            sub: authorization.user.sub.clone(),
            nonce,
            authenticated_at: authorization.authenticated_at,
            now: self.now(),
            access_token,
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
        assert_eq!(tokens.expires_in, 10);
        bench.pass(9);
        assert!(bench.sub_of(&tokens.access_token).is_some());
        bench.pass(1);
        assert_eq!(bench.sub_of(&tokens.access_token), None);
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
}
