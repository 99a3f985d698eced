//! A service that npm `oidc-provider` is registered with: a provider that nobody here wrote, with rotation and reuse
//! detection.

use reqwest::StatusCode;
use serde_json::Value;

use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::openid_provider::OpenIdProvider;
use crate::stores::StoreKind;

pub(crate) struct World {
    pub(crate) installation: Installation,
    pub(crate) upstream: OpenIdProvider,
    pub(crate) admin: Caller,
    pub(crate) member: Caller,
    pub(crate) provider: String,
    pub(crate) replicas: Vec<Running>,
}

pub(crate) const WEB: (&str, &str) = ("web", "web-secret");

impl World {
    /// One process with SQLite. `None` where the provider is not installed.
    pub(crate) async fn new(client: (&str, &str)) -> Option<Self> {
        Self::of(StoreKind::Sqlite, 1, client).await
    }

    /// That many processes.
    pub(crate) async fn of(store: StoreKind, replicas: usize, client: (&str, &str)) -> Option<Self> {
        Some(Self::around(OpenIdProvider::start(&[]).await?, store, replicas, client).await)
    }

    /// Around a provider that was started with settings of its own.
    pub(crate) async fn around(
        upstream: OpenIdProvider,
        store: StoreKind,
        replicas: usize,
        client: (&str, &str),
    ) -> Self {
        let installation = Installation::on(store);
        let admin = installation.caller(&installation.token("admin@acme.example", true));
        let member = installation.caller(&installation.token("member@acme.example", false));
        let replicas = installation.serve_replicas(replicas).await;
        let provider = admin.register("oidc", Some(&upstream.issuer), client).await;
        Self { installation, upstream, admin, member, provider, replicas }
    }

    pub(crate) async fn authorize(&self, account: &str) -> Value {
        let page = self.member.start_flow(&self.provider).await;
        let location = self.upstream.log_in(&page, account).await;
        let (status, completed) = self.member.complete(&self.provider, &location).await;
        assert_eq!(status, StatusCode::OK, "{completed}");
        completed
    }
}

pub(crate) fn id_of(completed: &Value) -> String {
    completed["authorizedProvider"]["id"].as_str().unwrap().to_owned()
}
