//! What goes with a person to the provider's page, and is needed when they come back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::Scopes;
use crate::Secret;
use crate::providers::{AuthorizationRequest, CodeExchange, PkceSupport, Provider};
use crate::sealing::{SealError, SealedSecret, SecretPlace, TokenSealer};
use crate::services::Random;

/// The secrets of an authorization request, on their way to the provider's page or to its token endpoint.
pub(crate) struct Handover {
    verifier: Option<Secret>,
    nonce: Secret,
}

/// The same as they rest, in the row of their flow or login.
pub(crate) struct SealedHandover {
    /// The PKCE verifier, where the provider supports PKCE.
    pub(crate) pkce_verifier: Option<SealedSecret>,
    /// The nonce.
    pub(crate) nonce: SealedSecret,
}

/// Where they rest.
#[derive(Clone, Copy)]
pub(crate) struct HandoverPlaces {
    /// The PKCE verifier.
    pub(crate) verifier: SecretPlace,
    /// The nonce.
    pub(crate) nonce: SecretPlace,
}

/// What else an authorization request says.
pub(crate) struct Ask {
    /// Where the provider sends the person back to.
    pub(crate) redirect_uri: String,
    /// The state.
    pub(crate) state: Secret,
    /// The scopes asked for.
    pub(crate) scopes: Scopes,
    /// Whether the provider is to show its consent page.
    pub(crate) force_consent: bool,
    /// Whether tokens are wanted that outlast the person's presence.
    pub(crate) offline_access: bool,
}

impl Handover {
    /// Fresh ones, for every attempt anew (RFC 9700, 2.1.1).
    pub(crate) fn fresh(provider: &Provider, random: &dyn Random) -> Self {
        let verifier = (provider.endpoints.pkce == PkceSupport::S256).then(|| random.token());
        Self { verifier, nonce: random.token() }
    }

    /// As they rest in those places.
    pub(crate) async fn seal(
        &self,
        places: HandoverPlaces,
        sealer: &dyn TokenSealer,
    ) -> Result<SealedHandover, SealError> {
        let pkce_verifier = match &self.verifier {
            Some(verifier) => Some(sealer.seal(places.verifier, verifier).await?),
            None => None,
        };
        let nonce = sealer.seal(places.nonce, &self.nonce).await?;
        Ok(SealedHandover { pkce_verifier, nonce })
    }

    /// From those places.
    pub(crate) async fn open(
        places: HandoverPlaces,
        pkce_verifier: Option<&SealedSecret>,
        nonce: &SealedSecret,
        sealer: &dyn TokenSealer,
    ) -> Result<Self, SealError> {
        let verifier = match pkce_verifier {
            Some(sealed) => Some(sealer.open(places.verifier, sealed).await?),
            None => None,
        };
        Ok(Self { verifier, nonce: sealer.open(places.nonce, nonce).await? })
    }

    /// What redeems the code that came back.
    pub(crate) fn into_exchange(self, code: Secret, redirect_uri: String, scopes: Scopes) -> CodeExchange {
        CodeExchange { code, redirect_uri, pkce_verifier: self.verifier, nonce: Some(self.nonce), scopes }
    }

    /// The request that carries them.
    pub(crate) fn into_request(self, ask: Ask) -> AuthorizationRequest {
        AuthorizationRequest {
            redirect_uri: ask.redirect_uri,
            state: ask.state,
            scopes: ask.scopes,
            code_challenge: self.verifier.map(|verifier| s256(&verifier)),
            nonce: Some(self.nonce.expose().to_owned()),
            force_consent: ask.force_consent,
            offline_access: ask.offline_access,
        }
    }
}

/// RFC 7636, 4.2.
pub(crate) fn s256(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert_eq!(s256(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
