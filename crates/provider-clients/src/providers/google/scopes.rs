//! Google's scopes (<https://developers.google.com/identity/protocols/oauth2/scopes>).

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::TokenSet;

/// Scopes with two names: the one that answers use, and the one of OpenID Connect Core, 5.4.
const NAMES: [[&str; 2]; 2] = [
    ["https://www.googleapis.com/auth/userinfo.email", "email"],
    ["https://www.googleapis.com/auth/userinfo.profile", "profile"],
];

/// Google knows no such scope and refuses it: lasting access is a parameter there.
pub(super) fn without_offline_access(asked: &Scopes) -> Scopes {
    asked.iter().filter(|scope| *scope != "offline_access").collect()
}

/// What was granted, by the names by which it was asked for.
pub(super) fn granted(asked: &Scopes, tokens: &TokenSet) -> Option<Scopes> {
    let told = tokens.scopes.as_ref()?;
    Some(told.iter().flat_map(|scope| names(asked, scope)).collect())
}

/// Every name that was asked for; a scope that nobody asked for keeps the one that it came by.
fn names<'a>(asked: &Scopes, scope: &'a str) -> Vec<&'a str> {
    let all = NAMES.iter().find(|names| names.contains(&scope));
    let asked: Vec<&str> = all.into_iter().flatten().copied().filter(|name| asked.contains(name)).collect();
    if asked.is_empty() { vec![scope] } else { asked }
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::Secret;

    use super::*;

    fn granted_of(asked: &str, told: Option<&str>) -> Option<Scopes> {
        let tokens = TokenSet {
            access_token: Secret::new("a".into()),
            expires_in: None,
            refresh_token: None,
            refresh_token_expires_in: None,
            scopes: told.map(Scopes::parse),
            identity: None,
            distrust: None,
        };
        granted(&Scopes::parse(asked), &tokens)
    }

    #[test]
    fn scopes_are_told_by_the_names_by_which_they_were_asked_for() {
        const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
        const DRIVE: &str = "https://www.googleapis.com/auth/drive.file";
        for (asked, told, expected) in [
            ("openid email", format!("openid {EMAIL}"), "openid email".to_owned()),
            (EMAIL, EMAIL.to_owned(), EMAIL.to_owned()),
            (EMAIL, "email".to_owned(), EMAIL.to_owned()),
            ("email", "email".to_owned(), "email".to_owned()),
            (&format!("email {EMAIL}"), EMAIL.to_owned(), format!("email {EMAIL}")),
            ("openid", format!("openid {EMAIL} {DRIVE}"), format!("openid {EMAIL} {DRIVE}")),
            ("openid email", "openid".to_owned(), "openid".to_owned()),
        ] {
            assert_eq!(granted_of(asked, Some(&told)), Some(Scopes::parse(&expected)), "{asked}: {told}");
        }
        assert_eq!(granted_of("openid", None), None);
    }

    #[test]
    fn lasting_access_is_no_scope() {
        let sent = without_offline_access(&Scopes::parse("openid offline_access email"));
        assert_eq!(sent, Scopes::parse("openid email"));
    }
}
