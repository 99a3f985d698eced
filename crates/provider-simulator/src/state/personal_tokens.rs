//! Personal access tokens: made by people by hand, at a page of the provider, for no client.

use super::families::Authorization;
use super::{Provider, User, scopes};

impl Provider {
    /// A token that the user has made, good for just these scopes and until it is revoked; `None`: people make none here.
    pub(crate) fn make_personal_token(&mut self, user: User, scope: &str) -> Option<String> {
        let shape = self.dialect.personal_token?;
        let scopes = scopes::parse(Some(scope));
        let family = self.families.begin(Authorization {
            client_id: None,
            public_client: false,
            user,
            asked: scopes.clone(),
            scopes: scopes.clone(),
            nonce: None,
            authenticated_at: self.now(),
            offline: false,
            redirect_uri: None,
            directory: None,
        });
        let token = self.mint_token(shape);
        let issued_at = self.now();
        self.families.add_access_token(family, &token, scopes, issued_at, None, 0);
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::{Dialect, PLAIN, SecretShape};
    use crate::state::User;
    use crate::state::testing::bench;

    const BY_HAND: Dialect = Dialect { personal_token: Some(SecretShape::base64url("sim_pat_")), ..PLAIN };

    #[test]
    fn a_personal_token_is_the_users_and_no_clients() {
        let mut bench = bench();
        bench.provider.dialect = &BY_HAND;
        let token = bench.provider.make_personal_token(User::with_sub("1002"), "profile").expect("a token");
        assert!(token.starts_with("sim_pat_"), "{token}");
        assert_eq!(bench.sub_of(&token).as_deref(), Some("1002"));
        let access = bench.provider.known(&token).expect("it works");
        assert_eq!((access.client_id, access.expires_at), (None, None));
        assert_eq!(bench.revoke(&token, None), Err("invalid_grant"), "no client can take it away");
        assert!(bench.provider.issued_secrets().contains(&token));
    }

    #[test]
    fn not_every_provider_has_them() {
        let mut bench = bench();
        assert_eq!(bench.provider.make_personal_token(User::default_user(), "profile"), None);
    }
}
