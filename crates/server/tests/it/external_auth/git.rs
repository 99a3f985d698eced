//! The provider of a git remote, and the credentials that git sends there.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::client::LinkClient;
use super::world::MEMBER;
use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::stores::StoreKind;

/// The providers in the cloud, each played by its documented behaviour, and a member with a machine.
pub(super) struct Clouds {
    pub(super) installation: Installation,
    pub(super) simulator: String,
    admin: Caller,
    pub(super) member: Caller,
    pub(super) links: LinkClient,
    pub(super) agent: LinkClient,
    _running: Running,
}

impl Clouds {
    pub(super) async fn new() -> Self {
        let mut installation = Installation::with_simulator_on(StoreKind::Sqlite);
        installation.set("SIMULATOR__PLAYS_EVERYONE", "true");
        let admin = installation.caller(&installation.token("admin@acme.example", true));
        let member = installation.caller(&installation.token(MEMBER, false));
        let agent = LinkClient::at(&installation.base_url, &installation.agent_token(MEMBER));
        let links = LinkClient::at(&installation.base_url, &member.token);
        let running = installation.serve().await;
        let simulator = running.simulator();
        Self { installation, simulator, admin, member, links, agent, _running: running }
    }

    /// Registers a provider under the name of its type, with more members; returns its id.
    pub(super) async fn register(&self, kind: &str, more: Value) -> String {
        let mut body = json!({ "name": kind, "type": kind, "clientId": "client", "clientSecret": "secret" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, provider) = self.admin.post_json("/providers/", &body).await;
        assert_eq!(status, StatusCode::CREATED, "{provider}");
        provider["id"].as_str().unwrap().to_owned()
    }

    /// What a machine is told that asks for the credentials of a remote.
    pub(super) async fn for_remote(&self, remote: &str) -> (StatusCode, Value) {
        let remote: String = url::form_urlencoded::byte_serialize(remote.as_bytes()).collect();
        self.agent.access(&format!("id=&match={remote}")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_a_remote_gets_the_credentials_that_its_provider_wants() {
    let clouds = Clouds::new().await;
    let hosts = [("github", "github.com"), ("gitlab", "gitlab.com"), ("bitbucket", "bitbucket.org")];
    for (kind, host) in hosts {
        let provider = clouds.register(kind, json!({})).await;
        clouds.member.authorize_unattended(&provider).await;
        for remote in [
            format!("https://{host}/acme/app.git"),
            format!("https://somebody@{host}:443/acme/app"),
            format!("ssh://git@{host}:22/acme/app.git"),
            format!("git@{host}:acme/app.git"),
            format!("https://{}", host.to_uppercase()),
        ] {
            let (status, access) = clouds.for_remote(&remote).await;
            assert_eq!(status, StatusCode::OK, "{remote}: {access}");
            let (token, url) = (&access["access_token"], &access["url"]);
            assert_eq!((&access["type"], url), (&json!(kind), &json!("")), "{remote}: {access}");
            let credentials = (&access["username"], &access["password"]);
            let expected = match kind {
                "gitlab" => (&json!("oauth2"), token),
                "bitbucket" => (&json!("x-token-auth"), token),
                _ => (token, &json!("")),
            };
            assert_eq!(credentials, expected, "{remote}");
        }
    }
    for unknown in
        ["https://github.com.evil.example/acme/app.git", "https://example.com/github.com", "file:///srv/app"]
    {
        assert_eq!(clouds.for_remote(unknown).await.0, StatusCode::NOT_FOUND, "{unknown}");
    }
    assert_eq!(
        clouds.for_remote("http://github.com/acme/app.git").await.0,
        StatusCode::NOT_FOUND,
        "in the open"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_specific_place_wins_and_a_tie_names_the_candidates() {
    let clouds = Clouds::new().await;
    clouds.register("github", json!({})).await;
    let for_acme = json!({ "slug": "github-acme", "gitHosts": ["github.com/acme"] });
    let id = clouds.register("github", for_acme).await;
    clouds.member.authorize_unattended(&id).await;
    let page = |access: &Value| access["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let (_, elsewhere) = clouds.for_remote("git@github.com:octo/app.git").await;
    assert_eq!(page(&elsewhere), "github");
    let (status, access) = clouds.for_remote("git@github.com:acme/app.git").await;
    assert_eq!((status, access["access_token"].is_string()), (StatusCode::OK, true), "{access}");

    clouds.register("github", json!({ "slug": "github-too", "gitHosts": ["github.com/acme"] })).await;
    let (status, tie) = clouds.for_remote("https://github.com/acme/app.git").await;
    assert_eq!(status, StatusCode::CONFLICT, "{tie}");
    let detail = tie["detail"].as_str().unwrap();
    assert!(detail.contains("github-acme") && detail.contains("github-too"), "{tie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_of_id_and_match_is_given() {
    let clouds = Clouds::new().await;
    clouds.register("github", json!({})).await;
    for query in ["", "id=&match=", "listen=true", "id=github&match=https%3A%2F%2Fgithub.com"] {
        let (status, refused) = clouds.agent.access(query).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {refused}");
    }
    let (status, refused) = clouds.for_remote("what is this").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    assert_eq!(refused["validations"][0]["field"], "match", "{refused}");
    assert_eq!(clouds.agent.access("id=nobody&match=").await.0, StatusCode::NOT_FOUND);
}
