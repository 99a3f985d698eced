//! The requests of the reference system's published clients, written after the sources of these and byte for byte as they send
//! them, and the answers, byte for byte. The clients themselves do not run here.

use serde_json::{Value, json};

use super::git::Clouds;
use super::world::MEMBER;
use crate::browser::Browser;
use crate::callers::client;
use crate::raw_requests::{Reply, Requests, Wire, raw_requests};
use crate::waiting::eventually;

const REQUESTS: Requests = raw_requests!("published-requests":
    "agent_access_by_id",
    "agent_access_by_match",
    "agent_access_listening",
    "cli_begin_device",
    "cli_list",
    "cli_poll_device",
    "cli_unlink",
    "cli_view",
    "dashboard_begin_device",
    "dashboard_list",
    "dashboard_poll_device",
    "dashboard_unlink",
    "dashboard_view",
);

/// The members whose values differ each time.
const PASSING: [&str; 8] = [
    "access_token",
    "created_at",
    "device_code",
    "expires",
    "expires_at",
    "updated_at",
    "user_code",
    "username",
];

/// What no link has that never expires; clients compare it.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The clients of one person.
struct Clients {
    wire: Wire,
    base_url: String,
    simulator: String,
    agent: String,
    command_line: String,
    dashboard: String,
    /// What was asked and answered, in their order.
    told: Vec<String>,
}

impl Clients {
    async fn of(clouds: &Clouds) -> Self {
        let base_url = clouds.installation.base_url.clone();
        let mut browser = Browser::at(&base_url);
        browser.sign_in(&clouds.member.token, "/account").await;
        Self {
            wire: Wire::at(&base_url, REQUESTS),
            agent: clouds.installation.agent_token(MEMBER),
            command_line: clouds.member.token.clone(),
            dashboard: browser.cookie("coder_session_token"),
            told: Vec::new(),
            simulator: clouds.simulator.clone(),
            base_url,
        }
    }

    /// Sends a request with the token of its client; tells the answer.
    async fn ask(&mut self, name: &str, arguments: &[&str]) -> Reply {
        let token = match name.split_once('_') {
            Some(("agent", _)) => &self.agent,
            Some(("dashboard", _)) => &self.dashboard,
            _ => &self.command_line,
        };
        let reply = self.wire.send(name, &[&[token.as_str()], arguments].concat()).await;
        self.tell(name, &reply);
        reply
    }

    fn tell(&mut self, name: &str, reply: &Reply) {
        let head = ["content-type", "content-encoding", "retry-after", "www-authenticate"];
        let head = head.map(|field| reply.field(field).map(|value| format!("{field}: {value}\n")));
        let head: String = head.into_iter().flatten().collect();
        let body = without_what_passes(&reply.body);
        let body = body.replace(&self.base_url, "{base_url}").replace(&self.simulator, "{provider}");
        self.told.push(format!("== {name}: {}\n{head}{body}\n", reply.status));
    }
}

/// A body as it is, but for what differs each time.
fn without_what_passes(body: &str) -> String {
    let mut passing = Vec::new();
    if let Ok(body) = serde_json::from_str(body) {
        collect(&body, &mut passing);
    }
    passing.into_iter().fold(body.to_owned(), |text, (name, value)| {
        text.replace(&format!("\"{name}\":\"{value}\""), &format!("\"{name}\":\"…\""))
    })
}

fn collect(value: &Value, passing: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if PASSING.contains(&name.as_str()) && text != NEVER => {
                        passing.push((name.clone(), text.clone()));
                    }
                    other => collect(other, passing),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, passing)),
        _ => {}
    }
}

/// The person types the code at GitHub, and agrees.
async fn approve(clouds: &Clouds, user_code: &str) {
    let body = json!({ "userCode": user_code, "decision": "approve" }).to_string();
    let answer = client().post(format!("{}/control/device", clouds.simulator)).body(body).send().await;
    assert!(answer.unwrap().status().is_success());
}

fn text(reply: &Reply, name: &str) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    body[name].as_str().unwrap_or_else(|| panic!("{name} of {body}")).to_owned()
}

/// One whole life of a link, as its clients see it.
#[tokio::test(flavor = "multi_thread")]
async fn what_published_clients_ask_is_answered_as_they_read_it() {
    let clouds = Clouds::new().await;
    clouds.register("github", json!({ "deviceFlow": true })).await;
    let mut clients = Clients::of(&clouds).await;
    for not_linked in ["agent_access_by_match", "agent_access_by_id", "cli_list", "cli_view", "cli_unlink"] {
        clients.ask(not_linked, &[]).await;
    }

    let begun = clients.ask("cli_begin_device", &[]).await;
    let device_code = text(&begun, "device_code");
    clients.ask("cli_poll_device", &[&device_code]).await;
    clients.ask("dashboard_poll_device", &["of nobody"]).await;
    approve(&clouds, &text(&begun, "user_code")).await;
    let linked = eventually("the account to be linked", async || {
        let token = clients.command_line.as_str();
        let reply = clients.wire.send("cli_poll_device", &[token, &device_code]).await;
        (reply.status != 400).then_some(reply)
    })
    .await;
    clients.tell("cli_poll_device", &linked);

    for linked in [
        "agent_access_by_match",
        "agent_access_by_id",
        "agent_access_listening",
        "cli_list",
        "cli_view",
        "dashboard_list",
        "dashboard_view",
        "dashboard_begin_device",
        "dashboard_unlink",
        "dashboard_view",
    ] {
        clients.ask(linked, &[]).await;
    }
    clients.command_line = "gk_of_nobody".to_owned();
    clients.ask("cli_list", &[]).await;
    insta::assert_snapshot!(clients.told.join("\n"));
}
