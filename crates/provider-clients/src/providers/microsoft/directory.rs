//! Which of Microsoft's clouds, and which of its directories, a registration means
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud>).

use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderEndpoints, RegistrationError,
};
use url::Url;

use crate::origins::Origins;
use crate::registration::{BaseUrl, refused};

/// A cloud of its own, with its own registrations of clients.
#[derive(Debug, PartialEq, Eq)]
struct Cloud {
    /// Where people sign in.
    authority: &'static str,
    /// Microsoft Graph (<https://learn.microsoft.com/en-us/graph/deployments>).
    graph: &'static str,
    /// Where people of a company withdraw what they have granted; not known for the national clouds.
    settings_page: Option<&'static str>,
}

const CLOUDS: [Cloud; 3] = [
    Cloud {
        authority: "login.microsoftonline.com",
        graph: "graph.microsoft.com",
        settings_page: Some("https://myapplications.microsoft.com/"),
    },
    // Of the two that the US government has, the one for all but the Department of Defense.
    Cloud { authority: "login.microsoftonline.us", graph: "graph.microsoft.us", settings_page: None },
    Cloud {
        authority: "login.partner.microsoftonline.cn",
        graph: "microsoftgraph.chinacloudapi.cn",
        settings_page: None,
    },
];

/// The directory of all personal accounts
/// (<https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>).
pub(super) const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Where people of `consumers` withdraw what they have granted.
const PERSONAL_SETTINGS: &str = "https://account.live.com/consent/Manage";

/// The alias for people of any directory, but without personal accounts.
pub(super) const ORGANIZATIONS: &str = "organizations";

/// Whose accounts may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tenant {
    /// Everybody's.
    Common,
    /// Those of any company or school.
    Organizations,
    /// Personal ones.
    Consumers,
    /// Those of one directory, by its id.
    Id(String),
    /// Those of one directory, by a domain of it.
    Domain(String),
}

/// A tenant of a cloud.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directory {
    cloud: &'static Cloud,
    tenant: Tenant,
}

impl Directory {
    /// Reads `[authority/]tenant`, with or without `https://` before the authority.
    pub(super) fn parse(host: Option<&str>) -> Result<Self, RegistrationError> {
        let text = host.unwrap_or("common").to_ascii_lowercase();
        let (is_url, text) = match (text.strip_prefix("https://"), text.contains("://")) {
            (Some(text), _) => (true, text),
            (None, false) => (false, text.as_str()),
            (None, true) => return Err(refused("must be https")),
        };
        let (authority, tenant) = match text.split_once('/') {
            Some((authority, tenant)) => (authority, tenant),
            None if is_url || CLOUDS.iter().any(|cloud| cloud.authority == text) => (text, "common"),
            None => (CLOUDS[0].authority, text),
        };
        Ok(Self { cloud: cloud(authority)?, tenant: Tenant::parse(tenant)? })
    }

    /// What authority and tenant are called.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.cloud.authority, self.tenant.segment())
    }

    /// Where the tenant's metadata are (OpenID Connect Discovery, 4).
    pub(super) fn metadata(&self, origins: &Origins) -> Url {
        self.at(&origins.base(self.cloud.authority), "/v2.0/.well-known/openid-configuration")
    }

    /// Whether the tenant's metadata may name this issuer
    /// (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc>).
    pub(super) fn may_have_issuer(&self, issuer: &str) -> bool {
        let tenant = issuer
            .strip_prefix("https://")
            .and_then(|rest| rest.strip_prefix(self.cloud.authority))
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.strip_suffix("/v2.0"));
        tenant.is_some_and(|tenant| match &self.tenant {
            Tenant::Common | Tenant::Organizations => tenant == "{tenantid}",
            Tenant::Consumers => tenant == PERSONAL_ACCOUNTS,
            Tenant::Id(id) => tenant == id,
            Tenant::Domain(_) => is_id(tenant),
        })
    }

    /// The endpoints of the tenant. `issuer` is what its metadata say.
    pub(super) fn endpoints(&self, issuer: String, origins: &Origins) -> ProviderEndpoints {
        let authority = origins.base(self.cloud.authority);
        let at = |path| self.at(&authority, path);
        ProviderEndpoints {
            issuer,
            api: None,
            authorization: at("/oauth2/v2.0/authorize"),
            token: at("/oauth2/v2.0/token"),
            userinfo: Some(origins.base(self.cloud.graph).at("/v1.0/me")),
            // There is none; `revokeSignInSessions` would end every session of the person in every app.
            revocation: None,
            introspection: None,
            jwks: Some(at("/discovery/v2.0/keys")),
            device_authorization: Some(at("/oauth2/v2.0/devicecode")),
            announces_iss: false,
            client_authentication: ClientAuthentication::ClientSecretPost,
            pkce: PkceSupport::S256,
            settings_url: self.settings_page(),
        }
    }

    fn at(&self, authority: &BaseUrl, path: &str) -> Url {
        authority.at(&format!("/{}{path}", self.tenant.segment()))
    }

    fn settings_page(&self) -> Option<Url> {
        let page = match self.tenant {
            Tenant::Consumers => Some(PERSONAL_SETTINGS),
            _ => self.cloud.settings_page,
        };
        page.map(|page| Url::parse(page).expect("a constant URL"))
    }
}

