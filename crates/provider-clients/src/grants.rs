//! Redeeming what a provider gives tokens for, as every provider does it (RFC 6749, 4.1.3 and 6; RFC 7636).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    CodeExchange, ProviderConnection, RefreshRequest, RefreshTokens, TokenSet, UpstreamError,
};

use crate::dialect::Dialect;
use crate::http::{Answer, Call, GuardedClient};
use crate::openid::IdentityFromIdToken;
use crate::token_endpoint::{TokenAnswer, read_token_answer};

/// Redeems authorization grants and refresh tokens at a provider's token endpoint.
pub(crate) struct Grants {
    pub(crate) http: Arc<GuardedClient>,
    /// How this type of provider speaks.
    pub(crate) dialect: &'static Dialect,
    /// Reads ID tokens, where this type of provider has them.
    pub(crate) id_tokens: Option<Arc<dyn IdentityFromIdToken>>,
}

impl Grants {
    /// Redeems an authorization code (RFC 6749, 4.1.3).
    pub(crate) async fn redeem_code(
        &self,
        connection: &ProviderConnection,
        exchange: &CodeExchange,
    ) -> Result<TokenSet, UpstreamError> {
        let scope = self.dialect.scope_to_repeat(&exchange.scopes);
        let form = code_form(exchange, scope.as_deref());
        let answer = self.ask(connection, &form).await?;
        let answer = self.read(&answer)?;
        let nonce = exchange.nonce.as_ref().filter(|_| exchange.scopes.contains("openid"));
        Ok(self.settle(connection, answer, &exchange.scopes, nonce).await)
    }

    /// Calls the token endpoint.
    pub(crate) async fn ask(
        &self,
        connection: &ProviderConnection,
        form: &[(&str, &str)],
    ) -> Result<Answer, UpstreamError> {
        let call = Call::post_as_client(&connection.client.endpoints.token, connection, form);
        Ok(self.http.send(call).await?)
    }

    /// Reads what the token endpoint answered.
    pub(crate) fn read(&self, answer: &Answer) -> Result<TokenAnswer, UpstreamError> {
        read_token_answer(answer, &self.dialect.errors, self.http.now())
    }

    /// The tokens of a new grant, and whose they are where an ID token tells.
    pub(crate) async fn settle(
        &self,
        connection: &ProviderConnection,
        mut answer: TokenAnswer,
        asked: &Scopes,
        nonce: Option<&Secret>,
    ) -> TokenSet {
        if let Some(id_tokens) = &self.id_tokens {
            match id_tokens.identity(connection, &answer, nonce).await {
                Ok(identity) => answer.tokens.identity = identity,
                Err(error) => answer.tokens.distrust = Some(error),
            }
        }
        let offline = answer.tokens.refresh_token.is_some();
        with_granted_scopes(self.dialect, answer, asked, offline)
    }
}

#[async_trait]
impl RefreshTokens for Grants {
    /// An ID token that comes with it is not looked at: who the user is was settled when the grant was made, and asking
    /// the provider again is [`IdentifyUser`](grantkeeper_domain::providers::IdentifyUser)'s.
    async fn refresh_token(
        &self,
        connection: &ProviderConnection,
        request: &RefreshRequest,
    ) -> Result<TokenSet, UpstreamError> {
        let scope = self.dialect.scope_to_repeat(&request.scopes);
        let form = refresh_form(self.dialect, request, scope.as_deref());
        let answer = self.ask(connection, &form).await?;
        let answer = self.read(&answer)?;
        // Whoever can refresh has lasting access, whether the answer brings another refresh token or not.
        Ok(with_granted_scopes(self.dialect, answer, &request.scopes, true))
    }
}

fn code_form<'a>(exchange: &'a CodeExchange, scope: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", exchange.code.expose()),
        ("redirect_uri", exchange.redirect_uri.as_str()),
    ];
    form.extend(exchange.pkce_verifier.as_ref().map(|verifier| ("code_verifier", verifier.expose())));
    form.extend(scope.map(|scope| ("scope", scope)));
    form
}

fn refresh_form<'a>(
    dialect: &Dialect,
    request: &'a RefreshRequest,
    scope: Option<&'a str>,
) -> Vec<(&'static str, &'a str)> {
    let redirect_uri = request.redirect_uri.as_deref().filter(|_| dialect.redirect_uri_on_refresh);
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", request.refresh_token.expose())];
    form.extend(redirect_uri.map(|redirect_uri| ("redirect_uri", redirect_uri)));
    form.extend(scope.map(|scope| ("scope", scope)));
    form
}

