//! Where each type of provider can be: one row per deployment, with what its client is expected to do there.

use std::time::Duration;

use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderKind, RefreshModel, RevocationScope,
};
use grantkeeper_provider_simulator::RateLimit;

/// The directory that the simulated Microsoft knows.
pub(crate) const DIRECTORY: &str = "8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f";

/// A deployment of a provider: where it is, and what can be done with it.
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub(crate) struct Deployment {
    /// What people call it.
    pub(crate) name: &'static str,
    /// The type.
    pub(crate) kind: ProviderKind,
    /// The site of the simulator that plays it.
    pub(crate) site: &'static str,
    /// What its registration says about where it is.
    pub(crate) host: Host,
    /// The slug of the GitHub App that is registered; an OAuth App has none.
    pub(crate) app_slug: Option<&'static str>,
    /// The scopes that flows ask for when a registration names none.
    pub(crate) scopes: &'static str,
    /// The issuer or base URL, below the simulator's URL where it begins with a slash.
    pub(crate) issuer: &'static str,
    /// How our client proves who it is.
    pub(crate) authentication: ClientAuthentication,
    /// Whether PKCE is sent.
    pub(crate) pkce: PkceSupport,
    /// Whether the provider looks at the proof.
    pub(crate) checks_proof: bool,
    /// The `prompt` of a flow that has to show the consent page.
    pub(crate) prompt: Option<&'static str>,
    /// How long access tokens live, in seconds.
    pub(crate) lifetime: Option<u64>,
    /// Whether answers tell which scopes were granted.
    pub(crate) tells_scopes: bool,
    /// Whether its users are people at home, whose ids at Microsoft begin with zeros.
    pub(crate) personal_accounts: bool,
    /// Whether an ID token comes with the tokens.
    pub(crate) id_token: bool,
    /// Whether the provider tells who the user is to somebody who does not know it from an ID token.
    pub(crate) identifies_strangers: bool,
    /// What becomes of a refresh token.
    pub(crate) refresh: RefreshModel,
    /// The codes of a code and of a refresh token that are no good, and of a wrong client secret.
    pub(crate) refusals: Refusals,
    /// What a revocation takes away.
    pub(crate) revocation: Option<Revocation>,
    /// How the provider tells for which client a token is.
    pub(crate) audience: Option<Audience>,
    /// Whether people make tokens by hand, and the provider marks them.
    pub(crate) personal_tokens: bool,
    /// The device flow.
    pub(crate) device: Option<Device>,
    /// Whether installations of an app can be listed, which only a token of an app does.
    pub(crate) installations: bool,
    /// How the provider says that there were too many calls.
    pub(crate) rate_limit: RateLimit,
}

