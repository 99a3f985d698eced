//! Holders of a refresh lease that hang for longer than anybody waits for them, and wake up in the middle of what they did.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;

use crate::callers::Caller;
use crate::gate::Held;
use crate::installation::{Installation, Running};
use crate::refresh_models::{Providers, REUSABLE, ROTATING, RefreshModel, TOLERANT};
use crate::simulated;
use crate::stores::StoreKind;
use crate::waiting::eventually;

/// Two processes: one that hangs while it refreshes, and one that does not.
struct Scene {
    providers: Providers,
    model: &'static RefreshModel,
    installation: Installation,
    id: String,
    frozen: Option<Running>,
    _other: Running,
    /// At the process that is awake.
    caller: Caller,
}

impl Scene {
    /// The refresh of the one comes to where `held` keeps it, and there the process freezes.
    async fn with(model: &'static RefreshModel, held: Held) -> Self {
        let providers = Providers::start().await;
        let mut installation = Installation::on(StoreKind::Postgres);
        installation.set("TOKENS__REFRESH_LEASE", "1");
        if model.name == ROTATING.name {
            // It is asked again only when an answer to the first request cannot come any more.
            installation.set("TOKENS__UPSTREAM_LIMIT", "5");
        }
        providers.stand_in(&mut installation);
        let caller = installation.caller(&installation.token("admin@acme.example", true));
        let mut replicas = installation.serve_replicas(2).await;
        let provider = providers.register(&caller, model).await;
        let id = caller.authorize_unattended(&provider).await;
        providers.forget_calls();
        installation.store.expire_access_tokens();
        providers.gate.hold(held);
        let request = caller.request_for_token(&id, "?min_ttl=3600");
        // It is told something or other when the process wakes up, or nothing when that ends.
        drop(tokio::spawn(request.send()));
        providers.gate.has_stopped(1).await;
        let (other, frozen) = (replicas.pop().unwrap(), replicas.pop().unwrap());
        frozen.freeze();
        providers.gate.let_others_pass();
        let caller = caller.at(&other);
        Self { providers, model, installation, id, frozen: Some(frozen), _other: other, caller }
    }

    /// What the other process has for callers, as soon as it has anything.
    async fn token_or_bad_news(&self) -> (StatusCode, Value) {
        eventually("a token, or bad news", async || {
            let answer = self.caller.access_token(&self.id, "").await;
            (answer.0 != StatusCode::BAD_GATEWAY).then_some(answer)
        })
        .await
    }

    async fn token(&self) -> String {
        let (status, lent) = self.token_or_bad_news().await;
        assert_eq!(status, StatusCode::CREATED, "{lent}");
        lent["accessToken"].as_str().unwrap().to_owned()
    }

    fn row(&self) -> Vec<String> {
        self.installation.store.sql("SELECT version, access_token, refresh_token FROM authorizations")
    }

    /// The frozen process wakes up, its connection to the provider goes on as it may, and it ends as it is told to: with
    /// all that it had begun behind it.
    async fn wakes_up_and_ends(&mut self, goes_on: impl FnOnce(&Providers)) {
        let frozen = self.frozen.take().unwrap();
        frozen.wake();
        goes_on(&self.providers);
        assert_eq!(frozen.terminate().await, Some(0), "{}", self.installation.log());
    }

    /// That is the token, and the grant lives.
    async fn goes_on_with(&self, token: &str) {
        assert_eq!(self.caller.lent(&self.id, "").await, token);
        assert!(self.providers.honours(self.model, token).await, "a valid token");
        let next = self.caller.lent(&self.id, "?min_ttl=3600").await;
        assert_ne!(next, token);
        assert!(self.providers.honours(self.model, &next).await, "another valid token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_overtaken_writes_over_no_newer_token() {
    join_all([&REUSABLE, &TOLERANT].map(async |model| {
        let mut scene = Scene::with(model, Held::Answers).await;
        let token = scene.token().await;
        let row = scene.row();
        scene.wakes_up_and_ends(|providers| providers.gate.open()).await;
        assert_eq!(scene.row(), row, "{}", model.name);
        assert_eq!(scene.providers.refreshes(model), 2, "one of each process");
        scene.goes_on_with(&token).await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_overtaken_puts_no_failure_over_a_newer_token() {
    let mut scene = Scene::with(&ROTATING, Held::Requests).await;
    let token = scene.token().await;
    let row = scene.row();
    scene.wakes_up_and_ends(|providers| providers.gate.turn_away()).await;
    assert_eq!(scene.row(), row);
    scene.goes_on_with(&token).await;
    simulated::assert_nothing_was_sent_twice(&scene.providers.upstream.stats());
}
