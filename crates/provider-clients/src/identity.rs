//! Comparing who an answer is about with whom it has to be about.

use grantkeeper_domain::providers::{ExpectedUser, Identity, UpstreamError};

use crate::failure::untrusted;

/// The identity, unless it had to be somebody else's (OpenID Connect Core, 5.3.2).
pub(crate) fn of_expected_user(
    identity: Identity,
    expected: Option<ExpectedUser<'_>>,
) -> Result<Identity, UpstreamError> {
    if expected.is_none_or(|expected| identity.as_expected() == expected) {
        return Ok(identity);
    }
    Err(untrusted("userinfo_subject"))
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::authorizations::UserInfo;

    use super::*;

    #[test]
    fn issuer_and_subject_both_count() {
        let identity = Identity {
            issuer: "https://idp.example".into(),
            subject: "u1".into(),
            user: UserInfo { sub: "u1".into(), ..UserInfo::default() },
        };
        let check = |expected| of_expected_user(identity.clone(), expected);
        assert_eq!(check(None).as_ref(), Ok(&identity));
        assert_eq!(check(Some(identity.as_expected())).as_ref(), Ok(&identity));
        for (issuer, subject) in [("https://idp.example", "u2"), ("https://other.example", "u1")] {
            let found = check(Some(ExpectedUser { issuer, subject }));
            assert_eq!(found, Err(untrusted("userinfo_subject")), "{issuer} {subject}");
        }
    }
}
