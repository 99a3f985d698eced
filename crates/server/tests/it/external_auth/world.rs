//! A member with a provider to link, and a machine that acts for them.

use grantkeeper_provider_simulator::{Simulator, SimulatorOptions};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::client::LinkClient;
use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::simulated;
use crate::stores::StoreKind;

pub(crate) const MEMBER: &str = "member@acme.example";

/// The slug that is made of the name under which every provider is registered here.
pub(crate) const PROVIDER: &str = "e2e";

pub(crate) struct LinkWorld {
    pub(crate) upstream: Simulator,
    pub(crate) installation: Installation,
    pub(crate) running: Running,
    pub(crate) admin: Caller,
    /// The member at the `external_oauth` API.
    pub(crate) member: Caller,
    /// The member at this one.
    pub(crate) links: LinkClient,
    /// The machine.
    pub(crate) agent: LinkClient,
    /// The id of the provider.
    pub(crate) provider: String,
}

impl LinkWorld {
    /// At a provider that approves at once.
    pub(crate) async fn on(store: StoreKind) -> Self {
        Self::with(store, &[]).await
    }

    /// With more settings.
    pub(crate) async fn with(store: StoreKind, settings: &[(&str, &str)]) -> Self {
        Self::around(simulated::provider(), store, settings).await
    }

    /// At a provider where devices wait for a person, and poll every second.
    pub(crate) async fn with_devices(store: StoreKind) -> Self {
        let upstream = Simulator::start(SimulatorOptions::default()).unwrap();
        upstream.update_settings(|settings| settings.device_interval = Some(1));
        Self::around(upstream, store, &[]).await
    }

    async fn around(upstream: Simulator, store: StoreKind, settings: &[(&str, &str)]) -> Self {
        let mut installation = Installation::on(store);
        for (name, value) in settings {
            installation.set(name, value);
        }
        let admin = installation.caller(&installation.token("admin@acme.example", true));
        let member = installation.caller(&installation.token(MEMBER, false));
        let agent = installation.agent_token(MEMBER);
        let running = installation.serve().await;
        let provider = admin.register_simulated(&upstream).await;
        let path = format!("/providers/{provider}/");
        let (status, patched) = admin.patch_json(&path, &json!({ "deviceFlow": true })).await;
        assert_eq!(status, StatusCode::OK, "{patched}");
        let links = LinkClient::at(&installation.base_url, &member.token);
        let agent = LinkClient::at(&installation.base_url, &agent);
        Self { upstream, installation, running, admin, member, links, agent, provider }
    }

    /// The one link that there is.
    pub(crate) async fn only_link(&self) -> Value {
        let list = self.links.list().await;
        let [link] = list["links"].as_array().unwrap().as_slice() else { panic!("{list}") };
        link.clone()
    }

    /// The authorizations of the member, as the `external_oauth` API tells of them.
    pub(crate) async fn authorizations(&self) -> Vec<Value> {
        let (status, list) = self.member.get("/authorizedProviders/").await;
        assert_eq!(status, StatusCode::OK, "{list}");
        list["data"].as_array().unwrap().clone()
    }

    /// No view of this API tells of a link, and a machine is told where a person makes one.
    pub(crate) async fn assert_not_linked(&self) {
        let list = self.links.list().await;
        assert_eq!(list["links"], json!([]), "{list}");
        let view = self.links.view(PROVIDER).await;
        let told = ["authenticated", "user", "installations"].map(|member| &view[member]);
        assert_eq!(told, [&json!(false), &Value::Null, &json!([])], "{view}");
        let page = format!("{}/external-auth/{PROVIDER}", self.installation.base_url);
        let access = self.agent.access(&format!("id={PROVIDER}&match=")).await;
        assert_eq!(access, (StatusCode::OK, json!({ "url": page })));
    }
}
