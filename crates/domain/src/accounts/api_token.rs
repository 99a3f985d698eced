//! API tokens of our own: `gk_`, 32 base62 characters (190 random bits), and 6 of checksum; those that somebody gets by
//! signing in are random UUIDs (RFC 9562, 5.4: 122 random bits), which is what published clients read.

use chrono::{DateTime, Utc};

use super::{Account, Role};
use crate::ids::{AccountId, ApiTokenId, OrganizationId};
use crate::secret::SecretHash;
use crate::services::Random;
use crate::{Secret, Version};

/// What the store knows of an API token: never the token.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The account's organization.
    pub organization_id: OrganizationId,
    /// The SHA-256 of the token.
    pub hash: SecretHash,
    /// What it was made for.
    pub purpose: TokenPurpose,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when on it is refused; `None`: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// How often it was written.
    pub version: Version,
}

/// What a token was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPurpose {
    /// Calling the APIs.
    Api,
    /// Reading the access tokens of its account, and nothing else: for machines that act for a person.
    Agent,
    /// A browser session that was opened with another token, and ends with it.
    Session {
        /// The token the person signed in with; of a session that was opened at a provider, its own.
        opened_with: ApiTokenId,
    },
}

impl TokenPurpose {
    /// What a caller with such a token of that account may do: an administrator's agent administers nothing.
    pub(super) fn role_of(self, account: &Account) -> Role {
        match self {
            Self::Api | Self::Session { .. } => account.role,
            Self::Agent => Role::Member,
        }
    }
}

impl ApiToken {
    /// A token that nobody has used yet.
    pub(crate) fn new(
        (account_id, organization_id): (AccountId, OrganizationId),
        secret: &ApiTokenSecret,
        (id, purpose): (ApiTokenId, TokenPurpose),
        created_at: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            id,
            account_id,
            organization_id,
            hash: secret.hash(),
            purpose,
            created_at,
            expires_at,
            last_used_at: None,
            revoked_at: None,
            version: Version::FIRST,
        }
    }

    /// Whether the token opens anything at that time.
    pub fn is_usable(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

const PREFIX: &str = "gk_";
const BODY: usize = 32;
const CHECKSUM: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The token itself, shown once. Anyone can tell a real one from a typo by its checksum: the CRC-32 of what stands
/// before it, in base62.
pub struct ApiTokenSecret(Secret);

impl ApiTokenSecret {
    /// Makes a new token.
    pub fn generate(random: &dyn Random) -> Self {
        let mut token = String::with_capacity(PREFIX.len() + BODY + CHECKSUM);
        token.push_str(PREFIX);
        while token.len() < PREFIX.len() + BODY {
            let mut byte = [0];
            random.fill(&mut byte);
            // 248 is the largest multiple of 62 in a byte: what lies above would favour some characters.
            if byte[0] < 248 {
                token.push(char::from(ALPHABET[usize::from(byte[0] % 62)]));
            }
        }
        let checksum = checksum(&token);
        token.push_str(&checksum);
        Self(Secret::new(token))
    }

    /// Makes a new token that is a random UUID.
    pub fn generate_uuid(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        Self(Secret::new(uuid.hyphenated().to_string()))
    }

    /// Reads what a caller presented; `None` where it cannot be a token of ours, known without asking a store.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_uuid(text).or_else(|| Self::parse_prefixed(text))
    }

    fn parse_uuid(text: &str) -> Option<Self> {
        if text.len() != uuid::fmt::Hyphenated::LENGTH {
            return None;
        }
        let uuid = uuid::Uuid::try_parse(text).ok()?;
        (uuid.get_version_num() == 4).then(|| Self(Secret::new(uuid.hyphenated().to_string())))
    }

    fn parse_prefixed(text: &str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX)?;
        if body.len() != BODY + CHECKSUM || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (signed, check) = text.split_at(PREFIX.len() + BODY);
        (checksum(signed) == check).then(|| Self(Secret::new(text.to_owned())))
    }

    /// What the store recognizes it by.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.0.expose())
    }

    /// The token, to be shown once.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn the_format_is_published_and_stays() {
        let token = ApiTokenSecret::generate(&Counting(0.into()));
        assert_eq!(token.expose(), "gk_0123456789ABCDEFGHIJKLMNOPQRSTUV2v8Kdk");
    }

    #[test]
    fn a_generated_token_parses() {
        let token = ApiTokenSecret::generate(&Counting(200.into()));
        assert!(ApiTokenSecret::parse(token.expose()).is_some());
    }

    #[test]
    fn a_token_may_be_a_random_uuid() {
        let token = ApiTokenSecret::generate_uuid(&Counting(0.into()));
        assert_eq!(token.expose(), "00010203-0405-4607-8809-0a0b0c0d0e0f");
        let shouted = ApiTokenSecret::parse(&token.expose().to_uppercase()).unwrap();
        assert_eq!(shouted.hash(), token.hash(), "one token, one hash");
        for other in [
            "00010203-0405-7607-8809-0a0b0c0d0e0f",
            "000102030405460788090a0b0c0d0e0f",
            "{00010203-0405-4607-8809-0a0b0c0d0e0f}",
            "urn:uuid:00010203-0405-4607-8809-0a0b0c0d0e0f",
            " 00010203-0405-4607-8809-0a0b0c0d0e0f",
        ] {
            assert!(ApiTokenSecret::parse(other).is_none(), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_single_wrong_character_is_noticed(at in 3_usize..41, replacement in "[0-9A-Za-z]") {
            let token = ApiTokenSecret::generate(&Counting(0.into()));
            let mut typo = token.expose().to_owned();
            typo.replace_range(at..=at, &replacement);
            proptest::prop_assert_eq!(ApiTokenSecret::parse(&typo).is_some(), typo == token.expose());
        }

        #[test]
        fn anything_may_be_presented(text in ".*") {
            let _ = ApiTokenSecret::parse(&text);
        }
    }
}
