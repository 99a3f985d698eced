//! `kill -9` at every step of a refresh, with each refresh model.
//!
//! A grant is lost in one case alone, and then it says so: the provider has replaced the refresh token, its answer was not
//! stored, and it takes the old one no more. Steps are reached from outside: by the gate before the provider, and by
//! updates in the database that do not end.
//!
//! `just soak` kills a hundred times at each step; see `docs/soak.md`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::StatusCode;
use tokio::task::JoinHandle;

use crate::callers::Caller;
use crate::gate::Held;
use crate::installation::{Installation, Running};
use crate::refresh_models::{ALL, Providers, RefreshModel};
use crate::stores::{StoreKind, on_either_store};
use crate::waiting::{any_moment_within, eventually, now};

on_either_store!(
    before_the_request_is_in_the_journal,
    before_the_provider_hears_of_it,
    before_the_answer_arrives,
    before_the_answer_is_committed,
    after_the_commit,
    at_any_moment,
);

async fn before_the_request_is_in_the_journal(store: StoreKind) {
    kill_again_and_again(store, Step::Journal).await;
}

async fn before_the_provider_hears_of_it(store: StoreKind) {
    kill_again_and_again(store, Step::Request).await;
}

async fn before_the_answer_arrives(store: StoreKind) {
    kill_again_and_again(store, Step::Answer).await;
}

async fn before_the_answer_is_committed(store: StoreKind) {
    kill_again_and_again(store, Step::Commit).await;
}

async fn after_the_commit(store: StoreKind) {
    kill_again_and_again(store, Step::Committed).await;
}

async fn at_any_moment(store: StoreKind) {
    kill_again_and_again(store, Step::Any).await;
}

/// How often each test kills.
fn rounds() -> u32 {
    std::env::var("SOAK_ROUNDS").map_or(1, |rounds| rounds.parse().expect("SOAK_ROUNDS is a number"))
}

/// What the process is about to do, or has done, when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It is writing the request into the journal.
    Journal,
    /// The request is on its way.
    Request,
    /// The provider has done what it was asked, and its answer is on its way.
    Answer,
    /// The answer is there, and on its way into the database.
    Commit,
    /// It is all in the database.
    Committed,
    /// Any of these.
    Any,
}

impl Step {
    /// Sees to it that refreshes get no further than here.
    fn bar_the_way(self, scene: &Scene) {
        match self {
            Self::Journal => scene.installation.store.stall_updates("refreshes", "NEW.holder IS NOT NULL"),
            Self::Request => scene.providers.gate.hold(Held::Requests),
            Self::Answer | Self::Commit => scene.providers.gate.hold(Held::Answers),
            Self::Committed | Self::Any => {}
        }
    }

    /// Waits until all refreshes are here.
    async fn is_reached(self, scene: &Scene) {
        let store = &scene.installation.store;
        let stalled = async || eventually("an update", async || store.is_stalled().then_some(())).await;
        match self {
            Self::Journal => stalled().await,
            Self::Request | Self::Answer => scene.providers.gate.has_stopped(ALL.len()).await,
            Self::Commit => {
                scene.providers.gate.has_stopped(ALL.len()).await;
                store.stall_updates("authorizations", "NEW.last_refreshed_at IS NOT NULL");
                scene.providers.gate.open();
                stalled().await;
            }
            Self::Committed => {
                let uncommitted = "authorizations WHERE last_refreshed_at IS NULL";
                eventually("the commits", async || (store.count(uncommitted) == 0).then_some(())).await;
            }
            Self::Any => any_moment_within(Duration::from_millis(300)).await,
        }
    }

    /// What stood in the way of a process that is dead by now.
    fn clear_the_way(self, scene: &Scene) {
        match self {
            Self::Journal | Self::Commit => scene.installation.store.end_stall(),
            Self::Request | Self::Answer => scene.providers.gate.turn_away(),
            Self::Committed | Self::Any => {}
        }
    }

    /// How often the provider was asked, by the time that there is a token again.
    fn is_asked(self, calls: usize) -> bool {
        match self {
            Self::Journal | Self::Request | Self::Committed => calls == 1,
            Self::Answer | Self::Commit => calls == 2,
            Self::Any => (1..=2).contains(&calls),
        }
    }

    /// Whether the grant outlives it. `None`: either may be.
    fn keeps_grant(self, model: &RefreshModel) -> Option<bool> {
        match self {
            Self::Answer | Self::Commit => Some(model.forgives_a_lost_answer),
            Self::Any if !model.forgives_a_lost_answer => None,
            Self::Journal | Self::Request | Self::Committed | Self::Any => Some(true),
        }
    }
}

/// A service with a provider of each model.
struct Scene {
    providers: Providers,
    installation: Installation,
    caller: Caller,
    registered: Vec<String>,
}

/// What a round has come to for one authorization.
struct Outcome {
    is_kept: bool,
    /// Until there was a token or the bad news, from the restart on.
    after: Duration,
}

