//! Every type of provider through the public API, from registration to revocation. The simulated provider plays them
//! all, each by its documented behaviour.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::callers::{Caller, answer, approve, client};
use crate::device::Device;
use crate::installation::{Installation, Running};
use crate::waiting::eventually;

/// A provider as an administrator registers it, and what is to be expected of it.
struct Case {
    kind: &'static str,
    /// Where it is; what begins with a slash is a self-managed one on the simulator.
    host: Option<&'static str>,
    /// Which site of the simulator plays it.
    site: &'static str,
    /// Where its API takes access tokens, at the simulator.
    api: &'static str,
    /// What a revocation takes away there.
    revocation: Option<&'static str>,
    device_flow: bool,
}

const fn case(kind: &'static str, host: Option<&'static str>, site: &'static str, api: &'static str) -> Case {
    Case { kind, host, site, api, revocation: None, device_flow: false }
}

impl Case {
    const fn revoking(self, scope: &'static str) -> Self {
        Self { revocation: Some(scope), ..self }
    }

    const fn with_device_flow(self) -> Self {
        Self { device_flow: true, ..self }
    }

    /// Whether a revocation leaves alone what the same person has allowed elsewhere.
    fn leaves_others(&self) -> bool {
        matches!(self.revocation, None | Some("token" | "pair"))
    }
}

const GITHUB: Case =
    case("github", None, "github", "/api.github.com/user").revoking("token").with_device_flow();
const GITHUB_RESIDENCY: Case =
    case("github", Some("https://octo.ghe.com"), "github-residency", "/api.octo.ghe.com/user")
        .revoking("token")
        .with_device_flow();
const GITHUB_ENTERPRISE: Case =
    case("github", Some("/self-managed/github"), "github-enterprise", "/self-managed/github/api/v3/user")
        .revoking("token")
        .with_device_flow();
const GITLAB: Case =
    case("gitlab", None, "gitlab", "/gitlab.com/oauth/userinfo").revoking("pair").with_device_flow();
const GITLAB_SELF_MANAGED: Case = case(
    "gitlab",
    Some("/self-managed/gitlab"),
    "gitlab-self-managed",
    "/self-managed/gitlab/oauth/userinfo",
)
.revoking("pair")
.with_device_flow();
const BITBUCKET: Case = case("bitbucket", None, "bitbucket", "/api.bitbucket.org/2.0/user");
const BITBUCKET_DATA_CENTER: Case = case(
    "bitbucket",
    Some("/self-managed/bitbucket"),
    "bitbucket-data-center",
    "/self-managed/bitbucket/rest/api/latest/inbox/pull-requests/count",
)
.revoking("pair");
const GOOGLE: Case = case("google", None, "google", "/openidconnect.googleapis.com/v1/userinfo")
    .revoking("project")
    .with_device_flow();
const BOX: Case = case("box", None, "box", "/api.box.com/2.0/users/me").revoking("pair");
const MICROSOFT: Case =
    case("microsoft", None, "microsoft", "/graph.microsoft.com/v1.0/me").with_device_flow();
const MICROSOFT_DIRECTORY: Case = case(
    "microsoft",
    Some("8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f"),
    "microsoft",
    "/graph.microsoft.com/v1.0/me",
)
.with_device_flow();
const MICROSOFT_GOVERNMENT: Case = case(
    "microsoft",
    Some("login.microsoftonline.us/organizations"),
    "microsoft-us-government",
    "/graph.microsoft.us/v1.0/me",
)
.with_device_flow();

macro_rules! every_provider {
    ($($name:ident: $case:expr;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            walk(&$case).await;
        }
    )+};
}

every_provider! {
    github_dot_com: GITHUB;
    github_with_data_residency: GITHUB_RESIDENCY;
    github_enterprise_server: GITHUB_ENTERPRISE;
    gitlab_dot_com: GITLAB;
    gitlab_self_managed_under_a_context_path: GITLAB_SELF_MANAGED;
    bitbucket_cloud: BITBUCKET;
    bitbucket_data_center: BITBUCKET_DATA_CENTER;
    google: GOOGLE;
    box_cloud: BOX;
    microsoft_common: MICROSOFT;
    microsoft_of_one_directory: MICROSOFT_DIRECTORY;
    microsoft_of_the_us_government: MICROSOFT_GOVERNMENT;
}

