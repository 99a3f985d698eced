//! How a provider speaks: what differs from one to the next and is no switch.
//!
//! The rules of the engine are in [`crate::state`]; they ask the dialect wherever providers part ways.

use serde_json::{Map, Value};

use crate::randomness;
use crate::settings::Settings;
use crate::state::{Access, ErrorCode, TokenAnswer};

/// Letters of base64url (RFC 4648 section 5).
const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Letters and digits.
pub(crate) const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Hexadecimal digits.
pub(crate) const HEX: &[u8] = b"0123456789abcdef";

/// Letters of a user code: no vowels, so that no words arise (RFC 8628 section 6.1).
const CONSONANTS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Members of an answer or claims of a token.
pub(crate) type Members = Map<String, Value>;

/// The claims of an ID token, by what its access token stands for and by the issuer.
pub(crate) type Claims = fn(&Access, &str) -> Members;

/// What is said and done by one kind of provider. [`PLAIN`] is what the RFCs say.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent habits of providers, each with a name of its own"
)]
pub(crate) struct Dialect {
    /// What access tokens look like.
    pub(crate) access_token: fn(&Settings) -> SecretShape,
    /// What the tokens look like that people make by hand, for no client; `None` where they make none.
    pub(crate) personal_token: Option<SecretShape>,
    /// What refresh tokens look like.
    pub(crate) refresh_token: SecretShape,
    /// What authorization codes look like.
    pub(crate) code: SecretShape,
    /// What device codes look like.
    pub(crate) device_code: SecretShape,
    /// What user codes look like.
    pub(crate) user_code: UserCodeShape,
    /// The `token_type` (RFC 6749 section 7.1), with the provider's capitals.
    pub(crate) token_type: &'static str,
    /// The user's identifier at the provider, by the `sub` that the simulator knows.
    pub(crate) subject: fn(&str) -> String,
    /// What it makes of the scopes that were asked for: other names, fewer of them.
    pub(crate) granted: fn(&[String]) -> Vec<String>,
    /// Scopes that it refuses on a page of its own, without sending the user back.
    pub(crate) refused_scopes: &'static [&'static str],
    /// The only scopes that devices may ask for.
    pub(crate) device_scopes: Option<&'static [&'static str]>,
    /// A scope left out means all that the user granted this client before.
    pub(crate) scope_omitted_means_former: bool,
    /// An empty list of scopes is told as an empty text; otherwise it is left out.
    pub(crate) tells_empty_scope: bool,
    /// What a `scope` on a refresh does.
    pub(crate) refresh_scope: RefreshScope,
    /// What asks for a refresh token where not every answer has one.
    pub(crate) offline: Offline,
    /// Whether a cap on grants counts each set of scopes by itself.
    pub(crate) caps_by_scopes: bool,
    /// Whether `response_type=code` must be said.
    pub(crate) needs_response_type: bool,
    /// Whether `grant_type=authorization_code` must be said.
    pub(crate) needs_grant_type: bool,
    /// Whether the redirect URI must be repeated with the code (RFC 6749 section 4.1.3); one sent is always compared.
    pub(crate) needs_redirect_uri: bool,
    /// Whether a redirect URI sent with a refresh must be that of the authorization.
    pub(crate) compares_redirect_uri_on_refresh: bool,
    /// Whether polls with a device code need the client's secret, whatever the device sent at first.
    pub(crate) poll_needs_secret: bool,
    /// Whether `slow_down` tells the new interval.
    pub(crate) slow_down_tells_interval: bool,
    /// Whether the revocation endpoint asks who the client is.
    pub(crate) revocation_needs_client: bool,
    /// Whether revoking a token that nobody knows is an error.
    pub(crate) revocation_knows_tokens: bool,
    /// The body of a successful revocation.
    pub(crate) revoked: &'static str,
    /// The words for errors at the token endpoint and the device authorization endpoint, where they are not the RFCs'.
    pub(crate) errors: &'static [Spoken],
    /// The same for the revocation endpoint, before those of the token endpoint.
    pub(crate) revocation_errors: &'static [Spoken],
    /// More members of error answers, by the time in seconds since 1970.
    pub(crate) error_members: fn(ErrorCode, i64) -> Members,
    /// More members of token answers.
    pub(crate) token_members: fn(&TokenAnswer) -> Members,
    /// More parameters of the successful redirect back, by the scopes granted.
    pub(crate) callback_members: fn(&[String]) -> Vec<(&'static str, String)>,
    /// The claims of its ID tokens beyond the protocol's own; `None` where it has no ID tokens. They win over the
    /// protocol's.
    pub(crate) id_token_claims: Option<Claims>,
    /// More headers of the answer 429, by the time in seconds since 1970 at which calls are welcome again, where the
    /// client is to know it.
    pub(crate) rate_limit_headers: fn(Option<i64>) -> Vec<(&'static str, String)>,
    /// Where people type the user code, and how the device is told.
    pub(crate) verification: Verification,
}

/// What a secret looks like.
#[derive(Clone, Copy)]
pub(crate) struct SecretShape {
    /// How it begins.
    pub(crate) prefix: &'static str,
    /// Of what letters the rest is.
    pub(crate) alphabet: &'static [u8],
    /// How many of them at least.
    pub(crate) length: usize,
}

impl SecretShape {
    /// Letters of base64url, 258 random bits of them.
    pub(crate) const fn base64url(prefix: &'static str) -> Self {
        Self { prefix, alphabet: BASE64URL, length: 43 }
    }

    /// A fresh one, made longer where `length` says so.
    pub(crate) fn mint(&self, length: usize) -> String {
        let length = length.saturating_sub(self.prefix.len()).max(self.length);
        format!("{}{}", self.prefix, randomness::letters(self.alphabet, length))
    }
}

/// What a user code looks like (RFC 8628 section 6.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserCodeShape {
    /// Two halves of four consonants with a dash, such as `BDWP-HQPK`.
    Halves,
    /// As many letters in one word.
    Word(usize),
    /// Two halves in which capitals matter, as at Google.
    CaseSensitive,
}

