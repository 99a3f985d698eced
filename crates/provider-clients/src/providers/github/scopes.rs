//! GitHub's scopes (<https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>).

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::TokenSet;

/// What the tokens of a GitHub App begin with
/// (<https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github>).
const APP_TOKEN: &str = "ghu_";

/// Scopes and what they imply. GitHub drops the implied ones from what it says was granted.
const IMPLIED: [(&str, &[&str]); 16] = [
    ("repo", &["repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"]),
    ("admin:repo_hook", &["write:repo_hook", "read:repo_hook"]),
    ("write:repo_hook", &["read:repo_hook"]),
    ("admin:org", &["write:org", "read:org", "manage_runners:org"]),
    ("write:org", &["read:org"]),
    ("admin:public_key", &["write:public_key", "read:public_key"]),
    ("write:public_key", &["read:public_key"]),
    ("admin:gpg_key", &["write:gpg_key", "read:gpg_key"]),
    ("write:gpg_key", &["read:gpg_key"]),
    ("admin:ssh_signing_key", &["write:ssh_signing_key", "read:ssh_signing_key"]),
    ("write:ssh_signing_key", &["read:ssh_signing_key"]),
    ("user", &["read:user", "user:email", "user:follow"]),
    ("project", &["read:project"]),
    ("write:packages", &["read:packages"]),
    ("write:discussion", &["read:discussion"]),
    ("audit_log", &["read:audit_log"]),
];

/// What was granted, with those of the scopes asked for that it implies. The tokens of a GitHub App have permissions
/// and no scopes, so nothing is told about those that were asked for.
pub(super) fn granted(asked: &Scopes, tokens: &TokenSet) -> Option<Scopes> {
    let granted = tokens.scopes.as_ref()?;
    if granted.is_empty() && tokens.access_token.expose().starts_with(APP_TOKEN) {
        return None;
    }
    let implied =
        IMPLIED.iter().filter(|(scope, _)| granted.contains(scope)).flat_map(|(_, implied)| *implied);
    // `offline_access` is not tracked as a scope; a token that never expires is what it would be for.
    let lasting = tokens.expires_in.is_none().then_some("offline_access");
    let implied = implied.copied().chain(lasting).filter(|scope| asked.contains(scope));
    Some(granted.iter().chain(implied).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use grantkeeper_domain::Secret;

    use super::*;

    fn tokens(access_token: &str, scopes: Option<&str>) -> TokenSet {
        TokenSet {
            access_token: Secret::new(access_token.to_owned()),
            expires_in: Some(Duration::from_secs(28_800)),
            refresh_token: None,
            refresh_token_expires_in: None,
            scopes: scopes.map(Scopes::parse),
            identity: None,
            distrust: None,
        }
    }

    fn missing(asked: &str, granted_scopes: &str) -> String {
        let asked = Scopes::parse(asked);
        let granted = granted(&asked, &tokens("gho_1", Some(granted_scopes))).unwrap();
        asked.without(&granted).to_wire()
    }

    #[test]
    fn what_is_implied_is_not_missing() {
        assert_eq!(missing("user read:user user:email", "user"), "");
        assert_eq!(missing("repo public_repo repo:status gist", "repo,gist"), "");
        assert_eq!(missing("admin:org read:org", "admin:org"), "");
        assert_eq!(missing("read:org", "write:org"), "");
        assert_eq!(missing("repo read:user", "public_repo,user:email"), "read:user repo");
        assert_eq!(missing("repo", ""), "repo");
    }

    #[test]
    fn nothing_is_added_that_nobody_asked_for() {
        let granted = granted(&Scopes::parse("user"), &tokens("gho_1", Some("user"))).unwrap();
        assert_eq!(granted, Scopes::parse("user"));
    }

    #[test]
    fn a_token_that_never_expires_lasts() {
        let asked = Scopes::parse("gist offline_access");
        let expiring = tokens("gho_1", Some("gist"));
        assert_eq!(granted(&asked, &expiring), Some(Scopes::parse("gist")));
        let lasting = TokenSet { expires_in: None, ..expiring };
        assert_eq!(granted(&asked, &lasting), Some(asked));
    }

    #[test]
    fn an_app_has_no_scopes_to_miss() {
        let asked = Scopes::parse("read:user");
        assert_eq!(granted(&asked, &tokens("ghu_1", Some(""))), None);
        assert_eq!(granted(&asked, &tokens("gho_1", Some(""))), Some(Scopes::default()));
        assert_eq!(granted(&asked, &tokens("gho_1", None)), None);
    }

    #[test]
    fn the_table_says_everything_that_is_implied_by_way_of_another() {
        for (scope, implied) in IMPLIED {
            for (between, further) in IMPLIED.iter().filter(|(between, _)| implied.contains(between)) {
                assert!(further.iter().all(|scope| implied.contains(scope)), "{scope} by way of {between}");
            }
        }
    }
}
