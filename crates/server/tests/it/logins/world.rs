//! A service at which people may sign in with a provider.

use reqwest::StatusCode;
use serde_json::json;

use super::client::{LoginClient, SignedIn};
use super::upstream::Upstream;
use crate::browser::Browser;
use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::stores::StoreKind;

pub(crate) struct LoginWorld {
    pub(crate) installation: Installation,
    pub(crate) running: Running,
    pub(crate) upstream: Upstream,
    pub(crate) client: LoginClient,
    /// The id of the provider, which clients call `github`.
    pub(crate) provider: String,
}

/// Our client at the provider.
const CLIENT: (&str, &str) = ("web", "web-secret");
/// Another one.
pub(crate) const OTHER_CLIENT: &str = "web-post";

/// How long device codes live unless a test is about that, in seconds.
const LONG: u32 = 600;

impl LoginWorld {
    /// `None` where the provider is not installed.
    pub(crate) async fn at_an_openid_provider() -> Option<Self> {
        Some(Self::around(Upstream::real(LONG).await?, StoreKind::Sqlite, &[]).await)
    }

    pub(crate) async fn at_the_simulator() -> Self {
        Self::around(Upstream::simulated(LONG), StoreKind::Postgres, &[]).await
    }

    /// Around a provider, with more settings.
    pub(crate) async fn around(upstream: Upstream, store: StoreKind, settings: &[(&str, &str)]) -> Self {
        let mut installation = Installation::on(store);
        for (name, value) in settings {
            installation.set(name, value);
        }
        Self::over(upstream, installation).await
    }

    /// Over an installation that is ready to serve. Whoever signs in gets an account there.
    pub(crate) async fn over(upstream: Upstream, mut installation: Installation) -> Self {
        installation.set("LOGIN__DEVICE_PROVIDER", "github");
        installation.set("LOGIN__PROVIDERS__GITHUB__ORGANIZATION", "Acme");
        // The slug that is made of the name under which every provider is registered here.
        installation.set("LOGIN__PROVIDERS__GITHUB__PROVIDER", "e2e");
        installation.set("LOGIN__PROVIDERS__GITHUB__NEW_ACCOUNTS", "anyone");
        let admin = installation.caller(&installation.token("admin@acme.example", true));
        let running = installation.serve().await;
        let provider = admin.register("oidc", Some(upstream.issuer()), CLIENT).await;
        let path = format!("/providers/{provider}/");
        let (status, patched) = admin.patch_json(&path, &json!({ "deviceFlow": true })).await;
        assert_eq!(status, StatusCode::OK, "{patched}");
        let client = LoginClient::at(&installation.base_url);
        Self { installation, running, upstream, client, provider }
    }

    /// Somebody's browser.
    pub(crate) fn browser(&self) -> Browser {
        Browser::at(&self.installation.base_url)
    }

    /// An access token that a person has given to us.
    pub(crate) async fn access_token(&self, person: &str) -> String {
        self.upstream.access_token(CLIENT.0, person).await
    }

    /// A person who signs in the shortest way.
    pub(crate) async fn signed_in(&self, person: &str) -> SignedIn {
        let token = self.access_token(person).await;
        SignedIn::read(&self.client.exchange("github", &token).await)
    }

    /// The same person at the other APIs.
    pub(crate) fn caller(&self, signed_in: &SignedIn) -> Caller {
        self.installation.caller(&signed_in.secret)
    }
}
