//! ID tokens, right ones and forged ones (OpenID Connect Core section 2).

mod keys;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::settings::IdTokenForgery;
pub(crate) use keys::SigningKeys;
use keys::{KeyFailure, SigningKey};

/// For how long an ID token is good.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// How long ago an expired one ended: beyond every tolerance for clocks.
const LONG_AGO: TimeDelta = TimeDelta::hours(1);

/// What an ID token is made of.
pub(crate) struct IdTokenRequest<'a> {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) sub: String,
    pub(crate) nonce: Option<String>,
    pub(crate) authenticated_at: DateTime<Utc>,
    pub(crate) now: DateTime<Utc>,
    /// The access token issued with it.
    pub(crate) access_token: &'a str,
    /// What the provider tells beyond that, or instead of it.
    pub(crate) more_claims: Map<String, Value>,
}

impl IdTokenRequest<'_> {
    /// Signs the ID token, or does to it what the settings want; `None` where they want it missing.
    pub(crate) fn issue(
        &self,
        keys: &mut SigningKeys,
        forgery: IdTokenForgery,
    ) -> Result<Option<String>, KeyFailure> {
        let key = keys.current()?;
        let claims = self.claims(forgery);
        let id_token = match forgery {
            IdTokenForgery::Missing => return Ok(None),
            IdTokenForgery::AlgNone => {
                format!("{}.", signing_input(&json!({"typ": "JWT", "alg": "none"}), &claims))
            }
            IdTokenForgery::Hs256WithPublicKey => {
                let input = signing_input(&header("HS256", key.kid()), &claims);
                signed(&input, key.hmac_with_public_key(&input).as_ref())
            }
            IdTokenForgery::UnknownKid => {
                let input = signing_input(&header("RS256", "a-key-nobody-published"), &claims);
                signed(&input, &key.sign(&input)?)
            }
            IdTokenForgery::BadSignature => {
                let input = signing_input(&header("RS256", key.kid()), &claims);
                signed(&input, &key.sign("another token")?)
            }
            IdTokenForgery::Ok
            | IdTokenForgery::WrongIssuer
            | IdTokenForgery::WrongAudience
            | IdTokenForgery::Expired
            | IdTokenForgery::WrongNonce
            | IdTokenForgery::TwoAudiencesWithoutAzp => rs256(key, &claims)?,
        };
        Ok(Some(id_token))
    }

    fn claims(&self, forgery: IdTokenForgery) -> Value {
        let mut claims = json!({
            "iss": self.issuer,
            "sub": self.sub,
            "aud": self.client_id,
            "iat": self.now.timestamp(),
            "exp": (self.now + LIFETIME).timestamp(),
            "auth_time": self.authenticated_at.timestamp(),
            "at_hash": at_hash(self.access_token),
        });
        for (name, value) in &self.more_claims {
            claims[name] = value.clone();
        }
        if let Some(nonce) = &self.nonce {
            claims["nonce"] = json!(nonce);
        }
        match forgery {
            IdTokenForgery::WrongIssuer => claims["iss"] = json!("https://attacker.example"),
            IdTokenForgery::WrongAudience => claims["aud"] = json!("another-client"),
            IdTokenForgery::WrongNonce => claims["nonce"] = json!("another-nonce"),
            IdTokenForgery::TwoAudiencesWithoutAzp => {
                claims["aud"] = json!([self.client_id, "another-client"]);
            }
            IdTokenForgery::Expired => {
                claims["exp"] = json!((self.now - LONG_AGO).timestamp());
                claims["iat"] = json!((self.now - LONG_AGO - LIFETIME).timestamp());
            }
            _ => {}
        }
        claims
    }
}

