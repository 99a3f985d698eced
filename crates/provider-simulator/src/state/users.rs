//! The people who have an account at the simulated provider.

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The subject identifier (OpenID Connect Core section 8).
    pub(crate) sub: String,
    /// Given name and family name.
    pub(crate) name: String,
    /// The address, always in a domain that cannot exist (RFC 6761 section 6.2) unless the subject is an address.
    pub(crate) email: String,
}

impl User {
    /// The people whom the consent page offers; the first one is who agrees when nobody is named.
    pub(crate) fn offered() -> [Self; 3] {
        [("1001", "Ada Example", "ada"), ("1002", "Grace Example", "grace"), ("1003", "Alan Example", "alan")]
            .map(|(sub, name, mailbox)| Self::known(sub, name, mailbox))
    }

    /// The person who agrees when nobody is named.
    pub(crate) fn default_user() -> Self {
        let [first, ..] = Self::offered();
        first
    }

    /// The person with this subject; one who was never heard of gets an account on the spot.
    pub(crate) fn with_sub(sub: &str) -> Self {
        Self::offered().into_iter().find(|user| user.sub == sub).unwrap_or_else(|| Self::newcomer(sub))
    }

    /// A name to sign in with: what stands before the `@`, of letters that every provider takes.
    pub(crate) fn login(&self) -> String {
        let mailbox = self.email.split('@').next().unwrap_or_default();
        let plain =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
        mailbox.chars().map(plain).collect()
    }

    /// The given name and the family name, where there are two names.
    pub(crate) fn names(&self) -> (&str, Option<&str>) {
        self.name.split_once(' ').map_or((&self.name, None), |(given, family)| (given, Some(family)))
    }

    fn known(sub: &str, name: &str, mailbox: &str) -> Self {
        Self { sub: sub.to_owned(), name: name.to_owned(), email: format!("{mailbox}@example.test") }
    }

    fn newcomer(sub: &str) -> Self {
        let email = if sub.contains('@') { sub.to_owned() } else { format!("{sub}@example.test") };
        Self { sub: sub.to_owned(), name: sub.to_owned(), email }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_sub_is_somebody() {
        assert_eq!(User::with_sub("1001"), User::default_user());
        assert_eq!(User::with_sub("octocat").email, "octocat@example.test");
        assert_eq!(User::with_sub("o@example.org").email, "o@example.org");
    }

    #[test]
    fn logins_and_names_come_of_what_is_known() {
        assert_eq!(User::default_user().login(), "ada");
        assert_eq!(User::with_sub("Ö. Octo@example.org").login(), "---octo");
        assert_eq!(User::default_user().names(), ("Ada", Some("Example")));
        assert_eq!(User::with_sub("octocat").names(), ("octocat", None));
    }
}