fn cloud(authority: &str) -> Result<&'static Cloud, RegistrationError> {
    CLOUDS.iter().find(|cloud| cloud.authority == authority).ok_or_else(|| {
        let known = CLOUDS.each_ref().map(|cloud| cloud.authority).join(", ");
        refused(format!(
            "must be a tenant, or one of Microsoft's authorities ({known}), a slash and a tenant"
        ))
    })
}

impl Tenant {
    fn parse(text: &str) -> Result<Self, RegistrationError> {
        match text {
            "common" => Ok(Self::Common),
            ORGANIZATIONS => Ok(Self::Organizations),
            "consumers" => Ok(Self::Consumers),
            id if is_id(id) => Ok(Self::Id(id.to_owned())),
            domain if is_domain(domain) => Ok(Self::Domain(domain.to_owned())),
            _ => Err(refused(
                "must end in a tenant: common, organizations, consumers, the id of a directory, or a domain of one",
            )),
        }
    }

    /// As paths have it.
    fn segment(&self) -> &str {
        match self {
            Self::Common => "common",
            Self::Organizations => ORGANIZATIONS,
            Self::Consumers => "consumers",
            Self::Id(tenant) | Self::Domain(tenant) => tenant,
        }
    }
}

/// The id of a directory or of a person: a UUID in lower case.
pub(super) fn is_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(is_hex))
}

