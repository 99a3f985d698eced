//! People at a real browser: Debian's chromium, headless, driven by `e2e/browser/pages.mjs`.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::tools::installed;

/// A running browser. Every person in it has cookies of their own.
pub(crate) struct Chromium {
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// It ends when its standard input closes.
    _child: Child,
}

/// A page as a person sees it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: u64,
    pub(crate) text: String,
}

impl Chromium {
    /// `None` where it is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let folder = installed("browser/chromium")?.parent()?.to_owned();
        let mut child = Command::new(folder.join("node"))
            .arg("pages.mjs")
            .current_dir(&folder)
            .env("CHROMIUM", folder.join("chromium"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take()?).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some(r#"{"ready":true}"#));
        Some(Self { stdin: child.stdin.take()?, lines, _child: child })
    }

    /// Somebody goes somewhere.
    pub(crate) async fn visit(&mut self, person: &str, url: &str) -> Page {
        self.page(&json!({ "do": "visit", "person": person, "url": url })).await
    }

    /// The same in a browser that runs no scripts.
    pub(crate) async fn visit_without_scripts(&mut self, person: &str, url: &str) -> Page {
        self.page(&json!({ "do": "visit", "person": person, "url": url, "scripts": false })).await
    }

    /// Somebody reaches something by Tab alone, and sees that they have; returns what came before it.
    pub(crate) async fn tab_to(&mut self, person: &str, name: &str) -> Value {
        let reached = self.told(&json!({ "do": "tab", "person": person, "to": name })).await;
        assert_eq!(reached["shown"], true, "one cannot see that {name} has the focus");
        reached["passed"].clone()
    }

    /// Somebody reaches a button by Tab, and presses Enter.
    pub(crate) async fn press(&mut self, person: &str, button: &str) -> Page {
        self.tab_to(person, button).await;
        self.page(&json!({ "do": "press", "person": person, "key": "Enter" })).await
    }

    /// The same, where the page that comes of it goes on by itself: as it stands.
    pub(crate) async fn press_and_glance(&mut self, person: &str, button: &str) -> Page {
        self.tab_to(person, button).await;
        self.page(&json!({ "do": "press", "person": person, "key": "Enter", "settle": false })).await
    }

    /// Somebody waits until the page that they have open does not go on by itself any more.
    pub(crate) async fn settle(&mut self, person: &str) -> Page {
        self.page(&json!({ "do": "settle", "person": person })).await
    }

    /// Somebody types into what has the focus.
    pub(crate) async fn type_text(&mut self, person: &str, text: &str) {
        self.told(&json!({ "do": "type", "person": person, "text": text })).await;
    }

    /// Somebody looks again at the page that they have open.
    pub(crate) async fn look(&mut self, person: &str) -> Page {
        self.page(&json!({ "do": "look", "person": person })).await
    }

    /// Nothing on the page that somebody has open is in the way of anybody, in light and in dark.
    pub(crate) async fn assert_accessible(&mut self, person: &str) {
        let found = self.told(&json!({ "do": "audit", "person": person })).await;
        let url = self.look(person).await.url;
        assert_eq!(found["findings"], json!([]), "{url}");
        let inks = &found["inks"];
        assert_ne!(inks["light"], inks["dark"], "{url} looks different in the dark");
    }

    /// The cookies of somebody's browser.
    pub(crate) async fn cookies(&mut self, person: &str) -> Vec<Value> {
        let told = self.told(&json!({ "do": "cookies", "person": person })).await;
        told["cookies"].as_array().unwrap().clone()
    }

    /// One of them.
    pub(crate) async fn cookie(&mut self, person: &str, name: &str) -> Option<Value> {
        self.cookies(person).await.into_iter().find(|cookie| cookie["name"] == name)
    }

    async fn page(&mut self, command: &Value) -> Page {
        let seen = self.told(command).await;
        let text = |name: &str| seen[name].as_str().unwrap_or_default().to_owned();
        Page { url: text("url"), status: seen["status"].as_u64().unwrap_or_default(), text: text("text") }
    }

    async fn told(&mut self, command: &Value) -> Value {
        self.stdin.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let line = self.lines.next_line().await.unwrap().expect("it answers every command");
        let told: Value = serde_json::from_str(&line).unwrap();
        assert!(told["error"].is_null(), "{command}: {}", told["error"]);
        told
    }
}
