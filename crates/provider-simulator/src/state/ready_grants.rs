//! Grants without a flow, for those who need very many of them.

use super::families::Authorization;
use super::{OAuthError, Provider, TokenAnswer, User, scopes};

impl Provider {
    /// The first tokens of a grant as the code flow would have made it, with nobody asked and no code redeemed; a refresh
    /// token is among them, however one has to ask for it here.
    pub(crate) fn grant_ready_made(
        &mut self,
        client_id: &str,
        user: User,
        scope: &str,
    ) -> Result<TokenAnswer, OAuthError> {
        let asked = scopes::parse(Some(scope));
        let scopes = self.granted(&asked);
        let authorization = Authorization {
            client_id: Some(client_id.to_owned()),
            public_client: false,
            user,
            asked,
            scopes,
            nonce: None,
            authenticated_at: self.now(),
            offline: true,
            redirect_uri: None,
            directory: None,
        };
        let family = self.families.begin(authorization);
        self.issue_first(family)
    }
}

#[cfg(test)]
mod tests {
    use crate::state::User;
    use crate::state::testing::bench;

    #[test]
    fn a_ready_made_grant_is_as_good_as_one_that_somebody_gave() {
        let mut bench = bench();
        let user = User::with_sub("1002");
        let Ok(tokens) = bench.provider.grant_ready_made("client", user, "profile email") else {
            panic!("nothing stands against it");
        };
        assert_eq!(bench.sub_of(&tokens.access_token).as_deref(), Some("1002"));
        assert_eq!(tokens.scopes, ["profile", "email"]);
        let refreshed = bench.refresh(tokens.refresh()).expect("refreshed");
        assert_eq!(bench.refresh(tokens.refresh()).err(), Some("invalid_grant"), "it rotates");
        assert_ne!(refreshed.refresh(), tokens.refresh());
    }
}