/// Puts the granted scopes in the words of those asked for. Not every provider names the scopes that it shows by what it
/// gives: a refresh token for `offline_access`, an ID token for `openid`.
fn with_granted_scopes(dialect: &Dialect, answer: TokenAnswer, asked: &Scopes, offline: bool) -> TokenSet {
    let TokenAnswer { mut tokens, id_token } = answer;
    let shown = [("offline_access", offline), ("openid", id_token.is_some())];
    let shown = shown.into_iter().filter(|(scope, shown)| *shown && asked.contains(scope));
    let granted = (dialect.granted_scopes)(asked, &tokens);
    tokens.scopes = granted.map(|granted| granted.iter().chain(shown.map(|(scope, _)| scope)).collect());
    tokens
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const REPEATS: Dialect =
        Dialect { scope_on_token_requests: true, redirect_uri_on_refresh: true, ..Dialect::STANDARD };

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn exchange(pkce_verifier: Option<Secret>) -> CodeExchange {
        CodeExchange {
            code: secret("c"),
            redirect_uri: "https://broker.example/callback/1".into(),
            pkce_verifier,
            nonce: Some(secret("n")),
            scopes: Scopes::parse("openid email"),
        }
    }

    fn request(redirect_uri: Option<&str>) -> RefreshRequest {
        RefreshRequest {
            refresh_token: secret("rt"),
            scopes: Scopes::parse("openid email"),
            redirect_uri: redirect_uri.map(str::to_owned),
        }
    }

    #[test]
    fn a_code_goes_with_its_redirect_uri_and_verifier() {
        let redirect_uri = ("redirect_uri", "https://broker.example/callback/1");
        let bare = [("grant_type", "authorization_code"), ("code", "c"), redirect_uri];
        assert_eq!(code_form(&exchange(None), None), bare);
        let full = [bare.as_slice(), &[("code_verifier", "v"), ("scope", "email openid")]].concat();
        assert_eq!(code_form(&exchange(Some(secret("v"))), Some("email openid")), full);
    }

    #[test]
    fn a_refresh_repeats_only_what_the_dialect_wants() {
        let bare = [("grant_type", "refresh_token"), ("refresh_token", "rt")];
        let form = |dialect: &Dialect, redirect_uri| {
            let request = request(redirect_uri);
            let scope = dialect.scope_to_repeat(&request.scopes);
            let form = refresh_form(dialect, &request, scope.as_deref());
            form.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        let bare = bare.map(|(name, value)| format!("{name}={value}"));
        assert_eq!(form(&Dialect::STANDARD, Some("https://broker.example/")), bare);
        let of_a_device = [&bare[..], &["scope=email openid".to_owned()]].concat();
        assert_eq!(form(&REPEATS, None), of_a_device);
        let of_a_page = ["redirect_uri=https://broker.example/".to_owned(), "scope=email openid".to_owned()];
        assert_eq!(form(&REPEATS, Some("https://broker.example/")), [&bare[..], &of_a_page].concat());
    }

    fn granted(told: Option<&str>, refresh_token: bool, id_token: bool) -> Option<Scopes> {
        let tokens = TokenSet {
            access_token: secret("at"),
            expires_in: Some(Duration::from_secs(60)),
            refresh_token: None,
            refresh_token_expires_in: None,
            scopes: told.map(Scopes::parse),
            identity: None,
            distrust: None,
        };
        let answer = TokenAnswer { tokens, id_token: id_token.then(|| secret("a.b.c")) };
        let asked = Scopes::parse("openid email offline_access");
        with_granted_scopes(&Dialect::STANDARD, answer, &asked, refresh_token).scopes
    }

    #[test]
    fn what_an_answer_shows_is_granted() {
        let scopes = |text| Some(Scopes::parse(text));
        assert_eq!(granted(Some("email"), false, false), scopes("email"));
        assert_eq!(granted(Some("email"), true, true), scopes("email offline_access openid"));
        assert_eq!(granted(Some("email more"), true, false), scopes("email more offline_access"));
        assert_eq!(granted(None, true, true), None, "those that were asked for");
    }
}
