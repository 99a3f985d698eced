//! Verifying an ID token (OpenID Connect Core, 3.1.3.7; RFC 8725): a pure decision over the token, the provider's keys
//! and what the flow expects.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::Secret;
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, ClientId, IssuerUrl, JsonWebKey as _, Nonce, NonceVerifier,
};
use serde_json::{Map, Value};

use super::defect::Defect;

/// What an ID token has to agree with.
pub(super) struct Expected<'a> {
    /// The issuer.
    pub(super) issuer: &'a str,
    /// Whether `iss` may lack the `https://` before it.
    pub(super) issuer_may_be_bare: bool,
    /// Our client.
    pub(super) client_id: &'a str,
    /// The nonce that the authorization request had; `None`: it had none.
    pub(super) nonce: Option<&'a Secret>,
    /// The access token that came with it.
    pub(super) access_token: &'a Secret,
    /// The present time.
    pub(super) now: DateTime<Utc>,
}

/// How far the provider's clock may be off.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// Signatures that only the holder of a private key can make. HMAC is not among them: a shared secret proves nothing
/// to the one who also knows it, and opens the confusion of public key and secret (RFC 8725, 2.1).
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Header fields that carry a key or an address of one (RFC 7515, 4.1.2, 4.1.3 and 4.1.5).
const KEY_REFERENCES: [&str; 3] = ["jku", "jwk", "x5u"];

/// Verifies an ID token and returns its claims as the provider wrote them.
pub(super) fn verify(
    id_token: &Secret,
    keys: &CoreJsonWebKeySet,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, Defect> {
    let text = id_token.expose();
    let [header, claims] = segments(text)?;
    if KEY_REFERENCES.iter().any(|field| header.contains_key(*field)) {
        return Err(Defect::BringsItsKey);
    }
    let (token, verifier) = if expected.is_bare_issuer(&claims) {
        with_whole_issuer(text, &claims, keys, expected)?
    } else {
        (text.parse().map_err(|_| Defect::Malformed)?, verifier(keys, expected)?)
    };
    let token: CoreIdToken = token;
    let checked = token.claims(&verifier, nonce_check(expected.nonce))?;
    check_authorized_party(checked, expected.client_id)?;
    if checked.issue_time() > expected.now + SKEW {
        return Err(Defect::IssuedInFuture);
    }
    if let Some(hash) = checked.access_token_hash() {
        let access_token = AccessToken::new(expected.access_token.expose().to_owned());
        let ours =
            AccessTokenHash::from_token(&access_token, token.signing_alg()?, token.signing_key(&verifier)?);
        if ours.ok().as_ref() != Some(hash) {
            return Err(Defect::AccessTokenHash);
        }
    }
    Ok(claims)
}

impl Expected<'_> {
    fn is_bare_issuer(&self, claims: &Map<String, Value>) -> bool {
        let bare = self.issuer.strip_prefix("https://").filter(|_| self.issuer_may_be_bare);
        bare.is_some_and(|bare| claims.get("iss").and_then(Value::as_str) == Some(bare))
    }
}

/// The same ID token with the issuer written out, which the library cannot read otherwise, and what checks all the rest
/// of it. The signature is of what came, so it is checked here.
fn with_whole_issuer<'a>(
    text: &str,
    claims: &Map<String, Value>,
    keys: &CoreJsonWebKeySet,
    expected: &Expected<'_>,
) -> Result<(CoreIdToken, CoreIdTokenVerifier<'a>), Defect> {
    let (input, signature) = text.rsplit_once('.').ok_or(Defect::Malformed)?;
    let (header, payload) = input.split_once('.').ok_or(Defect::Malformed)?;
    if payload.contains('.') {
        return Err(Defect::Malformed);
    }
    let mut claims = claims.clone();
    claims.insert("iss".to_owned(), expected.issuer.into());
    let claims = URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string());
    let token: CoreIdToken =
        format!("{header}.{claims}.{signature}").parse().map_err(|_| Defect::Malformed)?;
    let verifier = verifier(keys, expected)?;
    let algorithm = token.signing_alg()?;
    if !ALGORITHMS.contains(algorithm) {
        return Err(Defect::Algorithm);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Defect::Malformed)?;
    token.signing_key(&verifier)?.verify_signature(algorithm, input.as_bytes(), &signature)?;
    Ok((token, verifier.insecure_disable_signature_check()))
}

/// The issuer that an ID token names; nothing about it is verified.
pub(super) fn named_issuer(id_token: &Secret) -> Option<String> {
    let [_, claims] = segments(id_token.expose()).ok()?;
    Some(claims.get("iss")?.as_str()?.to_owned())
}

