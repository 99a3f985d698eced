//! The main job against GitHub, Google and Microsoft as npm `emulate` plays them: whoever wrote it has read the same
//! documentation, and none of our code. Device flows and revocation it does not have.

use std::process::Stdio;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::callers::{Caller, client};
use crate::installation::{Installation, Running};
use crate::tools::installed;
use crate::world::id_of;

const CLIENT: (&str, &str) = ("emulated", "emulated-secret");

/// The three of them in one process.
struct Emulators {
    github: String,
    google: String,
    microsoft: String,
    /// They end when their standard input closes.
    _stdin: ChildStdin,
    _child: Child,
}

impl Emulators {
    /// `None` where they are not installed.
    async fn start() -> Option<Self> {
        let folder = installed("emulators/node")?.parent()?.to_owned();
        let mut child = Command::new(folder.join("node"))
            .arg("emulators.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take()?).lines();
        let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        let url = |service: &str| ready[service].as_str().unwrap().to_owned();
        let (github, google, microsoft) = (url("github"), url("google"), url("microsoft"));
        Some(Self { github, google, microsoft, _stdin: child.stdin.take()?, _child: child })
    }

    /// Puts their endpoints in the place of the real ones, as an operator would.
    fn stand_in(&self, installation: &mut Installation) {
        let Self { github, google, microsoft, .. } = self;
        for (setting, url) in [
            ("GITHUB__AUTHORIZATION_URL", format!("{github}/login/oauth/authorize")),
            ("GITHUB__TOKEN_URL", format!("{github}/login/oauth/access_token")),
            ("GITHUB__API_URL", github.clone()),
            ("GOOGLE__AUTHORIZATION_URL", format!("{google}/o/oauth2/v2/auth")),
            ("GOOGLE__TOKEN_URL", format!("{google}/oauth2/token")),
            ("GOOGLE__USERINFO_URL", format!("{google}/oauth2/v2/userinfo")),
            ("GOOGLE__JWKS_URL", format!("{google}/oauth2/v3/certs")),
            ("MICROSOFT__AUTHORIZATION_URL", format!("{microsoft}/oauth2/v2.0/authorize")),
            ("MICROSOFT__TOKEN_URL", format!("{microsoft}/oauth2/v2.0/token")),
            ("MICROSOFT__JWKS_URL", format!("{microsoft}/discovery/v2.0/keys")),
            ("MICROSOFT__USERINFO_URL", format!("{microsoft}/v1.0/me")),
            // The tenant of personal accounts, whose metadata the emulator publishes under any name.
            ("MICROSOFT__ISSUER", format!("{microsoft}/consumers/v2.0")),
        ] {
            installation.set(&format!("PROVIDERS__{setting}"), &url);
        }
    }
}

/// A service whose providers of three types are emulated.
struct World {
    member: Caller,
    admin: Caller,
    _running: Running,
    _installation: Installation,
    _emulators: Emulators,
}

impl World {
    async fn new() -> Option<Self> {
        let emulators = Emulators::start().await?;
        let mut installation = Installation::new();
        emulators.stand_in(&mut installation);
        let running = installation.serve().await;
        let admin = installation.caller(&installation.token("admin@acme.example", true));
        let member = installation.caller(&installation.token("member@acme.example", false));
        Some(Self { member, admin, _running: running, _installation: installation, _emulators: emulators })
    }

    /// A person who chooses that account on the emulator's page comes back, with what it sent them back with.
    async fn come_back(&self, provider: &str, account: (&str, &str)) -> String {
        let page = Url::parse(&self.member.start_flow(provider).await).unwrap();
        let shown = client().get(page.clone()).send().await.unwrap();
        assert_eq!(shown.status(), StatusCode::OK, "{page}");
        assert!(shown.text().await.unwrap().contains(account.1), "the page offers the account");
        // The form on it repeats what was asked for.
        let form = Serializer::new(String::new())
            .extend_pairs(page.query_pairs())
            .append_pair(account.0, account.1)
            .finish();
        let mut chosen = page;
        chosen.set_query(None);
        chosen.set_path(&match chosen.path() {
            "/login/oauth/authorize" => "/login/oauth/callback".to_owned(),
            path => format!("{path}/callback"),
        });
        let request = client().post(chosen).header("content-type", "application/x-www-form-urlencoded");
        let sent_back = request.body(form).send().await.unwrap();
        sent_back.headers()["location"].to_str().unwrap().to_owned()
    }