impl UserCodeShape {
    /// A fresh one.
    pub(crate) fn mint(self) -> String {
        let halves = |alphabet| [(); 2].map(|()| randomness::letters(alphabet, 4)).join("-");
        match self {
            Self::Halves => halves(CONSONANTS),
            Self::Word(length) => randomness::letters(CONSONANTS, length),
            Self::CaseSensitive => halves(b"BCDFGHJKLMNPQRSTVWXZbcdfghjkmnpqrstvwxz"),
        }
    }

    /// Whether somebody typed this code; where capitals do not matter, dashes do not either.
    pub(crate) fn matches(self, code: &str, typed: &str) -> bool {
        let letters = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|letter| letter.to_ascii_uppercase())
                .collect()
        };
        match self {
            Self::CaseSensitive => code == typed.trim(),
            Self::Halves | Self::Word(_) => letters(code) == letters(typed),
        }
    }
}

/// What a `scope` on a refresh does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshScope {
    /// It narrows the access token (RFC 6749 section 6).
    Narrows,
    /// The same, but scopes may be repeated that were asked for and not granted ("Microsoft identity platform and
    /// OAuth 2.0 authorization code flow").
    NarrowsWhatWasAsked,
    /// It is an error.
    Forbidden,
}

/// What asks for a refresh token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offline {
    /// The scope `offline_access` (OpenID Connect Core section 11).
    Scope,
    /// The parameter `access_type=offline`, at the first consent or with `prompt=consent`; devices always get one.
    AccessType,
}

/// An error in the provider's own words.
#[derive(Clone, Copy)]
pub(crate) struct Spoken {
    /// What happened.
    pub(crate) code: ErrorCode,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The `error`.
    pub(crate) error: &'static str,
    /// The `error_description`, where it is not the simulator's own.
    pub(crate) description: Option<&'static str>,
}

impl Spoken {
    /// An error with a status and a name.
    pub(crate) const fn new(code: ErrorCode, status: u16, error: &'static str) -> Self {
        Self { code, status, error, description: None }
    }

    /// The same with a description.
    pub(crate) const fn saying(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }
}

/// Where people type the user code, and how the device is told (RFC 8628 section 3.2).
pub(crate) struct Verification {
    /// The path of the page below the site's first address.
    pub(crate) page: Page,
    /// The member that names the page.
    pub(crate) member: &'static str,
    /// Whether there is a `verification_uri_complete`.
    pub(crate) complete: bool,
    /// Whether there is a `message` for the user.
    pub(crate) message: bool,
}

/// Where a page is.
pub(crate) enum Page {
    /// Below the first mount of the site.
    Below(&'static str),
    /// At another host, which is a mount of the site.
    At(&'static str),
}

/// What the RFCs say.
pub(crate) const PLAIN: Dialect = Dialect {
    access_token: |_| SecretShape::base64url("sim_at_"),
    personal_token: None,
    refresh_token: SecretShape::base64url("sim_rt_"),
    code: SecretShape::base64url("sim_code_"),
    device_code: SecretShape::base64url("sim_dc_"),
    user_code: UserCodeShape::Halves,
    token_type: "Bearer",
    subject: str::to_owned,
    granted: <[String]>::to_vec,
    refused_scopes: &[],
    device_scopes: None,
    scope_omitted_means_former: false,
    tells_empty_scope: false,
    refresh_scope: RefreshScope::Narrows,
    offline: Offline::Scope,
    caps_by_scopes: false,
    needs_response_type: true,
    needs_grant_type: true,
    needs_redirect_uri: true,
    compares_redirect_uri_on_refresh: false,
    poll_needs_secret: false,
    slow_down_tells_interval: false,
    revocation_needs_client: true,
    revocation_knows_tokens: false,
    revoked: "",
    errors: &[],
    revocation_errors: &[],
    error_members: |_, _| Map::new(),
    token_members: |_| Map::new(),
    callback_members: |_| Vec::new(),
    id_token_claims: Some(|_, _| Map::new()),
    rate_limit_headers: |_| Vec::new(),
    verification: Verification {
        page: Page::Below("/device"),
        member: "verification_uri",
        complete: true,
        message: false,
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_the_length_that_is_wanted_but_never_too_few_letters() {
        let shape = SecretShape { prefix: "gho_", alphabet: ALPHANUMERIC, length: 36 };
        assert_eq!(shape.mint(0).len(), 40);
        assert_eq!(shape.mint(41).len(), 41);
        assert!(shape.mint(2500).starts_with("gho_"));
        assert_ne!(shape.mint(0), shape.mint(0));
    }

    #[test]
    fn user_codes_forgive_dashes_and_capitals_unless_capitals_matter() {
        assert!(UserCodeShape::Halves.matches("BDWP-HQPK", "bdwphqpk"));
        assert!(UserCodeShape::Word(8).matches("BDWPHQPK", "BDWP-HQPK"));
        assert!(UserCodeShape::CaseSensitive.matches("bDWP-HqPK", " bDWP-HqPK "));
        assert!(!UserCodeShape::CaseSensitive.matches("bDWP-HqPK", "BDWP-HQPK"));
        let code = UserCodeShape::Halves.mint();
        assert!(code.len() == 9 && code.chars().nth(4) == Some('-'));
        assert_eq!(UserCodeShape::Word(8).mint().len(), 8);
    }
}