async fn kill_again_and_again(store: StoreKind, step: Step) {
    let (scene, mut running) = Scene::on(store).await;
    let mut outcomes: BTreeMap<&str, Vec<Outcome>> = BTreeMap::new();
    for round in 0..rounds() {
        let links = scene.link(round).await;
        let asking = scene.refresh_until(step, &links).await;
        running.kill().await;
        for caller in asking {
            caller.await.unwrap();
        }
        step.clear_the_way(&scene);
        let begun = now();
        running = scene.installation.serve().await;
        let ends = links.iter().zip(ALL).map(|(id, model)| scene.outcome(step, model, id, begun));
        for (model, outcome) in ALL.iter().zip(join_all(ends).await) {
            outcomes.entry(model.name).or_default().push(outcome);
        }
    }
    tell(store, step, &outcomes);
}

impl Scene {
    async fn on(store: StoreKind) -> (Self, Running) {
        let providers = Providers::start().await;
        let mut installation = Installation::on(store);
        installation.set("TOKENS__REFRESH_LEASE", "1");
        // A rotating provider is asked again only when an answer to the first request cannot come any more.
        installation.set("TOKENS__UPSTREAM_LIMIT", "5");
        providers.stand_in(&mut installation);
        let caller = installation.caller(&installation.token("admin@acme.example", true));
        let running = installation.serve().await;
        let mut registered = Vec::new();
        for model in ALL {
            registered.push(providers.register(&caller, model).await);
        }
        (Self { providers, installation, caller, registered }, running)
    }

    /// Somebody new authorizes everywhere; returns the authorizations, whose tokens have expired.
    async fn link(&self, round: u32) -> Vec<String> {
        let mut links = Vec::new();
        for provider in &self.registered {
            links.push(self.caller.authorize_as(provider, &(2000 + round).to_string()).await);
        }
        self.installation.store.expire_access_tokens();
        self.providers.forget_calls();
        links
    }

    /// Somebody asks for a token of each, which takes a refresh, and all of these come to that step.
    async fn refresh_until(&self, step: Step, links: &[String]) -> Vec<JoinHandle<()>> {
        step.bar_the_way(self);
        let asking = links.iter().map(|id| {
            let request = self.caller.request_for_token(id, "?min_ttl=3600");
            tokio::spawn(async move {
                // Nobody may be left to answer.
                drop(request.send().await);
            })
        });
        let asking = asking.collect();
        step.is_reached(self).await;
        asking
    }

    /// Asks until there is a token or the grant is dead, and looks whether that is as it must be.
    async fn outcome(&self, step: Step, model: &RefreshModel, id: &str, begun: Instant) -> Outcome {
        let token = eventually("a token, or bad news", async || {
            let (status, body) = self.caller.access_token(id, "").await;
            match status {
                StatusCode::CREATED => Some(body["accessToken"].as_str().map(str::to_owned)),
                StatusCode::GONE => Some(None),
                _ => None,
            }
        })
        .await;
        let outcome = Outcome { is_kept: token.is_some(), after: now() - begun };
        let case = format!("{step:?}, {}", model.name);
        if let Some(kept) = step.keeps_grant(model) {
            assert_eq!(outcome.is_kept, kept, "{case}");
        }
        let stats = self.providers.site(model).stats();
        assert!(step.is_asked(stats.token_calls.len()), "{case}: {:?}", stats.token_calls);
        match token {
            Some(token) => self.lives(model, id, &token, &case).await,
            None => self.is_unavoidably_lost(model, id, &case).await,
        }
        outcome
    }

    /// The token is good, and so is the refresh token beside it.
    async fn lives(&self, model: &RefreshModel, id: &str, token: &str, case: &str) {
        assert!(self.providers.honours(model, token).await, "{case}: a valid token");
        let next = self.caller.lent(id, "?min_ttl=3600").await;
        assert_ne!(next, token, "{case}");
        assert!(self.providers.honours(model, &next).await, "{case}: another valid token");
        if !model.forgives_a_lost_answer {
            let calls = self.providers.site(model).stats().token_calls;
            assert!(calls.iter().all(|call| call.outcome == "ok"), "{case}: {calls:?}");
        }
    }

    /// The provider has replaced a refresh token that nobody got, and the service says so.
    async fn is_unavoidably_lost(&self, model: &RefreshModel, id: &str, case: &str) {
        assert!(!model.forgives_a_lost_answer, "{case}");
        assert_eq!(self.providers.refreshes(model), 1, "{case}");
        let (_, view) = self.caller.get(&format!("/authorizedProviders/{id}/")).await;
        assert_eq!((&view["status"], &view["statusReason"]), (&"expired".into(), &"rotation_lost".into()));
    }
}

/// One line of the table in `docs/soak.md` for each model.
fn tell(store: StoreKind, step: Step, outcomes: &BTreeMap<&str, Vec<Outcome>>) {
    for (model, outcomes) in outcomes {
        let kept = outcomes.iter().filter(|outcome| outcome.is_kept).count();
        let mut after: Vec<_> = outcomes.iter().map(|outcome| outcome.after.as_secs_f64()).collect();
        after.sort_by(f64::total_cmp);
        let (median, longest) = (after[after.len() / 2], after[after.len() - 1]);
        let lost = outcomes.len() - kept;
        println!("| {store:?} | {step:?} | {model} | {kept} | {lost} | {median:.1} | {longest:.1} |");
    }
}
