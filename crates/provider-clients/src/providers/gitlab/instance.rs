//! Where a GitLab is.

use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderEndpoints, RegistrationError,
};
use serde_json::Value;
use url::Url;

use crate::http::GuardedClient;
use crate::origins::Origins;
use crate::registration::{BaseUrl, document, refused};

/// The one in the cloud.
const CLOUD: &str = "gitlab.com";

/// One GitLab.
pub(super) struct Instance {
    /// The address that it has been given by whoever runs it, by which it calls itself in ID tokens.
    issuer: String,
    /// Where it is called.
    base: BaseUrl,
    self_managed: bool,
}

impl Instance {
    /// The GitLab of a registration.
    pub(super) fn of(host: Option<&str>, origins: &Origins) -> Result<Self, RegistrationError> {
        let cloud =
            || Self { issuer: format!("https://{CLOUD}"), base: origins.base(CLOUD), self_managed: false };
        let Some(host) = host else { return Ok(cloud()) };
        let base = BaseUrl::parse(host)?;
        if base.host_name() != CLOUD {
            return Ok(Self { issuer: base.as_str().to_owned(), base, self_managed: true });
        }
        if base.is_bare() { Ok(cloud()) } else { Err(refused("is gitlab.com: leave it out")) }
    }

    /// Its endpoints: they are where they are in every version.
    pub(super) fn endpoints(&self) -> ProviderEndpoints {
        let at = |path| self.base.at(path);
        ProviderEndpoints {
            issuer: self.issuer.clone(),
            api: Some(at("/api/v4")),
            authorization: at("/oauth/authorize"),
            token: at("/oauth/token"),
            userinfo: Some(at("/oauth/userinfo")),
            revocation: Some(at("/oauth/revoke")),
            introspection: None,
            jwks: Some(at("/oauth/discovery/keys")),
            device_authorization: Some(at("/oauth/authorize_device")),
            announces_iss: false,
            client_authentication: ClientAuthentication::ClientSecretPost,
            pkce: PkceSupport::S256,
            settings_url: Some(at("/-/user_settings/applications")),
        }
    }

    /// Asks a self-managed one what it calls itself: that is what its ID tokens will say.
    pub(super) async fn make_sure(&self, http: &GuardedClient) -> Result<(), RegistrationError> {
        if !self.self_managed {
            return Ok(());
        }
        let metadata = document(http, &self.base.at("/.well-known/openid-configuration")).await?;
        match metadata.body.filter(|_| metadata.status == 200) {
            Some(metadata) => self.check(&metadata),
            None => Err(not_gitlab()),
        }
    }

    fn check(&self, metadata: &Value) -> Result<(), RegistrationError> {
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        let issuer = text("issuer").ok_or_else(not_gitlab)?;
        if !text("token_endpoint").is_some_and(|endpoint| endpoint.ends_with("/oauth/token")) {
            return Err(not_gitlab());
        }
        if issuer == self.issuer {
            return Ok(());
        }
        // Only what is an address is repeated.
        match BaseUrl::parse(issuer) {
            Ok(named) => Err(refused(format!(
                "is not the address that this GitLab calls itself by; register {}",
                named.as_str()
            ))),
            Err(_) => Err(refused("is a GitLab that does not know its own address (external_url)")),
        }
    }
}

fn not_gitlab() -> RegistrationError {
    refused(
        "does not look like GitLab: it has no metadata of GitLab's at .well-known/openid-configuration; the address \
         must include the path below which GitLab lives, if it has one",
    )
}

/// What an access token says about itself (<https://docs.gitlab.com/api/oauth2/>).
pub(super) fn token_info(endpoints: &ProviderEndpoints) -> Url {
    below(&endpoints.token, "/info")
}

/// The user of an access token (<https://docs.gitlab.com/api/users/>).
pub(super) fn api_user(endpoints: &ProviderEndpoints) -> Option<Url> {
    Some(below(endpoints.api.as_ref()?, "/user"))
}

fn below(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn instance(host: Option<&str>) -> Instance {
        Instance::of(host, &Origins::real()).unwrap()
    }

    #[test]
    fn addresses_are_below_the_path_of_the_instance() {
        for (host, base) in [
            (None, "https://gitlab.com"),
            (Some("https://gitlab.com"), "https://gitlab.com"),
            (Some("https://git.example/lab"), "https://git.example/lab"),
            (Some("https://Git.Example:8443"), "https://git.example:8443"),
        ] {
            let endpoints = instance(host).endpoints();
            assert_eq!(endpoints.issuer, base);
            assert_eq!(endpoints.token.as_str(), format!("{base}/oauth/token"));
            assert_eq!(token_info(&endpoints).as_str(), format!("{base}/oauth/token/info"));
            assert_eq!(api_user(&endpoints).unwrap().as_str(), format!("{base}/api/v4/user"));
        }
    }

    #[test]
    fn only_self_managed_ones_are_asked() {
        assert!(!instance(None).self_managed && !instance(Some("https://gitlab.com")).self_managed);
        assert!(instance(Some("https://gitlab.com.evil.example")).self_managed);
        for host in ["http://gitlab.com", "https://gitlab.com/group", "https://gitlab.com:8443"] {
            assert_eq!(Instance::of(Some(host), &Origins::real()).err().unwrap().field, "host", "{host}");
        }
    }

    #[test]
    fn an_instance_must_be_registered_by_the_name_it_calls_itself() {
        let check = |metadata| instance(Some("https://git.example/lab")).check(&metadata);
        let named = |issuer: &str| {
            check(json!({"issuer": issuer, "token_endpoint": "https://git.example/lab/oauth/token"}))
        };
        assert_eq!(named("https://git.example/lab"), Ok(()));
        let says = |result: Result<(), RegistrationError>| result.unwrap_err().message;
        assert!(says(named("https://gitlab.internal.example")).ends_with("https://gitlab.internal.example"));
        assert!(says(named("http://git.example/lab")).ends_with("http://git.example/lab"));
        assert!(says(named("<script>")).contains("external_url"));
        for other in [json!({}), json!([]), json!({"issuer": "https://git.example/lab"}), json!("GitLab")] {
            assert!(says(check(other)).starts_with("does not look like GitLab"));
        }
    }
}
