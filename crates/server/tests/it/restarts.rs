//! A PostgreSQL server that crashes or is away while several processes hand out tokens and refresh them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use grantkeeper_provider_simulator::{Simulator, Stats};
use grantkeeper_testkit::postgres::PostgresCluster;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::simulated;
use crate::stores::Store;
use crate::unavailable::assert_unavailable;
use crate::waiting::{eventually, pause};

const REPLICAS: usize = 3;
const PEOPLE: usize = 4;
const CUSTOMERS_OF_EACH: usize = 2;

/// Processes over a server of their own, and callers who want new tokens all the time.
struct Scene {
    cluster: PostgresCluster,
    upstream: Simulator,
    installation: Installation,
    replicas: Vec<Running>,
    admin: Caller,
    member: Caller,
    authorizations: Vec<String>,
}

impl Scene {
    async fn new() -> Self {
        let cluster = PostgresCluster::start_durable();
        let installation = Installation::over(Store::Postgres(Arc::new(cluster.fresh_database())));
        installation.run(&["migrate"]);
        let admin = installation.caller(&installation.token("admin@acme.example", true));
        let member = installation.caller(&installation.token("member@acme.example", false));
        let replicas = installation.serve_replicas(REPLICAS).await;
        let upstream = simulated::provider();
        let provider = admin.register_simulated(&upstream).await;
        let mut authorizations = Vec::new();
        for person in 0..PEOPLE {
            authorizations.push(member.authorize_as(&provider, &name_of(person)).await);
        }
        Self { cluster, upstream, installation, replicas, admin, member, authorizations }
    }

    /// What must be true in the end, however often the server was away.
    async fn assert_nothing_was_lost(&mut self, lent: &BTreeMap<String, usize>) {
        for replica in &mut self.replicas {
            assert!(replica.is_alive(), "{}", self.installation.log());
        }
        assert!(!self.installation.log().contains("panicked"), "{}", self.installation.log());
        for id in &self.authorizations {
            let (_, view) = self.member.get(&format!("/authorizedProviders/{id}/")).await;
            assert_eq!(view["status"], "active", "{view}");
        }
        // A refresh that nobody waits for any more may still be on its way into the store.
        let known = "audit_entries WHERE action = 'token.refreshed' AND outcome = 'done'";
        eventually("every refresh to be known", async || {
            let made = simulated::refreshes(&self.upstream.stats());
            (self.installation.store.count(known) == made).then_some(())
        })
        .await;
        let stats = self.upstream.stats();
        simulated::assert_nothing_was_sent_twice(&stats);
        assert_eq!(calls_that_failed(&stats), 0, "{:?}", stats.token_calls);
        for (token, person) in lent {
            let owner = simulated::owner(&self.upstream, token).await;
            assert_eq!(owner, Some(name_of(*person)), "a token of somebody else's, or of nobody's");
        }
    }
}

fn name_of(person: usize) -> String {
    format!("person-{person}")
}

fn calls_that_failed(stats: &Stats) -> usize {
    stats.token_calls.iter().filter(|call| call.outcome != "ok").count()
}

/// Somebody who wants a new token all the time, now for one person and now for another.
struct Customer {
    caller: Caller,
    authorizations: Vec<String>,
    stop: Arc<AtomicBool>,
    /// How many tokens their process has handed out.
    served: Arc<AtomicUsize>,
    lent: Lent,
}

/// Whose each token is.
type Lent = Arc<Mutex<BTreeMap<String, usize>>>;

impl Customer {
    async fn go_on(self, first: usize) {
        let mut person = first;
        while !self.stop.load(Ordering::Relaxed) {
            match self.new_token(&self.authorizations[person]).await {
                Some(token) => {
                    self.lent.lock().unwrap().insert(token, person);
                    self.served.fetch_add(1, Ordering::Relaxed);
                }
                None => pause().await,
            }
            person = (person + 1) % self.authorizations.len();
        }
    }