    /// A whole flow.
    async fn authorize(&self, provider: &str, account: (&str, &str)) -> Value {
        let location = self.come_back(provider, account).await;
        let (status, completed) = self.member.complete(provider, &location).await;
        assert_eq!(status, StatusCode::OK, "{completed}");
        completed
    }

    async fn user(&self, authorization: &str) -> Value {
        let (status, user) =
            self.member.get(&format!("/authorizedProviders/{authorization}/userinfo/")).await;
        assert_eq!(status, StatusCode::OK, "{user}");
        user
    }

    /// A secret that the emulator does not know disables the provider.
    async fn assert_a_wrong_secret_is_seen(&self, kind: &str, host: Option<&str>, account: (&str, &str)) {
        let provider = self.admin.register(kind, host, (CLIENT.0, "not the secret")).await;
        let location = self.come_back(&provider, account).await;
        let (status, refused) = self.member.complete(&provider, &location).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
        assert_eq!(self.admin.get(&format!("/providers/{provider}/")).await.1["status"], "disabled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn github_gives_a_token_that_does_not_expire() {
    let Some(world) = World::new().await else { return };
    let account = ("login", "octo");
    let provider = world.admin.register("github", None, CLIENT).await;
    let completed = world.authorize(&provider, account).await;
    let user = &completed["userInfo"];
    assert_eq!((&user["nickname"], &user["email"]), (&json!("octo"), &json!("octo@example.test")), "{user}");
    let id = id_of(&completed);
    let token = world.member.lent(&id, "").await;
    assert!(token.starts_with("gho_"));
    assert_eq!(world.user(&id).await["sub"], user["sub"]);
    assert_eq!(id_of(&world.authorize(&provider, account).await), id, "the same account keeps its id");
    world.assert_a_wrong_secret_is_seen("github", None, account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_keeps_its_refresh_token() {
    let Some(world) = World::new().await else { return };
    let account = ("email", "grace@example.test");
    let provider = world.admin.register("google", None, CLIENT).await;
    let completed = world.authorize(&provider, account).await;
    assert_eq!(completed["userInfo"]["email"], account.1, "{completed}");
    let id = id_of(&completed);
    let mut tokens = vec![world.member.lent(&id, "").await];
    for _ in 0..2 {
        tokens.push(world.member.lent(&id, "?min_ttl=3600").await);
        let [.., before, after] = &tokens[..] else { unreachable!("at least two") };
        assert_ne!(before, after, "a refresh without a new refresh token leaves the old one in use");
    }
    assert_eq!(world.user(&id).await["sub"], completed["userInfo"]["sub"]);
    world.assert_a_wrong_secret_is_seen("google", None, account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_replaces_its_refresh_token() {
    let Some(world) = World::new().await else { return };
    let account = ("email", "mia@example.test");
    let provider = world.admin.register("microsoft", Some("consumers"), CLIENT).await;
    let completed = world.authorize(&provider, account).await;
    let user = &completed["userInfo"];
    assert_eq!((&user["name"], &user["nickname"]), (&json!("Mia Example"), &json!(account.1)), "{user}");
    let id = id_of(&completed);
    let first = world.member.lent(&id, "").await;
    let second = world.member.lent(&id, "?min_ttl=3600").await;
    let third = world.member.lent(&id, "?min_ttl=3600").await;
    assert!(first != second && second != third);
    assert_eq!(world.user(&id).await["sub"], user["sub"]);
    world.assert_a_wrong_secret_is_seen("microsoft", Some("consumers"), account).await;
}
