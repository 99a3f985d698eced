//! The published client of the reference system, unchanged: what it sends is understood, and it understands what it gets.
//!
//! It takes minutes to build. So `just test` sends what was recorded of it, and reads the answers as it does; `just golem-client`
//! does the same with the client itself, and holds the recordings to what it sends.

mod answers;
mod recorded;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use grantkeeper_provider_simulator::{CallbackIss, Fault, FaultEffect, FaultPlace, FaultTimes};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use url::Url;

use self::recorded::Recorded;
use crate::logins::upstream::{REFUSER, Upstream};
use crate::logins::world::{LoginWorld, OTHER_CLIENT};
use crate::stores::StoreKind;

/// One who makes the calls of the client, and tells `{"ok":…}` with what it read, or `{"error":"Error401"}`.
enum Sender {
    Recorded(Recorded),
    Published(Box<Published>),
}

impl Sender {
    async fn ok(&mut self, call: &[&str]) -> Value {
        let told = self.call(call).await;
        assert!(told["error"].is_null(), "{call:?}: {told}");
        told["ok"].clone()
    }

    /// The variant of the client's own error.
    async fn error(&mut self, call: &[&str]) -> String {
        let told = self.call(call).await;
        told["error"].as_str().unwrap_or_else(|| panic!("{call:?}: {told}")).to_owned()
    }

    async fn call(&mut self, call: &[&str]) -> Value {
        match self {
            Self::Recorded(recorded) => recorded.call(call).await,
            Self::Published(published) => published.call(call).await,
        }
    }
}