/// A name of two labels or more (RFC 1123, 2.1).
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f";

    fn parse(host: &str) -> Result<String, RegistrationError> {
        Directory::parse(Some(host)).map(|directory| directory.name())
    }

    #[test]
    fn authority_and_scheme_may_be_left_out() {
        for (host, name) in [
            ("common", "login.microsoftonline.com/common"),
            ("Organizations", "login.microsoftonline.com/organizations"),
            ("consumers", "login.microsoftonline.com/consumers"),
            ("8F0C9D1E-3a5b-4c7d-9e8f-1a2b3c4d5e6f", &format!("login.microsoftonline.com/{ID}")),
            ("Kumo.example", "login.microsoftonline.com/kumo.example"),
            ("login.microsoftonline.us", "login.microsoftonline.us/common"),
            (
                "login.partner.microsoftonline.cn/kumo.example",
                "login.partner.microsoftonline.cn/kumo.example",
            ),
            ("https://login.microsoftonline.us/organizations", "login.microsoftonline.us/organizations"),
            ("https://login.microsoftonline.com", "login.microsoftonline.com/common"),
        ] {
            assert_eq!(parse(host).unwrap(), name, "{host}");
        }
        assert_eq!(Directory::parse(None).unwrap().name(), "login.microsoftonline.com/common");
    }

    #[test]
    fn what_is_neither_is_refused_with_what_is_known() {
        for (host, says) in [
            ("http://login.microsoftonline.com/common", "https"),
            ("ftp://login.microsoftonline.com/common", "https"),
            ("https://login.evil.example/common", "login.partner.microsoftonline.cn"),
            ("login.microsoftonline.de/common", "login.microsoftonline.com"),
            ("login.microsoftonline.com:8443/common", "login.microsoftonline.us"),
            ("u@login.microsoftonline.com/common", "login.microsoftonline.us"),
            ("https://kumo.example", "login.microsoftonline.com"),
            ("login.microsoftonline.com/common/v2.0", "the id of a directory"),
            ("login.microsoftonline.com/", "the id of a directory"),
            ("login.microsoftonline.com/../evil", "the id of a directory"),
            ("common?x", "the id of a directory"),
            ("common#x", "the id of a directory"),
            ("everybody", "the id of a directory"),
            ("kumo..example", "the id of a directory"),
            ("-kumo.example", "the id of a directory"),
            ("{tenantid}", "the id of a directory"),
            ("", "the id of a directory"),
        ] {
            let error = parse(host).unwrap_err();
            assert_eq!(error.field, "host");
            assert!(error.message.contains(says), "{host}: {}", error.message);
        }
    }

    #[test]
    fn metadata_may_name_the_tenants_own_issuer_only() {
        let issuer = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        for (host, own) in [
            ("common", "{tenantid}"),
            ("organizations", "{tenantid}"),
            ("consumers", PERSONAL_ACCOUNTS),
            (ID, ID),
            ("kumo.example", ID),
        ] {
            let directory = Directory::parse(Some(host)).unwrap();
            assert!(directory.may_have_issuer(&issuer(own)), "{host}");
            for other in [
                issuer("00000000-0000-0000-0000-00000000000g"),
                issuer("common"),
                issuer(""),
                issuer("a/b"),
                format!("https://login.microsoftonline.us/{own}/v2.0"),
                format!("https://login.microsoftonline.com/{own}/v1.0"),
                format!("https://login.microsoftonline.com/{own}/v2.0/"),
                format!("http://login.microsoftonline.com/{own}/v2.0"),
                format!("https://login.microsoftonline.com.evil.example/{own}/v2.0"),
            ] {
                assert!(!directory.may_have_issuer(&other), "{host}: {other}");
            }
        }
    }

    #[test]
    fn endpoints_are_those_of_the_tenant_and_its_cloud() {
        for (host, authority, graph) in [
            ("common", "https://login.microsoftonline.com/common", "https://graph.microsoft.com"),
            (ID, &format!("https://login.microsoftonline.com/{ID}"), "https://graph.microsoft.com"),
            (
                "login.microsoftonline.us/organizations",
                "https://login.microsoftonline.us/organizations",
                "https://graph.microsoft.us",
            ),
            (
                "login.partner.microsoftonline.cn/kumo.example",
                "https://login.partner.microsoftonline.cn/kumo.example",
                "https://microsoftgraph.chinacloudapi.cn",
            ),
        ] {
            let directory = Directory::parse(Some(host)).unwrap();
            let endpoints = directory.endpoints("issuer".to_owned(), &Origins::real());
            assert_eq!(endpoints.authorization.as_str(), format!("{authority}/oauth2/v2.0/authorize"));
            assert_eq!(endpoints.token.as_str(), format!("{authority}/oauth2/v2.0/token"));
            assert_eq!(endpoints.jwks.unwrap().as_str(), format!("{authority}/discovery/v2.0/keys"));
            let device = endpoints.device_authorization.unwrap();
            assert_eq!(device.as_str(), format!("{authority}/oauth2/v2.0/devicecode"));
            assert_eq!(endpoints.userinfo.unwrap().as_str(), format!("{graph}/v1.0/me"));
            assert_eq!(endpoints.revocation, None);
            let metadata = directory.metadata(&Origins::real());
            assert_eq!(metadata.as_str(), format!("{authority}/v2.0/.well-known/openid-configuration"));
        }
    }

    #[test]
    fn people_withdraw_in_different_places() {
        let page = |host| {
            let directory = Directory::parse(Some(host)).unwrap();
            directory.settings_page().map(String::from)
        };
        assert_eq!(page("common").as_deref(), Some("https://myapplications.microsoft.com/"));
        assert_eq!(page("consumers").as_deref(), Some("https://account.live.com/consent/Manage"));
        assert_eq!(page("login.microsoftonline.us/kumo.example"), None);
    }
}