/// Header and claims.
fn segments(token: &str) -> Result<[Map<String, Value>; 2], Defect> {
    let mut segments = token.split('.');
    let mut next = || {
        let bytes = URL_SAFE_NO_PAD.decode(segments.next()?).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    Ok([next().ok_or(Defect::Malformed)?, next().ok_or(Defect::Malformed)?])
}

fn verifier<'a>(
    keys: &CoreJsonWebKeySet,
    expected: &Expected<'_>,
) -> Result<CoreIdTokenVerifier<'a>, Defect> {
    let issuer = IssuerUrl::new(expected.issuer.to_owned()).map_err(|_| Defect::Issuer)?;
    // Without the client secret it cannot even check an HMAC.
    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new(expected.client_id.to_owned()),
        issuer,
        keys.clone(),
    );
    // `exp` lies this far in the past at most.
    let time = expected.now - SKEW;
    Ok(verifier
        .set_allowed_algs(ALGORITHMS)
        // Which of several audiences the token was made for is what `azp` says.
        .set_other_audience_verifier_fn(|_| true)
        .set_time_fn(move || time))
}

fn nonce_check(expected: Option<&Secret>) -> impl NonceVerifier {
    let expected = expected.map(|nonce| Nonce::new(nonce.expose().to_owned()));
    move |nonce: Option<&Nonce>| expected.as_ref().map_or(Ok(()), |expected| expected.verify(nonce))
}