/// The left half of the hash of the access token (OpenID Connect Core section 3.1.3.6).
fn at_hash(access_token: &str) -> String {
    let hash = Sha256::digest(access_token);
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

fn header(alg: &str, kid: &str) -> Value {
    json!({"typ": "JWT", "alg": alg, "kid": kid})
}

fn rs256(key: &SigningKey, claims: &Value) -> Result<String, KeyFailure> {
    let input = signing_input(&header("RS256", key.kid()), claims);
    Ok(signed(&input, &key.sign(&input)?))
}

/// What a signature is made over (RFC 7515 section 5.1).
fn signing_input(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn signed(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::errors::{Error, ErrorKind};
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn request(access_token: &str) -> IdTokenRequest<'_> {
        let now = DateTime::from_timestamp(NOW, 0).expect("in range");
        IdTokenRequest {
            issuer: "http://sim.test".to_owned(),
            client_id: "client".to_owned(),
            sub: "1001".to_owned(),
            nonce: Some("n1".to_owned()),
            authenticated_at: now,
            now,
            access_token,
            more_claims: Map::new(),
        }
    }

    fn forged(keys: &mut SigningKeys, forgery: IdTokenForgery) -> String {
        request("sim_at_1").issue(keys, forgery).expect("signed").expect("a token")
    }

    /// Checks as a good client does, with the published keys and somebody else's code.
    fn check(keys: &mut SigningKeys, token: &str) -> Result<Value, ErrorKind> {
        let published: JwkSet = serde_json::from_value(keys.jwks().expect("keys")).expect("a key set");
        let kid = decode_header(token).map_err(Error::into_kind)?.kid.unwrap_or_default();
        let key = published.find(&kid).ok_or(ErrorKind::InvalidKeyFormat)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&["http://sim.test"]);
        validation.set_audience(&["client"]);
        validation.validate_exp = false; // the token lives in the time of the test
        let key = DecodingKey::from_jwk(key).expect("a key");
        decode(token, &key, &validation).map(|token| token.claims).map_err(Error::into_kind)
    }

    #[test]
    fn a_right_token_passes() {
        let mut keys = SigningKeys::default();
        let token = forged(&mut keys, IdTokenForgery::Ok);
        let claims = check(&mut keys, &token).expect("valid");
        assert_eq!((&claims["sub"], &claims["nonce"]), (&json!("1001"), &json!("n1")));
        assert_eq!(claims["exp"], json!(NOW + 600));
        assert_eq!(claims["at_hash"].as_str().map(str::len), Some(22));
    }

    #[test]
    fn forged_tokens_are_wrong_in_the_way_they_are_named() {
        let mut keys = SigningKeys::default();
        let mut refused = |forgery| {
            let token = forged(&mut keys, forgery);
            check(&mut keys, &token).expect_err("refused")
        };
        assert_eq!(refused(IdTokenForgery::WrongIssuer), ErrorKind::InvalidIssuer);
        assert_eq!(refused(IdTokenForgery::WrongAudience), ErrorKind::InvalidAudience);
        assert_eq!(refused(IdTokenForgery::BadSignature), ErrorKind::InvalidSignature);
        assert_eq!(refused(IdTokenForgery::UnknownKid), ErrorKind::InvalidKeyFormat);
        assert_eq!(refused(IdTokenForgery::Hs256WithPublicKey), ErrorKind::InvalidAlgorithm);
    }

    #[test]
    fn claims_are_forged_under_a_good_signature() {
        let mut keys = SigningKeys::default();
        let mut claims = |forgery| {
            let token = forged(&mut keys, forgery);
            check(&mut keys, &token).expect("well signed")
        };
        assert_eq!(claims(IdTokenForgery::Expired)["exp"], json!(NOW - 3600));
        assert_eq!(claims(IdTokenForgery::WrongNonce)["nonce"], "another-nonce");
        let two = claims(IdTokenForgery::TwoAudiencesWithoutAzp);
        assert_eq!(two["aud"], json!(["client", "another-client"]));
        assert!(two.get("azp").is_none());
    }

    #[test]
    fn the_unsigned_and_the_missing_token() {
        let mut keys = SigningKeys::default();
        let unsigned = forged(&mut keys, IdTokenForgery::AlgNone);
        let (header, _) = unsigned.split_once('.').expect("parts");
        let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
        assert_eq!(serde_json::from_slice::<Value>(&header).expect("JSON")["alg"], "none");
        assert!(unsigned.ends_with('.') && unsigned.split('.').count() == 3);
        let missing = request("sim_at_1").issue(&mut keys, IdTokenForgery::Missing).expect("no failure");
        assert_eq!(missing, None);
    }

    #[test]
    fn the_confused_algorithm_verifies_under_the_public_key() {
        let mut keys = SigningKeys::default();
        let token = forged(&mut keys, IdTokenForgery::Hs256WithPublicKey);
        let pem = keys.current().expect("a key").public_pem().to_owned();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["client"]);
        validation.validate_exp = false;
        let naive = decode::<Value>(&token, &DecodingKey::from_secret(pem.as_bytes()), &validation);
        assert!(naive.is_ok());
    }

    #[test]
    fn rotated_keys_stay_published_until_dropped() {
        let mut keys = SigningKeys::default();
        let old = forged(&mut keys, IdTokenForgery::Ok);
        keys.rotate(false).expect("a key");
        assert!(check(&mut keys, &old).is_ok());
        let new = forged(&mut keys, IdTokenForgery::Ok);
        keys.rotate(true).expect("a key");
        assert!(check(&mut keys, &old).is_err() && check(&mut keys, &new).is_err());
        assert_eq!(keys.jwks().expect("keys")["keys"].as_array().map(Vec::len), Some(1));
    }
}
