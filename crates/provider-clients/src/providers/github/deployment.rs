//! Where a GitHub is.

use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderEndpoints, Registration, RegistrationError,
};
use url::Url;

use crate::http::GuardedClient;
use crate::origins::Origins;
use crate::registration::{BaseUrl, refused, wants_token};

/// The one in the cloud.
const CLOUD: &str = "github.com";

/// Below it every enterprise with data residency has a name
/// (<https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/about-github-enterprise-cloud-with-data-residency>).
const RESIDENCY: &str = ".ghe.com";

/// What the issuer identifier adds to the address of a GitHub
/// (<https://github.com/.well-known/oauth-authorization-server/login/oauth>).
const ISSUER_PATH: &str = "/login/oauth";

/// Where the page is on which people authorize.
const AUTHORIZATION_PATH: &str = "/login/oauth/authorize";

/// One GitHub.
pub(super) struct Deployment {
    /// The address that it goes by.
    name: String,
    /// Where its pages are.
    web: BaseUrl,
    /// Where its REST API is.
    api: Url,
    edition: Edition,
}

/// What GitHub calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edition {
    /// github.com.
    Cloud,
    /// GitHub Enterprise Cloud with data residency.
    Residency,
    /// GitHub Enterprise Server.
    Server,
}

impl Deployment {
    /// The GitHub of a registration.
    pub(super) fn of(host: Option<&str>, origins: &Origins) -> Result<Self, RegistrationError> {
        let Some(host) = host else { return Ok(Self::in_cloud(CLOUD, origins)) };
        let base = BaseUrl::parse(host)?;
        let name = base.host_name();
        if name != CLOUD && !is_residency(name) {
            return Ok(Self::server(base));
        }
        if base.is_bare() {
            return Ok(Self::in_cloud(name, origins));
        }
        Err(refused(format!("is {name}: register it as https://{name}, without port and path")))
    }

    fn in_cloud(name: &str, origins: &Origins) -> Self {
        Self {
            name: format!("https://{name}"),
            web: origins.base(name),
            api: origins.base(&format!("api.{name}")).url().clone(),
            edition: if name == CLOUD { Edition::Cloud } else { Edition::Residency },
        }
    }

    fn server(base: BaseUrl) -> Self {
        let (name, api) = (base.as_str().to_owned(), base.at("/api/v3"));
        Self { name, api, web: base, edition: Edition::Server }
    }

    /// Its endpoints. PKCE is sent to all of them: a server that does not know it ignores it.
    pub(super) fn endpoints(&self, registration: &Registration) -> ProviderEndpoints {
        ProviderEndpoints {
            issuer: format!("{}{ISSUER_PATH}", self.name),
            api: Some(self.api.clone()),
            authorization: self.web.at(AUTHORIZATION_PATH),
            token: self.web.at("/login/oauth/access_token"),
            userinfo: None,
            revocation: None,
            introspection: None,
            jwks: None,
            device_authorization: Some(self.web.at("/login/device/code")),
            // It sends `iss` at some times and not at others.
            announces_iss: false,
            client_authentication: ClientAuthentication::ClientSecretPost,
            pkce: PkceSupport::S256,
            settings_url: Some(self.settings_page(registration)),
        }
    }

    /// Where a person withdraws what they have granted
    /// (<https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>).
    fn settings_page(&self, registration: &Registration) -> Url {
        if registration.app_slug.is_some() && self.edition == Edition::Cloud {
            return self.web.at("/settings/apps/authorizations");
        }
        self.web.at(&format!("/settings/connections/applications/{}", segment(&registration.client_id)))
    }

    /// Asks whether it is there. That github.com is there goes without saying.
    pub(super) async fn make_sure(
        &self,
        http: &GuardedClient,
        endpoints: &ProviderEndpoints,
    ) -> Result<(), RegistrationError> {
        let product = match self.edition {
            Edition::Cloud => return Ok(()),
            Edition::Residency => "GitHub Enterprise Cloud with data residency",
            Edition::Server => "GitHub Enterprise Server",
        };
        let user = at_api(endpoints, "/user").ok_or_else(|| refused("has no REST API"))?;
        wants_token(http, &user, product).await
    }
}

fn is_residency(name: &str) -> bool {
    name.strip_suffix(RESIDENCY).is_some_and(|enterprise| !enterprise.is_empty() && !enterprise.contains('.'))
}

/// Whether it is one of those that GitHub runs, by its pinned issuer.
pub(super) fn is_cloud(endpoints: &ProviderEndpoints) -> bool {
    let address = endpoints.issuer.strip_suffix(ISSUER_PATH).and_then(|base| base.strip_prefix("https://"));
    address.is_some_and(|name| name == CLOUD || is_residency(name))
}

/// An address of the REST API.
pub(super) fn at_api(endpoints: &ProviderEndpoints, path: &str) -> Option<Url> {
    let mut url = endpoints.api.clone()?;
    url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
    Some(url)
}