/// The program around the client.
struct Published {
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Published {
    fn at(base_url: &str) -> Self {
        let program =
            std::env::var("GOLEM_CLIENT").expect("`just golem-client` builds it, and says where it is");
        assert!(Path::new(&program).exists(), "{program} is missing");
        let mut child = Command::new(program)
            .arg(base_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { stdin: child.stdin.take().unwrap(), lines, _child: child }
    }

    async fn call(&mut self, call: &[&str]) -> Value {
        self.stdin.write_all(format!("{}\n", json!(call)).as_bytes()).await.unwrap();
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_of_the_published_client_signs_in_every_way() {
    let world = world(&[]).await;
    let sender = Sender::Recorded(Recorded::at(&world.installation.base_url));
    signs_in_every_way(&world, sender).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_of_the_published_client_brings_a_code_back() {
    let world = world(&[("LOGIN__CONFIRMATION_PAGE", "false")]).await;
    let sender = Sender::Recorded(Recorded::at(&world.installation.base_url));
    brings_a_code_back(&world, sender).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the client takes minutes to build: `just golem-client`"]
async fn the_published_client_signs_in_every_way() {
    let world = world(&[]).await;
    let sender = Sender::Published(Box::new(Published::at(&world.installation.base_url)));
    signs_in_every_way(&world, sender).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the client takes minutes to build: `just golem-client`"]
async fn the_published_client_brings_a_code_back() {
    let world = world(&[("LOGIN__CONFIRMATION_PAGE", "false")]).await;
    let sender = Sender::Published(Box::new(Published::at(&world.installation.base_url)));
    brings_a_code_back(&world, sender).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the client takes minutes to build: `just golem-client`"]
async fn the_published_client_sends_what_was_recorded_of_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let mut published = Published::at(&base_url);
    let recorded = Recorded::at(&base_url);
    for call in [
        &["start_login_oauth_2"][..],
        &["complete_login_oauth_2", "a.session"],
        &["oauth_2_web_flow_start", "github"],
        &["oauth_2_web_flow_start", "github", "https://golem.cloud"],
        &["oauth_2_web_flow_callback_github", "a-code", "a-state"],
        &["oauth_2_web_flow_poll", "a-state"],
        &["login_oauth_2", "github", "a-token"],
        &["current_login_token", "a-secret"],
    ] {
        let expected = recorded.request(call);
        let sent = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut sent = vec![0; expected.len()];
            connection.read_exact(&mut sent).await.unwrap();
            String::from_utf8(sent).unwrap()
        };
        // The connection ends with no answer, which it tells.
        let (sent, told) = tokio::join!(sent, published.call(call));
        assert_eq!(sent, expected);
        assert_eq!(told["error"], "Reqwest", "{told}");
    }
}

/// At the simulated provider: the code that the client brings back has no issuer with it.
async fn world(settings: &[(&str, &str)]) -> LoginWorld {
    let upstream = Upstream::simulated(600);
    upstream.simulator().update_settings(|settings| {
        settings.announce_iss = false;
        settings.callback_iss = CallbackIss::Absent;
    });
    LoginWorld::around(upstream, StoreKind::Sqlite, settings).await
}

async fn signs_in_every_way(world: &LoginWorld, mut client: Sender) {
    let by_device = by_device(world, &mut client).await;
    let on_the_web = on_the_web(world, &mut client).await;
    let by_token = by_token(world, &mut client).await;
    for signed_in in [&by_device, &on_the_web, &by_token] {
        let secret = signed_in["secret"]["value"].as_str().unwrap();
        assert_eq!(client.ok(&["current_login_token", secret]).await, signed_in["data"]);
        assert_eq!(signed_in["data"]["accountId"], by_token["data"]["accountId"], "all are Alice");
    }
    assert_eq!(client.error(&["current_login_token", "nonsense"]).await, "Error401");
    suspended(world, &mut client, &by_token).await;
}

async fn by_device(world: &LoginWorld, client: &mut Sender) -> Value {
    for (person, expected) in [(REFUSER, Some("Error401")), ("alice", None)] {
        let started = client.ok(&["start_login_oauth_2"]).await;
        let text = |name: &str| started[name].as_str().unwrap().to_owned();
        assert!(world.upstream.decides(&text("userCode"), person).await);
        let complete = ["complete_login_oauth_2", &text("encodedSession")];
        match expected {
            Some(error) => assert_eq!(client.error(&complete).await, error),
            None => return client.ok(&complete).await,
        }
    }
    unreachable!("Alice approves")
}

async fn on_the_web(world: &LoginWorld, client: &mut Sender) -> Value {
    let golem = client.ok(&["oauth_2_web_flow_start", "github", "https://golem.cloud"]).await;
    assert!(golem["url"].is_string(), "{golem}");
    let evil = ["oauth_2_web_flow_start", "github", "https://golem.cloud.evil.example"];
    assert_eq!(client.error(&evil).await, "Error400");
    assert_eq!(client.error(&["oauth_2_web_flow_start", "gitlab"]).await, "Error400");
    assert_eq!(client.error(&["oauth_2_web_flow_poll", "no-such-state"]).await, "Error404");
    let started = client.ok(&["oauth_2_web_flow_start", "github"]).await;
    let poll = ["oauth_2_web_flow_poll", started["state"].as_str().unwrap()];
    assert_eq!(client.error(&poll).await, "Error202", "it is an error to the client, which it knows");
    let back = world.upstream.sign_in(started["url"].as_str().unwrap(), "alice").await;
    let mut browser = world.browser();
    let (path, page) = browser.come_back(&back).await;
    browser.press(&path, &page, "yes").await;
    client.ok(&poll).await
}

async fn by_token(world: &LoginWorld, client: &mut Sender) -> Value {
    let foreign = world.upstream.access_token(OTHER_CLIENT, "alice").await;
    assert_eq!(client.error(&["login_oauth_2", "github", &foreign]).await, "Error401");
    let token = world.access_token("alice").await;
    world.upstream.simulator().set_faults([Fault {
        place: FaultPlace::Userinfo,
        delay: Duration::ZERO,
        effect: FaultEffect::Status { status: 503, retry_after: None, body: None },
        times: FaultTimes::UntilCleared,
    }]);
    assert_eq!(client.error(&["login_oauth_2", "github", &token]).await, "Error500");
    world.upstream.simulator().set_faults([]);
    client.ok(&["login_oauth_2", "github", &token]).await
}

async fn suspended(world: &LoginWorld, client: &mut Sender, signed_in: &Value) {
    let account = signed_in["data"]["accountId"].as_str().unwrap();
    world.installation.run(&["account", "suspend", account]);
    let token = world.access_token("alice").await;
    assert_eq!(client.error(&["login_oauth_2", "github", &token]).await, "Error403");
}

/// With the page of ours switched off, as in the reference system.
async fn brings_a_code_back(world: &LoginWorld, mut client: Sender) {
    for (person, error) in [("alice", None), ("alice", Some("Error404"))] {
        let started = client.ok(&["oauth_2_web_flow_start", "github"]).await;
        let back =
            Url::parse(&world.upstream.sign_in(started["url"].as_str().unwrap(), person).await).unwrap();
        let sent = |name: &str| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let (code, state) = (sent("code"), sent("state"));
        let poll = ["oauth_2_web_flow_poll", started["state"].as_str().unwrap()];
        match error {
            None => {
                let callback = ["oauth_2_web_flow_callback_github", &code, &state];
                assert_eq!(client.ok(&callback).await, json!({}));
                assert!(client.ok(&poll).await["secret"]["value"].is_string());
            }
            // The client's own state is none that a provider brings back.
            Some(error) => {
                let callback = ["oauth_2_web_flow_callback_github", &code, poll[1]];
                assert_eq!(client.error(&callback).await, error);
                assert_eq!(client.error(&poll).await, "Error202");
            }
        }
    }
}
