//! The scopes of GitHub: some contain others ("Scopes for OAuth apps").

use crate::state::Access;

/// A scope and what it contains.
const CONTAINS: &[(&str, &[&str])] = &[
    ("repo", &["repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"]),
    ("user", &["read:user", "user:email", "user:follow"]),
    ("admin:org", &["write:org", "read:org", "manage_runners:org"]),
    ("write:org", &["read:org"]),
    ("admin:public_key", &["write:public_key", "read:public_key"]),
    ("write:public_key", &["read:public_key"]),
    ("admin:repo_hook", &["write:repo_hook", "read:repo_hook"]),
    ("write:repo_hook", &["read:repo_hook"]),
    ("admin:gpg_key", &["write:gpg_key", "read:gpg_key"]),
    ("write:gpg_key", &["read:gpg_key"]),
    ("write:packages", &["read:packages"]),
    ("project", &["read:project"]),
];

/// What is granted of the scopes asked for: none that another one contains, and `offline_access` is no scope at all.
pub(super) fn normalised(asked: &[String]) -> Vec<String> {
    let redundant = |scope: &str| asked.iter().any(|other| contains(other, scope));
    asked.iter().filter(|scope| *scope != "offline_access" && !redundant(scope)).cloned().collect()
}

/// Whether the token has this scope, by its name or within another one. The permissions of a GitHub App are set where
/// it is registered; this one has them all.
pub(super) fn allow(access: &Access, scope: &str) -> bool {
    access.scopes.iter().any(|granted| granted == scope || contains(granted, scope))
}

fn contains(scope: &str, other: &str) -> bool {
    CONTAINS.iter().any(|(known, contained)| *known == scope && contained.contains(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(asked: &str) -> String {
        normalised(&asked.split(' ').map(str::to_owned).collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn contained_scopes_are_dropped_and_the_order_stays() {
        assert_eq!(granted("user user:email"), "user");
        assert_eq!(granted("user:email read:user"), "user:email read:user");
        assert_eq!(granted("public_repo gist repo"), "gist repo");
        assert_eq!(granted("read:user offline_access"), "read:user");
    }
}
