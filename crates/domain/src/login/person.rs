//! Who has proved at a provider who they are.

use serde::{Deserialize, Serialize};

use crate::accounts::Email;
use crate::providers::Identity;

/// Who has proved at a provider who they are. (issuer, subject) is the key; the rest is for show, and for the rules about
/// strangers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The issuer or base URL.
    pub issuer: String,
    /// The provider's stable id of the user.
    pub subject: String,
    /// The e-mail address, only where the provider says that it has verified it.
    pub verified_email: Option<String>,
    /// What they are called, for our page.
    pub name: Option<String>,
}

impl From<Identity> for Person {
    fn from(Identity { issuer, subject, user }: Identity) -> Self {
        let verified_email = user.email.filter(|_| user.email_verified == Some(true));
        Self { issuer, subject, verified_email, name: user.nick_name.or(user.name) }
    }
}

impl Person {
    /// The address, where it is verified and is one.
    pub(super) fn email(&self) -> Option<Email> {
        Email::parse(self.verified_email.as_deref()?).ok()
    }

    /// Whether they are of that tenant, which the issuer names as a part of its path
    /// (<https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>, `iss`).
    pub(super) fn is_of_tenant(&self, tenant: &str) -> bool {
        let path = self.issuer.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        path.is_some_and(|(_, path)| path.split('/').any(|part| part.eq_ignore_ascii_case(tenant)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorizations::UserInfo;

    fn person(email: Option<&str>, email_verified: Option<bool>) -> Person {
        let user = UserInfo { email: email.map(str::to_owned), email_verified, ..UserInfo::default() };
        Identity { issuer: "https://idp.test".into(), subject: "1".into(), user }.into()
    }

    #[test]
    fn an_address_that_is_not_verified_is_nobodys() {
        assert_eq!(person(Some("ada@example.test"), Some(false)).email(), None);
        assert_eq!(person(Some("ada@example.test"), None).email(), None, "nothing said is nothing verified");
        assert!(person(Some("ada@example.test"), Some(true)).email().is_some());
    }

    #[test]
    fn a_tenant_is_a_whole_part_of_the_issuers_path() {
        let of = |issuer: &str| Person { issuer: issuer.to_owned(), ..person(None, None) };
        let entra = of("https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0");
        assert!(entra.is_of_tenant("8EAEF023-2b34-4da1-9baa-8bc8c9d6a490"));
        assert!(!entra.is_of_tenant("8eaef023"));
        assert!(!entra.is_of_tenant("login.microsoftonline.com"), "a host is no tenant");
        assert!(!of("https://t1.example").is_of_tenant("t1.example"));
    }
}
