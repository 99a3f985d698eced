//! For which client an access token was issued.

use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{ProviderConnection, TokenAudience};

/// Ours, if every client that the provider names is ours; `None`: it names none.
pub(crate) fn of_clients<'a>(
    named: impl IntoIterator<Item = &'a str>,
    connection: &ProviderConnection,
) -> Option<TokenAudience> {
    let ours = |named| named == connection.client.client_id;
    let all_ours = named.into_iter().map(ours).reduce(|all, one| all && one)?;
    Some(if all_ours { TokenAudience::Ours } else { TokenAudience::Another })
}

/// Whether a token is a personal access token, as its first letters tell. Providers that mark them do so in order that
/// they are found where they have leaked; no other token begins like that.
pub(crate) fn is_personal(access_token: &Secret, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| access_token.expose().starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::providers::PublicClient;
    use grantkeeper_testkit::entities;

    use super::*;

    #[test]
    fn a_token_is_ours_if_nobody_else_is_named() {
        let client =
            PublicClient { endpoints: entities::endpoints("idp.example"), client_id: "client".to_owned() };
        let connection = ProviderConnection { client, client_secret: Secret::new("secret".to_owned()) };
        let of = |named: &[&'static str]| of_clients(named.iter().copied(), &connection);
        assert_eq!(of(&[]), None);
        for ours in [&["client"][..], &["client", "client"]] {
            assert_eq!(of(ours), Some(TokenAudience::Ours), "{ours:?}");
        }
        for another in [&["Client"][..], &["client "], &[""], &["client", "another"], &["another", "client"]]
        {
            assert_eq!(of(another), Some(TokenAudience::Another), "{another:?}");
        }
    }

    #[test]
    fn a_personal_token_is_told_by_how_it_begins() {
        let is = |token: &str| is_personal(&Secret::new(token.to_owned()), &["ghp_", "github_pat_"]);
        assert!(is("ghp_x") && is("github_pat_x"));
        assert!(!is("gho_ghp_x") && !is("GHP_x") && !is("ghp") && !is(""));
    }
}
