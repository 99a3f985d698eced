//! Microsoft's scopes (<https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc>).

use std::collections::BTreeSet;

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{RegistrationError, TokenSet};

use crate::registration::scopes_refused;

/// What stands before the names of Microsoft Graph's scopes, and may be left out.
const GRAPH: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// Scopes that belong to no resource.
const OF_NO_RESOURCE: [&str; 5] = ["openid", "profile", "email", "offline_access", "address"];

/// Stands for every scope of a resource that the client is registered for.
const EVERYTHING: &str = ".default";

/// Whether flows can do with these. A token is for one resource; of several Microsoft would take the first and drop the
/// others, without a word.
pub(super) fn check(scopes: &Scopes) -> Result<(), RegistrationError> {
    if !scopes.contains("openid") || !scopes.contains("profile") {
        return Err(scopes_refused(
            "must contain openid and profile: without them Microsoft does not tell who the user is",
        ));
    }
    let resources: BTreeSet<String> = scopes.iter().filter_map(resource).collect();
    if resources.len() > 1 {
        let named: Vec<&str> = resources.iter().map(String::as_str).collect();
        return Err(scopes_refused(format!(
            "must all be of one resource, since a Microsoft token is for one; these are of {}: register a provider for each",
            named.join(" and ")
        )));
    }
    Ok(())
}

/// What was granted, in the spelling of what was asked for: answers have scopes in another case, and those of Graph with
/// or without the resource before them.
pub(super) fn granted(asked: &Scopes, tokens: &TokenSet) -> Option<Scopes> {
    let told = tokens.scopes.as_ref()?;
    let spelled = told.iter().flat_map(|scope| spellings(asked, scope));
    // Whatever is granted of a resource is what all of it stands for.
    let everything = asked.iter().filter(|scope| {
        key(scope).ends_with(EVERYTHING) && told.iter().any(|told| resource(told) == resource(scope))
    });
    Some(spelled.chain(everything).collect())
}

/// Every spelling that was asked for; a scope that nobody asked for keeps its own.
fn spellings<'a>(asked: &'a Scopes, told: &'a str) -> Vec<&'a str> {
    let key_of_told = key(told);
    let asked: Vec<&str> = asked.iter().filter(|asked| key(asked) == key_of_told).collect();
    if asked.is_empty() { vec![told] } else { asked }
}

/// Whether a token of a flow that asked for these scopes is one for Microsoft Graph, as it is when no resource is named.
pub(super) fn open_graph(asked: &Scopes) -> bool {
    asked.iter().filter_map(resource).all(|resource| resource == GRAPH[0])
}

/// The resource that a scope belongs to; Graph by one name for all of its own.
fn resource(scope: &str) -> Option<String> {
    let scope = scope.to_ascii_lowercase();
    if OF_NO_RESOURCE.contains(&key(&scope).as_str()) {
        return None;
    }
    let resource = scope.rsplit_once('/').map_or(GRAPH[0], |(resource, _)| resource.trim_end_matches('/'));
    Some(if GRAPH.contains(&resource) { GRAPH[0] } else { resource }.to_owned())
}

/// What two spellings of a scope have in common.
fn key(scope: &str) -> String {
    let scope = scope.to_ascii_lowercase();
    let bare = GRAPH.iter().find_map(|resource| scope.strip_prefix(resource)?.strip_prefix('/'));
    bare.map(str::to_owned).unwrap_or(scope)
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::Secret;

    use super::*;

    fn granted_of(asked: &str, told: Option<&str>) -> Option<String> {
        let tokens = TokenSet {
            access_token: Secret::new("a".into()),
            expires_in: None,
            refresh_token: None,
            refresh_token_expires_in: None,
            scopes: told.map(Scopes::parse),
            identity: None,
            distrust: None,
        };
        granted(&Scopes::parse(asked), &tokens).map(|scopes| scopes.to_wire())
    }

    #[test]
    fn scopes_are_told_in_the_spelling_in_which_they_were_asked_for() {
        for (asked, told, expected) in [
            ("openid User.Read", "openid https://graph.microsoft.com/User.Read", "User.Read openid"),
            ("user.read", "User.Read", "user.read"),
            ("https://graph.microsoft.com/mail.read", "Mail.Read", "https://graph.microsoft.com/mail.read"),
            ("User.Read", "https://graph.microsoft.us/User.Read", "User.Read"),
            ("User.Read Mail.Read", "User.Read", "User.Read"),
            ("User.Read", "User.Read Mail.Send", "Mail.Send User.Read"),
            (
                "https://outlook.office.com/IMAP.AccessAsUser.All",
                "https://outlook.office.com/imap.accessasuser.all",
                "https://outlook.office.com/IMAP.AccessAsUser.All",
            ),
            ("User.Read", "https://evil.example/User.Read", "https://evil.example/User.Read"),
            (
                "https://graph.microsoft.com/.default",
                "openid Mail.Read",
                "Mail.Read https://graph.microsoft.com/.default openid",
            ),
            ("https://graph.microsoft.com/.default", "openid", "openid"),
            ("https://outlook.office.com/.default", "User.Read", "User.Read"),
            (
                "https://vault.azure.net/.default",
                "https://vault.azure.net/user_impersonation",
                "https://vault.azure.net/.default https://vault.azure.net/user_impersonation",
            ),
        ] {
            assert_eq!(granted_of(asked, Some(told)).as_deref(), Some(expected), "{asked}: {told}");
        }
        assert_eq!(granted_of("openid", None), None);
    }

    #[test]
    fn a_token_opens_graph_unless_another_resource_is_named() {
        for (scopes, expected) in [
            ("openid profile", true),
            ("openid User.Read", true),
            ("openid https://graph.microsoft.com/User.Read", true),
            ("openid .default", true),
            ("openid https://outlook.office.com/IMAP.AccessAsUser.All", false),
            ("openid 499b84ac-1321-427f-aa17-267ca6975798/.default", false),
            // Refused at registration; never shown to Graph all the same.
            ("User.Read https://outlook.office.com/IMAP.AccessAsUser.All", false),
        ] {
            assert_eq!(open_graph(&Scopes::parse(scopes)), expected, "{scopes}");
        }
    }

    #[test]
    fn a_token_is_for_one_resource() {
        for (scopes, refused) in [
            ("", None),
            ("offline_access email", None),
            ("User.Read https://graph.microsoft.com/Mail.Read", None),
            ("https://GRAPH.microsoft.com/email User.Read", None),
            ("https://outlook.office.com/IMAP.AccessAsUser.All https://Outlook.office.com/.default", None),
            ("api://kumo/read api://kumo/write", None),
            ("https://management.core.windows.net//.default", None),
            ("User.Read https://outlook.office.com/.default", Some("https://outlook.office.com")),
            (
                ".default https://outlook.office.com/IMAP.AccessAsUser.All",
                Some("https://graph.microsoft.com"),
            ),
            ("api://kumo/read api://nami/read", Some("api://kumo and api://nami")),
            ("499b84ac-1321-427f-aa17-267ca6975798/.default User.Read", Some("499b84ac")),
        ] {
            let checked = check(&Scopes::parse(&format!("openid profile {scopes}")));
            match refused {
                None => assert_eq!(checked, Ok(()), "{scopes}"),
                Some(says) => {
                    let error = checked.unwrap_err();
                    assert_eq!(error.field, "scopes");
                    assert!(error.message.contains(says), "{scopes}: {error}");
                }
            }
        }
        for scopes in ["openid User.Read", "profile User.Read"] {
            assert!(check(&Scopes::parse(scopes)).unwrap_err().message.contains("openid and profile"));
        }
    }
}
