//! A provider for each of the refresh models, played by one simulator in the test's own process: it outlives the services
//! that are killed. All their token endpoints are behind one gate.

use grantkeeper_provider_simulator::{Simulator, Site};

use crate::callers::{Caller, client};
use crate::gate::Gate;
use crate::installation::Installation;
use crate::simulated;

/// A type of provider, and where the simulator plays it.
pub(crate) struct RefreshModel {
    pub(crate) name: &'static str,
    kind: &'static str,
    site: &'static str,
    /// Which of several there are, where that is asked.
    host: Option<&'static str>,
    token: &'static str,
    /// Where its API takes access tokens.
    api: &'static str,
    /// Endpoints besides the token endpoint that have to be replaced, since they would be on the Internet.
    endpoints: &'static [(&'static str, &'static str)],
    /// Whether a grant outlives an answer that nobody got.
    pub(crate) forgives_a_lost_answer: bool,
}

/// A refresh token stays the one in use.
pub(crate) const REUSABLE: RefreshModel = RefreshModel {
    name: "reusable",
    kind: "google",
    site: "google",
    host: None,
    token: "/oauth2.googleapis.com/token",
    api: "/openidconnect.googleapis.com/v1/userinfo",
    endpoints: &[
        ("AUTHORIZATION_URL", "/accounts.google.com/o/oauth2/v2/auth"),
        ("USERINFO_URL", "/openidconnect.googleapis.com/v1/userinfo"),
        ("REVOCATION_URL", "/oauth2.googleapis.com/revoke"),
        ("JWKS_URL", "/www.googleapis.com/oauth2/v3/certs"),
        ("DEVICE_AUTHORIZATION_URL", "/oauth2.googleapis.com/device/code"),
    ],
    forgives_a_lost_answer: true,
};

/// A new refresh token takes the place of the old one, and the old one takes the grant along when it comes again.
pub(crate) const ROTATING: RefreshModel = RefreshModel {
    name: "rotating",
    kind: "oidc",
    site: "oidc",
    host: Some(""),
    token: "/token",
    api: "/userinfo",
    endpoints: &[],
    forgives_a_lost_answer: false,
};

/// The same, but for some minutes the old one gets the answer again.
pub(crate) const ROTATING_WITH_GRACE: RefreshModel = RefreshModel {
    name: "rotating with grace",
    kind: "bitbucket",
    site: "bitbucket",
    host: None,
    token: "/bitbucket.org/site/oauth2/access_token",
    api: "/api.bitbucket.org/2.0/user",
    endpoints: &[
        ("AUTHORIZATION_URL", "/bitbucket.org/site/oauth2/authorize"),
        ("API_URL", "/api.bitbucket.org/2.0"),
    ],
    forgives_a_lost_answer: true,
};

/// A new one comes with every answer, and all of them work.
pub(crate) const TOLERANT: RefreshModel = RefreshModel {
    name: "tolerant",
    kind: "microsoft",
    site: "microsoft",
    host: Some("8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f"),
    token: "/login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/oauth2/v2.0/token",
    api: "/graph.microsoft.com/v1.0/me",
    endpoints: &[
        ("ISSUER", "/login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v2.0"),
        (
            "AUTHORIZATION_URL",
            "/login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/oauth2/v2.0/authorize",
        ),
        ("USERINFO_URL", "/graph.microsoft.com/v1.0/me"),
        ("JWKS_URL", "/login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/discovery/v2.0/keys"),
        (
            "DEVICE_AUTHORIZATION_URL",
            "/login.microsoftonline.com/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/oauth2/v2.0/devicecode",
        ),
    ],
    forgives_a_lost_answer: true,
};

pub(crate) const ALL: [&RefreshModel; 4] = [&REUSABLE, &ROTATING, &ROTATING_WITH_GRACE, &TOLERANT];

/// All of them, and the gate.
pub(crate) struct Providers {
    pub(crate) upstream: Simulator,
    pub(crate) gate: Gate,
}

/// The lifetime of access tokens, in seconds: below the longest that a caller can ask for, so that they can be made to
/// refresh.
const LIFETIME: u32 = 3000;

impl Providers {
    pub(crate) async fn start() -> Self {
        let upstream = simulated::provider();
        let gate = Gate::before(upstream.url()).await;
        let providers = Self { upstream, gate };
        providers.forget_calls();
        providers
    }

    /// Puts their endpoints in the place of the real ones, as an operator would.
    pub(crate) fn stand_in(&self, installation: &mut Installation) {
        for model in ALL {
            let mut set = |setting: &str, url: &str| {
                installation.set(&format!("PROVIDERS__{}__{setting}", model.kind.to_uppercase()), url);
            };
            set("TOKEN_URL", &format!("{}{}", self.gate.url(), model.token));
            for (setting, path) in model.endpoints {
                set(setting, &format!("{}{path}", self.upstream.url()));
            }
        }
    }

    /// Registers one; returns its id.
    pub(crate) async fn register(&self, admin: &Caller, model: &RefreshModel) -> String {
        let host = if model.host == Some("") { Some(self.upstream.url()) } else { model.host };
        admin.register(model.kind, host, ("any", "secret")).await
    }

    /// One of them alone.
    pub(crate) fn site(&self, model: &RefreshModel) -> Site<'_> {
        self.upstream.site(model.site).unwrap()
    }

    /// Forgets the calls so far.
    pub(crate) fn forget_calls(&self) {
        for model in ALL {
            let site = self.site(model);
            site.reset();
            site.update_settings(|settings| settings.access_token_lifetime = LIFETIME);
        }
    }

    /// How many refreshes one has made.
    pub(crate) fn refreshes(&self, model: &RefreshModel) -> usize {
        simulated::refreshes(&self.site(model).stats())
    }

    /// Whether a provider honours an access token.
    pub(crate) async fn honours(&self, model: &RefreshModel, access_token: &str) -> bool {
        let asked = client().get(format!("{}{}", self.upstream.url(), model.api)).bearer_auth(access_token);
        asked.header("user-agent", "e2e").send().await.unwrap().status().is_success()
    }
}
