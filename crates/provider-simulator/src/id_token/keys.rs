//! The RSA keys that ID tokens are signed with (RFC 7517, RFC 7518 section 6.3).

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use aws_lc_rs::{error::Unspecified, hmac};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// aws-lc could not make or use a key; it says no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyFailure;

impl From<Unspecified> for KeyFailure {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// One key.
pub(crate) struct SigningKey {
    pair: KeyPair,
    kid: String,
    modulus: String,
    exponent: String,
    public_pem: String,
}

impl SigningKey {
    fn generate() -> Result<Self, KeyFailure> {
        let pair = KeyPair::generate(KeySize::Rsa2048)?;
        let public = pair.public_key();
        let modulus = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let exponent = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        let public_pem = pem(public.as_der()?.as_ref());
        Ok(Self { kid: thumbprint(&modulus, &exponent), pair, modulus, exponent, public_pem })
    }

    /// The name of the key: its thumbprint (RFC 7638).
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key in the text form in which it is passed around.
    #[cfg(test)]
    pub(crate) fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// An RS256 signature (RFC 7518 section 3.3).
    pub(crate) fn sign(&self, message: &str) -> Result<Vec<u8>, KeyFailure> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)?;
        Ok(signature)
    }

    /// What an attacker makes who hopes that the public key will be taken for a shared secret
    /// (RFC 8725 section 2.1).
    pub(crate) fn hmac_with_public_key(&self, message: &str) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.public_pem.as_bytes());
        hmac::sign(&key, message.as_bytes())
    }

    fn jwk(&self) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": self.modulus,
            "e": self.exponent,
        })
    }
}

/// The published keys, the one in use last. The first one is made when it is first needed: that takes a while, and
/// many tests need none.
#[derive(Default)]
pub(crate) struct SigningKeys {
    published: Vec<SigningKey>,
}

impl SigningKeys {
    /// The key in use.
    pub(crate) fn current(&mut self) -> Result<&SigningKey, KeyFailure> {
        if self.published.is_empty() {
            self.published.push(SigningKey::generate()?);
        }
        self.published.last().ok_or(KeyFailure)
    }

    /// Goes on with a new key. The old ones stay published unless they are dropped.
    pub(crate) fn rotate(&mut self, drop_old: bool) -> Result<(), KeyFailure> {
        self.current()?;
        let new = SigningKey::generate()?;
        if drop_old {
            self.published.clear();
        }
        self.published.push(new);
        Ok(())
    }

    /// The key set (RFC 7517 section 5).
    pub(crate) fn jwks(&mut self) -> Result<Value, KeyFailure> {
        self.current()?;
        let keys: Vec<Value> = self.published.iter().map(SigningKey::jwk).collect();
        Ok(json!({ "keys": keys }))
    }
}

/// The SHA-256 of the required members in lexical order (RFC 7638 section 3).
fn thumbprint(modulus: &str, exponent: &str) -> String {
    let members = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

/// The text form of a public key (RFC 7468 section 13).
fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END PUBLIC KEY-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_those_of_the_rfc() {
        // The example of RFC 7638 section 3.1.
        let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP\
                       ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY\
                       368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f\
                       M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        assert_eq!(thumbprint(modulus, "AQAB"), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