/// Everything that a provider of that case can do.
async fn walk(case: &'static Case) {
    let world = World::of(case).await;
    world.is_described();
    let member = &world.member;
    let id = world.link_and_refresh(member).await;
    if case.device_flow {
        world.refuse_by_device(member).await;
    }
    if case.leaves_others() {
        let other = world.link_the_other().await;
        world.unlink_refreshed(member, &id).await;
        let token = world.other.lent(&other, "?min_ttl=3600").await;
        assert!(world.takes(&token).await, "another link of the same person lives on");
        world.unlink(&world.other, &other).await;
    } else {
        world.unlink_refreshed(member, &id).await;
        let other = world.link_the_other().await;
        world.unlink(&world.other, &other).await;
    }
    world.has_nothing_to_refresh().await;
}

struct World {
    installation: Installation,
    running: Running,
    simulator: String,
    case: &'static Case,
    member: Caller,
    /// Another account here, of whoever is the same person there.
    other: Caller,
    provider: Value,
}

/// The lifetime of access tokens: below the longest that a caller can ask for, so that they can be made to refresh.
const LIFETIME: u32 = 3000;

impl World {
    async fn of(case: &'static Case) -> Self {
        let mut installation = Installation::with_simulator();
        installation.set("SIMULATOR__PLAYS_EVERYONE", "true");
        let admin = installation.caller(&installation.token("admin@acme.example", true));
        let member = installation.caller(&installation.token("member@acme.example", false));
        let other = installation.caller(&installation.token("other@acme.example", false));
        let running = installation.serve().await;
        let simulator = running.simulator();
        let host = case.host.map(|host| match host.strip_prefix('/') {
            Some(_) => format!("{simulator}{host}"),
            None => host.to_owned(),
        });
        let mut body = json!({
            "name": "E2E", "type": case.kind, "clientId": "client", "clientSecret": "secret",
            "deviceFlow": case.device_flow,
        });
        if let Some(host) = &host {
            body["host"] = json!(host);
        }
        let (status, provider) = admin.post_json("/providers/", &body).await;
        assert_eq!(status, StatusCode::CREATED, "{provider}");
        let world = Self { installation, running, simulator, case, member, other, provider };
        let lifetime = json!({ "accessTokenLifetime": LIFETIME }).to_string();
        let changed = answer(client().post(world.control_url("settings")).body(lifetime)).await;
        assert_eq!(changed.0, StatusCode::OK, "{}", changed.1);
        world
    }

    fn id(&self) -> &str {
        self.provider["id"].as_str().unwrap()
    }

    fn is_described(&self) {
        let (case, provider) = (self.case, &self.provider);
        assert_eq!(provider["supportsRevocation"], json!(case.revocation.is_some()), "{provider}");
        assert_eq!(provider["revocationScope"].as_str(), case.revocation, "{provider}");
        assert_eq!(provider["deviceFlow"], json!(case.device_flow), "{provider}");
        // Where nothing can be revoked, a person has to be told where to do it by hand. Microsoft's national clouds
        // document no such page.
        let settings = provider["metadata"]["settingsUrl"].as_str();
        let is_national = case.site == MICROSOFT_GOVERNMENT.site;
        assert!(settings.is_some() || case.revocation.is_some() || is_national, "{provider}");
    }

    async fn link_in_a_browser(&self, caller: &Caller) -> Value {
        let page = caller.start_flow(self.id()).await;
        let location = approve(&client(), &page).await;
        let (status, completed) = caller.complete(self.id(), &location).await;
        assert_eq!(status, StatusCode::OK, "{completed}");
        completed
    }

    /// A link in a browser whose tokens are refreshed, once, when a caller wants one that lives longer.
    async fn link_and_refresh(&self, caller: &Caller) -> String {
        let linked = self.link_in_a_browser(caller).await;
        let id = linked["authorizedProvider"]["id"].as_str().unwrap().to_owned();
        assert_eq!(linked["authorizedProvider"]["missingScopes"], json!([]), "{linked}");
        let token = caller.lent(&id, "").await;
        assert_eq!((self.refreshes().await, self.takes(&token).await), (0, true));
        let fresh = caller.lent(&id, "?min_ttl=3600").await;
        assert_ne!(fresh, token);
        assert_eq!((self.refreshes().await, self.takes(&fresh).await), (1, true));
        let (status, user) = caller.get(&format!("/authorizedProviders/{id}/userinfo/")).await;
        assert_eq!((status, &user["sub"]), (StatusCode::OK, &linked["userInfo"]["sub"]), "{user}");
        assert!(user["raw"].is_object(), "{user}");
        id
    }

    /// The same person links another account here, and once more by device code where that can be done.
    async fn link_the_other(&self) -> String {
        let linked = self.link_in_a_browser(&self.other).await;
        let id = linked["authorizedProvider"]["id"].as_str().unwrap().to_owned();
        if self.case.device_flow {
            self.link_by_device(&self.other, &id).await;
        }
        id
    }

