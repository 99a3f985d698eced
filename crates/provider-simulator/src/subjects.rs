//! User identifiers in the shape that each provider gives them.

use sha2::{Digest as _, Sha256};

/// The user identifier at a site for somebody whom the simulator knows by this `sub`.
///
/// It is always the same, so that a test can tell beforehand who will come back. At sites with numbers (`github`,
/// `gitlab`, `bitbucket-data-center`, `box` and their relatives) a `sub` of digits stays what it is; at the others
/// one that already has the provider's shape does. Everything else is hashed into that shape. At `microsoft` this is
/// the `oid` of an account in a directory; at `oidc` and at unknown sites it is the `sub` itself.
///
/// ```
/// use grantkeeper_provider_simulator::site_subject;
///
/// assert_eq!(site_subject("github", "1001"), "1001");
/// assert_eq!(site_subject("google", "1001").len(), 21);
/// assert_eq!(site_subject("oidc", "ada"), "ada");
/// ```
pub fn site_subject(site: &str, sub: &str) -> String {
    crate::sites::row(site).map_or_else(|| sub.to_owned(), |row| (row.dialect.subject)(sub))
}

/// The first half of the hash, as a number.
fn hashed(sub: &str) -> u128 {
    let hash = Sha256::digest(sub);
    hash[..16].iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// A number that fits into what JSON readers take for an integer.
pub(crate) fn number(sub: &str) -> String {
    let is_number = !sub.is_empty() && sub.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && sub.len() <= 15 && (sub == "0" || !sub.starts_with('0')) {
        return sub.to_owned();
    }
    (100_000_000 + hashed(sub) % 900_000_000).to_string()
}

/// 21 digits.
pub(crate) fn digits21(sub: &str) -> String {
    if sub.len() == 21 && sub.bytes().all(|byte| byte.is_ascii_digit()) {
        return sub.to_owned();
    }
    format!("1{:020}", hashed(sub) % 10_u128.pow(20))
}

/// A UUID of version 4's shape (RFC 9562 section 5.4).
pub(crate) fn uuid(sub: &str) -> String {
    let groups: Vec<&str> = sub.split('-').collect();
    let is_uuid = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && sub.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if is_uuid {
        return sub.to_ascii_lowercase();
    }
    let hex = format!("{:032x}", hashed(sub));
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// The same in braces.
pub(crate) fn braced_uuid(sub: &str) -> String {
    format!("{{{}}}", uuid(sub.trim_start_matches('{').trim_end_matches('}')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_shape_stays() {
        assert_eq!(number("1001"), "1001");
        assert_eq!(digits21("108342917705561028844"), "108342917705561028844");
        assert_eq!(uuid("3f1b8a52-2d4c-4f6e-9b0a-7c5d1e2f3a4b"), "3f1b8a52-2d4c-4f6e-9b0a-7c5d1e2f3a4b");
        assert_eq!(
            braced_uuid("{6b1f0c52-6d8c-4f4c-9a5d-2f6b7a0c1e11}"),
            "{6b1f0c52-6d8c-4f4c-9a5d-2f6b7a0c1e11}"
        );
    }

    #[test]
    fn everything_else_is_hashed_into_it() {
        for sub in ["ada", "0123", "", "1e3", "a@example.org", "12345678901234567890"] {
            assert!(number(sub).parse::<u64>().is_ok_and(|number| number >= 100_000_000), "{sub}");
            assert!(digits21(sub).len() == 21 && digits21(sub).starts_with('1'));
            assert_eq!(uuid(&uuid(sub)), uuid(sub));
            assert_eq!(braced_uuid(sub).len(), 38);
        }
        assert_ne!(number("ada"), number("grace"));
        assert_ne!(digits21("1001"), digits21("1002"));
    }
}