/// `azp` is our client where it is there, and it is there beside several audiences (OpenID Connect Core, 3.1.3.7,
/// steps 4 and 5).
fn check_authorized_party(claims: &CoreIdTokenClaims, client_id: &str) -> Result<(), Defect> {
    let ok = match claims.authorized_party() {
        Some(party) => party.as_str() == client_id,
        None => claims.audiences().len() == 1,
    };
    if ok { Ok(()) } else { Err(Defect::AuthorizedParty) }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use grantkeeper_testkit::entities::START;
    use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKey};
    use openidconnect::{JsonWebKeyId, PrivateSigningKey};
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://idp.example/realm";
    const ACCESS_TOKEN: &str = "an access token";

    fn key(seed: u8, kid: &str) -> CoreEdDsaPrivateSigningKey {
        // PKCS #8 of an Ed25519 key (RFC 8410, 7) is this and the seed.
        let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let body = STANDARD.encode([head.as_slice(), &[seed; 32]].concat());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(kid.into()))).unwrap()
    }

    fn public(key: &CoreEdDsaPrivateSigningKey) -> CoreJsonWebKey {
        key.as_verification_key()
    }

    fn header() -> Value {
        json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"})
    }

    fn claims() -> Value {
        let now = START.timestamp();
        json!({"iss": ISSUER, "sub": "u1", "aud": "client", "exp": now + 300, "iat": now, "nonce": "n"})
    }

    fn with(mut object: Value, changes: Value) -> Value {
        let Value::Object(changes) = changes else { panic!("an object") };
        for (name, value) in changes {
            if value.is_null() {
                object.as_object_mut().unwrap().remove(&name);
            } else {
                object[name] = value;
            }
        }
        object
    }

    fn sign(header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = key(1, "k1").sign(&CoreJwsSigningAlgorithm::EdDsa, input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn check_with(
        keys: Vec<CoreJsonWebKey>,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<Map<String, Value>, Defect> {
        check_by(false, keys, token, nonce)
    }

    fn check_by(
        issuer_may_be_bare: bool,
        keys: Vec<CoreJsonWebKey>,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<Map<String, Value>, Defect> {
        let nonce = nonce.map(|nonce| Secret::new(nonce.into()));
        let access_token = Secret::new(ACCESS_TOKEN.into());
        let expected = Expected {
            issuer: ISSUER,
            issuer_may_be_bare,
            client_id: "client",
            nonce: nonce.as_ref(),
            access_token: &access_token,
            now: START,
        };
        verify(&Secret::new(token.into()), &CoreJsonWebKeySet::new(keys), &expected)
    }

    fn check(header: &Value, claims: &Value) -> Result<(), Defect> {
        check_with(vec![public(&key(1, "k1"))], &sign(header, claims), Some("n")).map(|_| ())
    }

    #[test]
    fn a_good_token_gives_its_claims_as_they_are() {
        let claims =
            with(claims(), json!({"email_verified": "true", "updated_at": "2026-01-01T00:00:00Z", "x": [1]}));
        let found = check_with(vec![public(&key(1, "k1"))], &sign(&header(), &claims), Some("n")).unwrap();
        assert_eq!(Value::Object(found), claims);
    }

    #[test]
    fn every_wrong_claim_has_its_own_reason() {
        let now = START.timestamp();
        for (changes, expected) in [
            (json!({"iss": "https://idp.example/realm/"}), Err(Defect::Issuer)),
            (json!({"iss": "https://IDP.example/realm"}), Err(Defect::Issuer)),
            (json!({"iss": null}), Err(Defect::Malformed)),
            (json!({"aud": "another"}), Err(Defect::Audience)),
            (json!({"aud": ["another", "third"]}), Err(Defect::Audience)),
            (json!({"aud": null}), Err(Defect::Audience)),
            (json!({"aud": ["client"]}), Ok(())),
            (json!({"aud": ["client", "another"]}), Err(Defect::AuthorizedParty)),
            (json!({"aud": ["client", "another"], "azp": "client"}), Ok(())),
            (json!({"azp": "another"}), Err(Defect::AuthorizedParty)),
            (json!({"exp": now - 58}), Ok(())),
            (json!({"exp": now - 60}), Err(Defect::Expired)),
            (json!({"exp": null}), Err(Defect::Malformed)),
            (json!({"iat": now + 60}), Ok(())),
            (json!({"iat": now + 62}), Err(Defect::IssuedInFuture)),
            (json!({"iat": null}), Err(Defect::Malformed)),
            (json!({"nonce": "another"}), Err(Defect::Nonce)),
            (json!({"nonce": null}), Err(Defect::Nonce)),
            (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), Err(Defect::AccessTokenHash)),
            (json!({"sub": null}), Err(Defect::Malformed)),
        ] {
            assert_eq!(check(&header(), &with(claims(), changes.clone())), expected, "{changes}");
        }
    }

    #[test]
    fn every_wrong_header_has_its_own_reason() {
        for (changes, expected) in [
            (json!({"kid": "k2"}), Err(Defect::UnknownKey)),
            (json!({"kid": null}), Ok(())),
            (json!({"typ": null}), Ok(())),
            (json!({"typ": "at+jwt"}), Err(Defect::Unsupported)),
            (json!({"cty": "JWT"}), Err(Defect::Unsupported)),
            (json!({"crit": ["exp"]}), Err(Defect::Unsupported)),
            (json!({"jku": "https://evil.example/keys"}), Err(Defect::BringsItsKey)),
            (json!({"x5u": "https://evil.example/cert"}), Err(Defect::BringsItsKey)),
            (json!({"jwk": {"kty": "OKP"}}), Err(Defect::BringsItsKey)),
            (json!({"alg": "none"}), Err(Defect::Unsigned)),
            (json!({"alg": "HS256"}), Err(Defect::Algorithm)),
            (json!({"alg": "ES512"}), Err(Defect::Algorithm)),
            (json!({"alg": "RS256"}), Err(Defect::UnknownKey)),
            (json!({"alg": "made-up"}), Err(Defect::Malformed)),
        ] {
            assert_eq!(check(&with(header(), changes.clone()), &claims()), expected, "{changes}");
        }
    }

    #[test]
    fn the_hash_of_the_access_token_is_compared() {
        let key = public(&key(1, "k1"));
        let hash = |token: &str| {
            let token = AccessToken::new(token.into());
            AccessTokenHash::from_token(&token, &CoreJwsSigningAlgorithm::EdDsa, &key)
                .unwrap()
                .as_str()
                .to_owned()
        };
        assert_eq!(check(&header(), &with(claims(), json!({"at_hash": hash(ACCESS_TOKEN)}))), Ok(()));
        let other = with(claims(), json!({"at_hash": hash("another")}));
        assert_eq!(check(&header(), &other), Err(Defect::AccessTokenHash));
    }

    #[test]
    fn keys_and_signature_must_fit() {
        let token = sign(&header(), &claims());
        let check = |keys, token: &str| check_with(keys, token, Some("n")).map(|_| ());
        assert_eq!(check(vec![], &token), Err(Defect::UnknownKey));
        assert_eq!(
            check(vec![public(&key(2, "k1"))], &token),
            Err(Defect::Signature),
            "another key of that name"
        );
        let without_kid = sign(&with(header(), json!({"kid": null})), &claims());
        let two = || vec![public(&key(1, "k1")), public(&key(2, "k2"))];
        assert_eq!(check(two(), &without_kid), Err(Defect::AmbiguousKey));
        assert_eq!(check(two(), &token), Ok(()));
        let (input, _) = token.rsplit_once('.').unwrap();
        assert_eq!(check(two(), &format!("{input}.")), Err(Defect::Signature));
        let other_claims = sign(&header(), &with(claims(), json!({"sub": "u2"})));
        let (_, signature) = other_claims.rsplit_once('.').unwrap();
        assert_eq!(check(two(), &format!("{input}.{signature}")), Err(Defect::Signature));
    }

    #[test]
    fn an_issuer_may_be_bare_and_all_else_counts_the_same() {
        let keys = || vec![public(&key(1, "k1"))];
        let check = |token: &str| check_by(true, keys(), token, Some("n"));
        let bare = with(claims(), json!({"iss": "idp.example/realm"}));
        let token = sign(&header(), &bare);
        assert_eq!(check(&token).map(Value::Object), Ok(bare.clone()), "the claims as they are");
        assert!(check(&sign(&header(), &claims())).is_ok(), "and the whole one as ever");
        assert_eq!(check_with(keys(), &token, Some("n")), Err(Defect::Malformed), "nobody else's may");

        let now = START.timestamp();
        for (changes, defect) in [
            (json!({"iss": "idp.example/realm/"}), Defect::Malformed),
            (json!({"iss": "//idp.example/realm"}), Defect::Malformed),
            (json!({"iss": "http://idp.example/realm"}), Defect::Issuer),
            (json!({"aud": "another"}), Defect::Audience),
            (json!({"aud": ["client", "another"]}), Defect::AuthorizedParty),
            (json!({"azp": "another"}), Defect::AuthorizedParty),
            (json!({"exp": now - 60}), Defect::Expired),
            (json!({"iat": now + 62}), Defect::IssuedInFuture),
            (json!({"nonce": "another"}), Defect::Nonce),
            (json!({"nonce": null}), Defect::Nonce),
            (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), Defect::AccessTokenHash),
            (json!({"sub": null}), Defect::Malformed),
        ] {
            let claims = with(bare.clone(), changes.clone());
            assert_eq!(check(&sign(&header(), &claims)), Err(defect), "{changes}");
        }
        for (changes, defect) in [
            (json!({"kid": "k2"}), Defect::UnknownKey),
            (json!({"alg": "none"}), Defect::Unsigned),
            (json!({"alg": "HS256"}), Defect::Algorithm),
            (json!({"alg": "ES512"}), Defect::Algorithm),
            (json!({"alg": "RS256"}), Defect::UnknownKey),
            (json!({"typ": "at+jwt"}), Defect::Unsupported),
            (json!({"crit": ["exp"]}), Defect::Unsupported),
            (json!({"jwk": {"kty": "OKP"}}), Defect::BringsItsKey),
        ] {
            assert_eq!(check(&sign(&with(header(), changes.clone()), &bare)), Err(defect), "{changes}");
        }
    }

    #[test]
    fn a_bare_issuer_excuses_no_signature() {
        let check = |keys, token: &str| check_by(true, keys, token, Some("n")).map(|_| ());
        let keys = || vec![public(&key(1, "k1"))];
        let bare = with(claims(), json!({"iss": "idp.example/realm"}));
        let token = sign(&header(), &bare);
        assert_eq!(check(vec![], &token), Err(Defect::UnknownKey));
        assert_eq!(check(vec![public(&key(2, "k1"))], &token), Err(Defect::Signature));
        let (input, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(check(keys(), &format!("{input}.")), Err(Defect::Signature));
        assert_eq!(check(keys(), &format!("{input}.{signature}.")), Err(Defect::Malformed));
        let whole = sign(&header(), &claims());
        let (_, of_whole) = whole.rsplit_once('.').unwrap();
        let stolen = check(keys(), &format!("{input}.{of_whole}"));
        assert_eq!(stolen, Err(Defect::Signature), "the signature of the token as the library reads it");
        let other = sign(&header(), &with(bare, json!({"sub": "u2"})));
        let (other_input, _) = other.rsplit_once('.').unwrap();
        assert_eq!(check(keys(), &format!("{other_input}.{signature}")), Err(Defect::Signature));
    }

    #[test]
    fn a_flow_without_nonce_asks_for_none() {
        let token = sign(&header(), &claims());
        assert!(check_with(vec![public(&key(1, "k1"))], &token, None).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn anything_else_is_malformed(text in ".*") {
            proptest::prop_assert_eq!(check_with(vec![], &text, None), Err(Defect::Malformed));
        }

        #[test]
        fn arbitrary_segments_are_survived(header: Vec<u8>, claims: Vec<u8>) {
            let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
            let token = format!("{}.{}.c2ln", encode(header), encode(claims));
            proptest::prop_assert!(check_with(vec![], &token, None).is_err());
        }
    }
}