/// What a registration says about where the provider is.
#[derive(Clone, Copy)]
pub(crate) enum Host {
    /// Nothing.
    Nowhere,
    /// This.
    Named(&'static str),
    /// The address of the simulator, with this path.
    Simulated(&'static str),
}

impl Host {
    /// Whether it is somebody's own server.
    pub(crate) fn is_self_managed(self) -> bool {
        matches!(self, Self::Simulated(_))
    }
}

/// What the provider calls it.
#[derive(Clone, Copy)]
pub(crate) struct Refusals {
    pub(crate) code: &'static str,
    pub(crate) refresh_token: &'static str,
    pub(crate) client: &'static str,
}

/// A revocation and what else it takes away.
#[derive(Clone, Copy)]
pub(crate) struct Revocation {
    pub(crate) scope: RevocationScope,
    /// Whether it takes away what the same person gave the same client another time.
    pub(crate) ends_other_grants: bool,
    /// Whether it takes away what the same person gave another client of the same project.
    pub(crate) ends_other_clients: bool,
    /// Whether the provider asks who we are.
    pub(crate) authenticated: bool,
}

/// What a provider tells of the clients of tokens.
#[derive(Clone, Copy)]
pub(crate) struct Audience {
    /// Whether it says that a token is another client's, and does not just refuse it.
    pub(crate) admits_others: bool,
    /// Whether the provider asks who we are.
    pub(crate) authenticated: bool,
}

/// A device flow and what comes of it.
#[derive(Clone, Copy)]
pub(crate) struct Device {
    /// How long the codes live, in seconds.
    pub(crate) lifetime: u64,
    /// The new interval that `slow_down` names, in seconds.
    pub(crate) told_interval: Option<u64>,
    /// Whether a refresh token comes out of it.
    pub(crate) refresh_token: bool,
    /// Whether the page has an address with the user code in it.
    pub(crate) complete_address: bool,
}

const STANDARD: Refusals =
    Refusals { code: "invalid_grant", refresh_token: "invalid_grant", client: "invalid_client" };

const PAIR: Revocation = Revocation {
    scope: RevocationScope::Pair,
    ends_other_grants: false,
    ends_other_clients: false,
    authenticated: true,
};

pub(crate) const OIDC: Deployment = Deployment {
    name: "any issuer",
    kind: ProviderKind::Oidc,
    site: "oidc",
    host: Host::Simulated(""),
    app_slug: None,
    scopes: "openid profile email offline_access",
    issuer: "/",
    authentication: ClientAuthentication::ClientSecretBasic,
    pkce: PkceSupport::S256,
    checks_proof: true,
    prompt: Some("consent"),
    lifetime: Some(3600),
    tells_scopes: true,
    personal_accounts: false,
    id_token: true,
    identifies_strangers: true,
    refresh: RefreshModel::Rotating,
    refusals: STANDARD,
    revocation: Some(Revocation { scope: RevocationScope::Grant, ..PAIR }),
    audience: Some(Audience { admits_others: true, authenticated: true }),
    personal_tokens: false,
    device: Some(Device { lifetime: 900, told_interval: None, refresh_token: true, complete_address: true }),
    installations: false,
    rate_limit: RateLimit::RetryAfter,
};

pub(crate) const TEST: Deployment =
    Deployment { name: "the simulated provider", kind: ProviderKind::Test, host: Host::Nowhere, ..OIDC };

pub(crate) const GITHUB: Deployment = Deployment {
    name: "github.com",
    kind: ProviderKind::Github,
    site: "github",
    host: Host::Nowhere,
    scopes: "read:user user:email offline_access",
    issuer: "https://github.com/login/oauth",
    authentication: ClientAuthentication::ClientSecretPost,
    prompt: Some("select_account"),
    lifetime: Some(28_800),
    id_token: false,
    refusals: Refusals {
        code: "bad_verification_code",
        refresh_token: "bad_refresh_token",
        client: "incorrect_client_credentials",
    },
    revocation: Some(Revocation { scope: RevocationScope::Token, ..PAIR }),
    audience: Some(Audience { admits_others: false, authenticated: true }),
    personal_tokens: true,
    device: Some(Device {
        lifetime: 900,
        told_interval: Some(10),
        refresh_token: true,
        complete_address: false,
    }),
    installations: true,
    rate_limit: RateLimit::Github403,
    ..OIDC
};

pub(crate) const GITHUB_APP: Deployment = Deployment {
    name: "github.com, GitHub App",
    app_slug: Some("grantkeeper"),
    scopes: "",
    tells_scopes: false,
    ..GITHUB
};

pub(crate) const GITHUB_RESIDENCY: Deployment = Deployment {
    name: "ghe.com (data residency)",
    site: "github-residency",
    host: Host::Named("https://octo.ghe.com"),
    issuer: "https://octo.ghe.com/login/oauth",
    ..GITHUB
};

pub(crate) const GITHUB_ENTERPRISE: Deployment = Deployment {
    name: "Enterprise Server",
    site: "github-enterprise",
    host: Host::Simulated("/self-managed/github"),
    issuer: "/self-managed/github/login/oauth",
    checks_proof: false,
    ..GITHUB
};

pub(crate) const GITLAB: Deployment = Deployment {
    name: "gitlab.com",
    kind: ProviderKind::Gitlab,
    site: "gitlab",
    host: Host::Nowhere,
    scopes: "openid profile email",
    issuer: "https://gitlab.com",
    authentication: ClientAuthentication::ClientSecretPost,
    prompt: None,
    lifetime: Some(7200),
    revocation: Some(PAIR),
    audience: Some(Audience { admits_others: true, authenticated: false }),
    personal_tokens: true,
    device: Some(Device { lifetime: 300, told_interval: None, refresh_token: false, complete_address: true }),
    ..OIDC
};

pub(crate) const GITLAB_SELF_MANAGED: Deployment = Deployment {
    name: "self-managed",
    site: "gitlab-self-managed",
    host: Host::Simulated("/self-managed/gitlab"),
    issuer: "/self-managed/gitlab",
    ..GITLAB
};

pub(crate) const BITBUCKET: Deployment = Deployment {
    name: "Cloud",
    kind: ProviderKind::Bitbucket,
    site: "bitbucket",
    host: Host::Nowhere,
    scopes: "account email",
    issuer: "https://bitbucket.org",
    pkce: PkceSupport::Unsupported,
    checks_proof: false,
    prompt: None,
    lifetime: Some(7200),
    id_token: false,
    refresh: RefreshModel::RotatingWithGrace(Duration::from_secs(600)),
    refusals: Refusals { client: "unauthorized_client", ..STANDARD },
    revocation: None,
    audience: None,
    device: None,
    rate_limit: RateLimit::Bare429,
    ..OIDC
};

pub(crate) const BITBUCKET_DATA_CENTER: Deployment = Deployment {
    name: "Data Center",
    site: "bitbucket-data-center",
    host: Host::Simulated("/self-managed/bitbucket"),
    scopes: "PUBLIC_REPOS",
    issuer: "/self-managed/bitbucket",
    authentication: ClientAuthentication::ClientSecretPost,
    pkce: PkceSupport::S256,
    checks_proof: true,
    lifetime: Some(3600),
    refresh: RefreshModel::Rotating,
    refusals: STANDARD,
    revocation: Some(PAIR),
    ..BITBUCKET
};

pub(crate) const GOOGLE: Deployment = Deployment {
    name: "Google",
    kind: ProviderKind::Google,
    site: "google",
    host: Host::Nowhere,
    scopes: "openid profile email",
    issuer: "https://accounts.google.com",
    authentication: ClientAuthentication::ClientSecretPost,
    lifetime: Some(3599),
    refresh: RefreshModel::Reusable,
    revocation: Some(Revocation {
        scope: RevocationScope::Project,
        ends_other_grants: true,
        ends_other_clients: true,
        authenticated: false,
    }),
    audience: Some(Audience { admits_others: true, authenticated: false }),
    device: Some(Device {
        lifetime: 1800,
        told_interval: None,
        refresh_token: true,
        complete_address: false,
    }),
    ..OIDC
};

pub(crate) const BOX: Deployment = Deployment {
    name: "Box",
    kind: ProviderKind::Box,
    site: "box",
    host: Host::Nowhere,
    scopes: "",
    issuer: "https://account.box.com",
    authentication: ClientAuthentication::ClientSecretPost,
    pkce: PkceSupport::Unsupported,
    checks_proof: false,
    prompt: None,
    tells_scopes: false,
    id_token: false,
    revocation: Some(PAIR),
    audience: None,
    device: None,
    ..OIDC
};

pub(crate) const MICROSOFT: Deployment = Deployment {
    name: "any account (`common`)",
    kind: ProviderKind::Microsoft,
    site: "microsoft",
    host: Host::Nowhere,
    scopes: "openid profile email offline_access User.Read",
    issuer: "https://login.microsoftonline.com/{tenantid}/v2.0",
    authentication: ClientAuthentication::ClientSecretPost,
    prompt: Some("select_account"),
    lifetime: Some(3599),
    identifies_strangers: false,
    refresh: RefreshModel::RotatingTolerant,
    revocation: None,
    audience: None,
    device: Some(Device { lifetime: 900, told_interval: None, refresh_token: true, complete_address: false }),
    ..OIDC
};

pub(crate) const MICROSOFT_ORGANIZATIONS: Deployment = Deployment {
    name: "work and school accounts (`organizations`)",
    host: Host::Named("organizations"),
    ..MICROSOFT
};

pub(crate) const MICROSOFT_CONSUMERS: Deployment = Deployment {
    name: "personal accounts (`consumers`)",
    host: Host::Named("consumers"),
    issuer: "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    personal_accounts: true,
    ..MICROSOFT
};

pub(crate) const MICROSOFT_DIRECTORY: Deployment = Deployment {
    name: "one directory",
    host: Host::Named("https://login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f"),
    issuer: "https://login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v2.0",
    ..MICROSOFT
};

pub(crate) const MICROSOFT_US_GOVERNMENT: Deployment = Deployment {
    name: "US Government",
    site: "microsoft-us-government",
    host: Host::Named("login.microsoftonline.us/organizations"),
    issuer: "https://login.microsoftonline.us/{tenantid}/v2.0",
    ..MICROSOFT
};

pub(crate) const MICROSOFT_CHINA: Deployment = Deployment {
    name: "China (21Vianet)",
    site: "microsoft-china",
    host: Host::Named("login.partner.microsoftonline.cn/organizations"),
    issuer: "https://login.partner.microsoftonline.cn/{tenantid}/v2.0",
    ..MICROSOFT
};

/// Every one, in the order of README.
pub(crate) const ALL: [&Deployment; 18] = [
    &GITHUB,
    &GITHUB_APP,
    &GITHUB_RESIDENCY,
    &GITHUB_ENTERPRISE,
    &GITLAB,
    &GITLAB_SELF_MANAGED,
    &BITBUCKET,
    &BITBUCKET_DATA_CENTER,
    &GOOGLE,
    &BOX,
    &MICROSOFT,
    &MICROSOFT_ORGANIZATIONS,
    &MICROSOFT_CONSUMERS,
    &MICROSOFT_DIRECTORY,
    &MICROSOFT_US_GOVERNMENT,
    &MICROSOFT_CHINA,
    &OIDC,
    &TEST,
];