    /// Deletes the link that was refreshed: with its access token goes the refresh token behind it.
    async fn unlink_refreshed(&self, caller: &Caller, id: &str) {
        assert!(self.refresh_token_is_good().await);
        self.unlink(caller, id).await;
        assert_eq!(self.refresh_token_is_good().await, self.case.revocation.is_none());
    }

    /// Whether the refresh token that the first refresh left behind can be used, by whoever has it. GitHub has no
    /// other way to end one than to use it up.
    async fn refresh_token_is_good(&self) -> bool {
        /// The first is that of the sign-in; where refresh tokens are not replaced, there is no second one.
        const SECOND: u32 = 2;
        let stats = self.stats().await;
        let calls = stats["tokenCalls"].as_array().unwrap();
        let family = &calls.iter().find(|call| call["grant"] == "refresh_token").unwrap()["family"];
        let used_up = calls.iter().any(|call| call["family"] == *family && call["generation"] == SECOND);
        stats["families"][family.as_str().unwrap()]["alive"] == true && !used_up
    }

    /// Deletes a link: its token dies where the provider can revoke, and only there.
    async fn unlink(&self, caller: &Caller, id: &str) {
        let token = caller.lent(id, "").await;
        assert!(self.takes(&token).await);
        let (status, _) = caller.delete(&format!("/authorizedProviders/{id}/")).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        if self.case.revocation.is_some() {
            eventually("the token to die", async || (!self.takes(&token).await).then_some(())).await;
        } else {
            assert!(self.takes(&token).await, "it cannot be revoked");
            let stats = self.stats().await;
            assert_eq!(stats["revokeCalls"], json!([]), "there is nothing to call");
        }
    }

    /// No refresh token that was ever used is good any more, where revocations end refresh tokens.
    async fn has_nothing_to_refresh(&self) {
        if !matches!(self.case.revocation, Some("pair" | "project")) {
            return;
        }
        eventually("all grants to die", async || {
            let stats = self.stats().await;
            let mut calls = stats["tokenCalls"].as_array().unwrap().iter();
            let is_over = |call: &Value| {
                call["grant"] != "refresh_token"
                    || stats["families"][call["family"].as_str().unwrap()]["alive"] == false
            };
            calls.all(is_over).then_some(())
        })
        .await;
    }

    /// Whether the provider's API takes an access token.
    async fn takes(&self, token: &str) -> bool {
        let request = client().get(format!("{}{}", self.simulator, self.case.api)).bearer_auth(token);
        // GitHub refuses callers without a name.
        let (status, body) = answer(request.header("user-agent", "e2e")).await;
        assert!(matches!(status, StatusCode::OK | StatusCode::UNAUTHORIZED), "{status}: {body}");
        status == StatusCode::OK
    }

    fn control_url(&self, what: &str) -> String {
        format!("{}/control/sites/{}/{what}", self.simulator, self.case.site)
    }

    async fn stats(&self) -> Value {
        let (status, stats) = answer(client().get(self.control_url("stats"))).await;
        assert_eq!(status, StatusCode::OK, "{stats}");
        stats
    }

    async fn refreshes(&self) -> usize {
        let stats = self.stats().await;
        let calls = stats["tokenCalls"].as_array().unwrap();
        calls.iter().filter(|call| call["grant"] == "refresh_token").count()
    }

    /// By device code it is the same authorization, with other tokens.
    async fn link_by_device(&self, caller: &Caller, id: &str) {
        let before = caller.lent(id, "").await;
        let device = Device::begin(caller, self.id()).await;
        assert!(device.verification_uri.starts_with("http"), "{}", device.verification_uri);
        device.decide(&self.simulator, "approve").await;
        device.linked().await;
        let (_, list) = caller.get("/authorizedProviders/").await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
        assert_ne!(caller.lent(id, "").await, before);
        // GitLab gives a device no refresh token: that of the browser is kept, and what was issued with it.
        if self.case.revocation == Some("token") {
            eventually("the replaced token to die", async || (!self.takes(&before).await).then_some(()))
                .await;
        }
    }

    async fn refuse_by_device(&self, caller: &Caller) {
        let device = Device::begin(caller, self.id()).await;
        device.decide(&self.simulator, "deny").await;
        assert_eq!(device.ended().await, "access_denied");
        let log = self.installation.log();
        assert!(!log.contains(&device.device_code), "{log}");
        assert!(self.running.child.id().is_some());
    }
}