    /// `None`: the store is away. There is no other reason for not giving one.
    async fn new_token(&self, id: &str) -> Option<String> {
        let answer = self.caller.request_for_token(id, "?min_ttl=3600").send().await.unwrap();
        if answer.status() != StatusCode::CREATED {
            assert_unavailable(answer).await;
            return None;
        }
        let lent: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        Some(lent["accessToken"].as_str().unwrap().to_owned())
    }
}

/// Customers of all processes.
struct Load {
    stop: Arc<AtomicBool>,
    served: Vec<Arc<AtomicUsize>>,
    lent: Lent,
    customers: Vec<JoinHandle<()>>,
}

impl Load {
    fn on(scene: &Scene) -> Self {
        let (stop, lent) = (Arc::new(AtomicBool::new(false)), Lent::default());
        let served: Vec<Arc<AtomicUsize>> = scene.replicas.iter().map(|_| Arc::default()).collect();
        let mut customers = Vec::new();
        for (replica, served) in scene.replicas.iter().zip(&served) {
            for first in 0..CUSTOMERS_OF_EACH {
                let customer = Customer {
                    caller: scene.member.at(replica),
                    authorizations: scene.authorizations.clone(),
                    stop: Arc::clone(&stop),
                    served: Arc::clone(served),
                    lent: Arc::clone(&lent),
                };
                customers.push(tokio::spawn(customer.go_on(first)));
            }
        }
        Self { stop, served, lent, customers }
    }

    /// Waits until each process has handed out so many more tokens.
    async fn goes_on(&self, more: usize) {
        let tokens = || self.served.iter().map(|served| served.load(Ordering::Relaxed));
        let wanted: Vec<_> = tokens().map(|served| served + more).collect();
        eventually("more tokens everywhere", async || {
            assert!(self.customers.iter().all(|customer| !customer.is_finished()), "a wrong answer");
            tokens().zip(&wanted).all(|(served, wanted)| served >= *wanted).then_some(())
        })
        .await;
    }

    async fn end(self) -> BTreeMap<String, usize> {
        self.stop.store(true, Ordering::Relaxed);
        for customer in self.customers {
            customer.await.unwrap();
        }
        std::mem::take(&mut self.lent.lock().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_under_load_costs_no_token_and_no_restart_of_ours() {
    let mut scene = Scene::new().await;
    let load = Load::on(&scene);
    for _ in 0..3 {
        load.goes_on(10).await;
        scene.cluster.restart();
    }
    load.goes_on(10).await;
    for replica in &scene.replicas {
        assert_eq!(replica.get("/readyz").await.0, StatusCode::OK);
    }
    let lent = load.end().await;
    scene.assert_nothing_was_lost(&lent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_for_a_while_is_told_of_and_waited_for() {
    let mut scene = Scene::new().await;
    let load = Load::on(&scene);
    load.goes_on(10).await;
    scene.cluster.stop();
    for replica in &scene.replicas {
        let (status, told) = replica.get("/readyz").await;
        assert_eq!((status, &told["failed"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(["store"])), "{told}");
        assert_eq!(replica.get("/healthz").await.0, StatusCode::OK, "the process itself is well");
        for path in ["/providers/", "/authorizedProviders/", "/jobs/"] {
            let answer = scene.admin.at(replica).request(Method::GET, path).send().await.unwrap();
            assert_unavailable(answer).await;
        }
        let id = &scene.authorizations[0];
        let member = scene.member.at(replica);
        let answer = eventually("what was read a moment ago to be forgotten", async || {
            let answer = member.request_for_token(id, "").send().await.unwrap();
            (answer.status() != StatusCode::CREATED).then_some(answer)
        })
        .await;
        assert_unavailable(answer).await;
    }
    scene.cluster.start_again();
    for replica in &scene.replicas {
        eventually("the process to be ready", async || {
            (replica.get("/readyz").await.0 == StatusCode::OK).then_some(())
        })
        .await;
    }
    load.goes_on(10).await;
    let lent = load.end().await;
    scene.assert_nothing_was_lost(&lent).await;
}
