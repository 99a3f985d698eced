//! The authorization code grant (RFC 6749 section 4.1.3).

use chrono::{DateTime, Utc};

use super::clients::Client;
use super::families::{Authorization, FamilyId};
use super::issuing::TokenAnswer;
use super::pkce::{self, Challenge};
use super::{ErrorCode, OAuthError, Provider};
use crate::settings::Pkce;

/// What is known of an authorization code.
pub(super) struct AuthorizationCode {
    authorization: Authorization,
    redirect_uri: String,
    challenge: Option<Challenge>,
    expires_at: DateTime<Utc>,
    fate: CodeFate,
}

/// A code is good for one attempt, whatever comes of it.
#[derive(Clone, Copy)]
enum CodeFate {
    Fresh,
    /// The attempt failed.
    Burned,
    /// The attempt gave this family.
    Redeemed(FamilyId),
}

impl AuthorizationCode {
    /// A fresh code.
    pub(super) fn new(
        authorization: Authorization,
        redirect_uri: String,
        challenge: Option<Challenge>,
        expires_at: DateTime<Utc>,
    ) -> Self {
        Self { authorization, redirect_uri, challenge, expires_at, fate: CodeFate::Fresh }
    }

    /// The family that came of it.
    pub(super) fn family(&self) -> Option<FamilyId> {
        match self.fate {
            CodeFate::Redeemed(family) => Some(family),
            CodeFate::Fresh | CodeFate::Burned => None,
        }
    }

    fn check(&self, presented: &PresentedCode<'_>, now: DateTime<Utc>) -> Result<(), OAuthError> {
        if self.expires_at <= now {
            return Err(invalid_code("the code has expired"));
        }
        if presented.redirect_uri.is_some_and(|uri| uri != self.redirect_uri) {
            return Err(OAuthError::new(
                ErrorCode::RedirectUriMismatch,
                "redirect_uri is not that of the authorization request",
            ));
        }
        match presented.pkce {
            Pkce::Ignored => Ok(()),
            Pkce::S256 | Pkce::S256AndPlain => {
                pkce::check_verifier(self.challenge.as_ref(), presented.verifier)
            }
        }
    }
}

/// What a client presents for tokens.
pub(super) struct PresentedCode<'a> {
    pub(super) code: &'a str,
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) verifier: Option<&'a str>,
    /// Which proofs the provider knows.
    pub(super) pkce: Pkce,
}

const fn invalid_code(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidCode, description)
}

impl Provider {
    /// Redeems a code. One that is redeemed a second time was stolen by somebody, so what came of it dies
    /// (RFC 6749 section 4.1.2).
    pub(super) fn redeem_code(
        &mut self,
        client: &Client,
        presented: &PresentedCode<'_>,
    ) -> Result<TokenAnswer, OAuthError> {
        let now = self.now();
        client.confidential()?;
        let record = self.codes.get_mut(presented.code).ok_or(invalid_code("unknown code"))?;
        if !record.authorization.is_of(&client.id) {
            return Err(invalid_code("the code was issued to another client"));
        }
        match record.fate {
            CodeFate::Fresh => record.fate = CodeFate::Burned,
            CodeFate::Burned => return Err(invalid_code("the code was used before")),
            CodeFate::Redeemed(family) => {
                self.families.kill(family);
                return Err(invalid_code("the code was used before; its tokens are revoked"));
            }
        }
        if self.dialect.needs_redirect_uri && presented.redirect_uri.is_none() {
            return Err(OAuthError::new(ErrorCode::RedirectUriMismatch, "redirect_uri is missing"));
        }
        record.check(presented, now)?;
        let family = self.families.begin(record.authorization.clone());
        record.fate = CodeFate::Redeemed(family);
        self.issue_first(family)
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::{Dialect, PLAIN};
    use crate::settings::Pkce;
    use crate::state::testing::{REDIRECT_URI, VERIFIER, bench};

    #[test]
    fn a_code_gives_tokens_once_and_its_replay_kills_them() {
        let mut bench = bench();
        let code = bench.code("profile offline_access");
        let tokens = bench.redeem(&code).expect("tokens");
        assert_eq!(bench.sub_of(&tokens.access_token).as_deref(), Some("1001"));

        assert_eq!(bench.redeem(&code).err(), Some("invalid_grant"));
        assert_eq!(bench.sub_of(&tokens.access_token), None);
        assert_eq!(bench.refresh(&tokens.refresh_token.expect("one")).err(), Some("invalid_grant"));
        assert!(!bench.provider.stats().families["family-1"].alive);
    }

    #[test]
    fn a_code_expires() {
        let mut bench = bench();
        let code = bench.code("profile");
        bench.pass(60);
        assert_eq!(bench.redeem(&code).err(), Some("invalid_grant"));
    }

    #[test]
    fn a_wrong_verifier_burns_the_code() {
        let mut bench = bench();
        let code = bench.code("profile");
        let wrong = VERIFIER.replace('d', "e");
        for verifier in [wrong.as_str(), VERIFIER] {
            let answer = bench.token(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", verifier),
            ]);
            assert_eq!(answer.err(), Some("invalid_grant"));
        }
    }

    #[test]
    fn the_redirect_uri_must_be_repeated() {
        for redirect_uri in ["", "http://127.0.0.1:9/another"] {
            let mut bench = bench();
            let code = bench.code("profile");
            let answer = bench.token(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", redirect_uri),
                ("code_verifier", VERIFIER),
            ]);
            assert_eq!(answer.err(), Some("invalid_grant"));
        }
    }

    #[test]
    fn another_client_cannot_use_nor_burn_a_code() {
        let mut bench = bench();
        let code = bench.code("profile");
        bench.client_id = "another".to_owned();
        assert_eq!(bench.redeem(&code).err(), Some("invalid_grant"));
        bench.client_id = "client".to_owned();
        assert!(bench.redeem(&code).is_ok());
    }

    #[test]
    fn a_client_without_secret_gets_nothing() {
        let mut bench = bench();
        let code = bench.code("profile");
        bench.secret = None;
        assert_eq!(bench.redeem(&code).err(), Some("invalid_client"));
    }

    #[test]
    fn some_providers_do_without_the_redirect_uri_but_compare_one_that_is_sent() {
        const LENIENT: Dialect = Dialect { needs_redirect_uri: false, needs_grant_type: false, ..PLAIN };
        let mut bench = bench();
        bench.provider.dialect = &LENIENT;
        let code = bench.code("profile");
        assert!(bench.token(&[("code", &code), ("code_verifier", VERIFIER)]).is_ok());
        let code = bench.code("profile");
        let foreign = "http://127.0.0.1:9/another";
        let answer = bench.token(&[("code", &code), ("code_verifier", VERIFIER), ("redirect_uri", foreign)]);
        assert_eq!(answer.err(), Some("invalid_grant"));
    }

    #[test]
    fn where_pkce_is_not_known_any_verifier_passes() {
        let mut bench = bench();
        bench.provider.settings.pkce = Pkce::Ignored;
        let code = bench.code("profile");
        let answer = bench.token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", "nonsense"),
        ]);
        assert!(answer.is_ok());
    }
}
