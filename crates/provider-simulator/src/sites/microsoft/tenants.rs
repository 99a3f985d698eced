//! Tenants: the three aliases that stand for many directories, and one directory.

use crate::state::Access;

/// The one directory that exists.
pub(super) const DIRECTORY: &str = "8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f";

/// The domain of that directory.
const DOMAIN: &str = "kumo.example";

/// The directory of all personal accounts ("ID token claims reference").
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The first part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tenant {
    /// Any account.
    Common,
    /// Accounts of work or school.
    Organizations,
    /// Personal accounts.
    Consumers,
    /// Accounts of the one directory.
    Directory,
}

impl Tenant {
    /// The tenant of a name in a path, if there is one.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "common" => Some(Self::Common),
            "organizations" => Some(Self::Organizations),
            "consumers" | CONSUMERS => Some(Self::Consumers),
            DIRECTORY | DOMAIN => Some(Self::Directory),
            _ => None,
        }
    }

    /// Where the accounts are of those who sign in here: the simulator knows of no other directory.
    pub(super) fn directory(self) -> &'static str {
        match self {
            Self::Consumers => CONSUMERS,
            Self::Common | Self::Organizations | Self::Directory => DIRECTORY,
        }
    }

    /// How the metadata name the directory: where it depends on the account by a template.
    pub(super) fn in_metadata(self) -> &'static str {
        match self {
            Self::Common | Self::Organizations => "{tenantid}",
            Self::Consumers | Self::Directory => self.directory(),
        }
    }
}

/// The `oid` of an account. That of a personal one has only 16 digits of its own.
pub(super) fn object_id(access: &Access) -> String {
    if !is_personal(access) {
        return access.sub.clone();
    }
    let digits = personal_id(access);
    format!("00000000-0000-0000-{}-{}", &digits[..4], &digits[4..])
}

/// How Graph names a personal account: by those digits alone.
pub(super) fn personal_id(access: &Access) -> String {
    let digits: String = access.sub.chars().filter(char::is_ascii_hexdigit).collect();
    format!("{digits:0>16}").split_off(digits.len().max(16) - 16)
}

/// Whether it is a personal account.
pub(super) fn is_personal(access: &Access) -> bool {
    access.directory == Some(CONSUMERS)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::state::User;

    fn access(directory: &'static str) -> Access {
        Access {
            user: User::default_user(),
            sub: "3f1b8a52-2d4c-4f6e-9b0a-7c5d1e2f3a4b".to_owned(),
            scopes: Vec::new(),
            client_id: Some("client".to_owned()),
            directory: Some(directory),
            issued_at: DateTime::UNIX_EPOCH,
            expires_at: None,
        }
    }

    #[test]
    fn there_are_three_aliases_and_one_directory_by_id_or_by_domain() {
        assert_eq!(Tenant::named(DIRECTORY), Tenant::named(DOMAIN));
        assert_eq!(Tenant::named("common").map(Tenant::in_metadata), Some("{tenantid}"));
        assert_eq!(Tenant::named("consumers").map(Tenant::in_metadata), Some(CONSUMERS));
        assert_eq!(Tenant::named("another.example"), None);
    }

    #[test]
    fn personal_accounts_have_short_ids_that_are_padded_in_tokens() {
        assert_eq!(object_id(&access(DIRECTORY)), "3f1b8a52-2d4c-4f6e-9b0a-7c5d1e2f3a4b");
        assert_eq!(object_id(&access(CONSUMERS)), "00000000-0000-0000-9b0a-7c5d1e2f3a4b");
        assert_eq!(personal_id(&access(CONSUMERS)), "9b0a7c5d1e2f3a4b");
    }
}