/// The page on which a person installs a GitHub App
/// (<https://docs.github.com/en/apps/using-github-apps/installing-a-github-app-from-a-third-party>); a server has its apps below
/// a path of their own.
pub(super) fn install_page(endpoints: &ProviderEndpoints, app_slug: &str) -> Option<Url> {
    let apps = if is_cloud(endpoints) { "apps" } else { "github-apps" };
    let mut page = endpoints.authorization.clone();
    let web = page.path().strip_suffix(AUTHORIZATION_PATH)?;
    let path = format!("{web}/{apps}/{}/installations/new", segment(app_slug));
    page.set_query(None);
    page.set_path(&path);
    Some(page)
}

/// A client id as one segment of a path.
pub(super) fn segment(client_id: &str) -> String {
    form_urlencoded::byte_serialize(client_id.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(host: Option<&str>, client_id: &str) -> Registration {
        let (client_id, host) = (client_id.to_owned(), host.map(str::to_owned));
        Registration { client_id, host, app_slug: None, scopes: None }
    }

    fn endpoints(host: Option<&str>) -> ProviderEndpoints {
        let registration = registration(host, "client");
        Deployment::of(host, &Origins::real()).unwrap().endpoints(&registration)
    }

    #[test]
    fn a_client_id_cannot_leave_its_place_in_the_path() {
        assert_eq!(segment("Iv23liExampleClient"), "Iv23liExampleClient");
        assert_eq!(segment("../user?x#y z"), "..%2Fuser%3Fx%23y%20z");
    }

    #[test]
    fn consents_are_withdrawn_at_the_page_of_the_client() {
        let page = |host, app_slug: Option<&str>| {
            let registration =
                Registration { app_slug: app_slug.map(str::to_owned), ..registration(host, "Ov23/x") };
            Deployment::of(host, &Origins::real()).unwrap().settings_page(&registration).to_string()
        };
        let (residency, server) = (Some("https://octo.ghe.com"), Some("https://git.example/gh"));
        let own = "/settings/connections/applications/Ov23%2Fx";
        assert_eq!(page(None, None), format!("https://github.com{own}"));
        assert_eq!(page(None, Some("app")), "https://github.com/settings/apps/authorizations");
        for app_slug in [None, Some("app")] {
            assert_eq!(page(residency, app_slug), format!("https://octo.ghe.com{own}"));
            assert_eq!(page(server, app_slug), format!("https://git.example/gh{own}"));
        }
    }

    #[test]
    fn each_deployment_has_its_addresses() {
        for (host, web, user) in [
            (None, "https://github.com", "https://api.github.com/user"),
            (Some("https://github.com"), "https://github.com", "https://api.github.com/user"),
            (Some("https://Octo.ghe.com"), "https://octo.ghe.com", "https://api.octo.ghe.com/user"),
            (Some("https://git.example"), "https://git.example", "https://git.example/api/v3/user"),
            (
                Some("https://git.example:8443/gh"),
                "https://git.example:8443/gh",
                "https://git.example:8443/gh/api/v3/user",
            ),
        ] {
            let endpoints = endpoints(host);
            assert_eq!(endpoints.issuer, format!("{web}/login/oauth"));
            assert_eq!(endpoints.token.as_str(), format!("{web}/login/oauth/access_token"));
            assert_eq!(at_api(&endpoints, "/user").unwrap().as_str(), user);
        }
    }

    #[test]
    fn each_deployment_has_its_page_to_install_an_app() {
        for (host, page) in [
            (None, "https://github.com/apps/our-app/installations/new"),
            (Some("https://octo.ghe.com"), "https://octo.ghe.com/apps/our-app/installations/new"),
            (
                Some("https://git.example:8443/gh"),
                "https://git.example:8443/gh/github-apps/our-app/installations/new",
            ),
        ] {
            assert_eq!(install_page(&endpoints(host), "our-app").unwrap().as_str(), page);
        }
    }

    #[test]
    fn only_what_github_runs_is_the_cloud() {
        for (host, expected) in [
            (None, true),
            (Some("https://octo.ghe.com"), true),
            (Some("https://ghe.com"), false),
            (Some("https://a.b.ghe.com"), false),
            (Some("https://github.com.example"), false),
            (Some("https://notgithub.com"), false),
            (Some("https://git.example"), false),
            (Some("http://127.0.0.1:8080/github.com"), false),
        ] {
            assert_eq!(is_cloud(&endpoints(host)), expected, "{host:?}");
            let edition = Deployment::of(host, &Origins::real()).unwrap().edition;
            assert_eq!(edition != Edition::Server, expected, "{host:?}");
        }
    }

    #[test]
    fn the_cloud_has_neither_port_nor_path() {
        for host in [
            "http://github.com",
            "https://github.com/octo",
            "https://github.com:8443",
            "https://octo.ghe.com/x",
            "http://octo.ghe.com",
        ] {
            let error = Deployment::of(Some(host), &Origins::real()).err().unwrap();
            assert!(error.field == "host" && error.message.contains("without port and path"), "{host}");
        }
    }
}
