//! What one process is told counts at every other within a second, however often that one has just handed out a token.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::callers::Caller;
use crate::fleet::Fleet;
use crate::waiting::{eventually, now};

/// What is promised.
const BOUND: Duration = Duration::from_secs(1);
/// How many ask at the other process all the time.
const CUSTOMERS: usize = 4;
/// How many tokens they have when something changes, and how often they are refused for good before they believe it.
const ENOUGH: usize = 40;

/// Customers of the other process.
struct Customers {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    calls: Arc<Mutex<Vec<(Instant, StatusCode)>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Customers {
    /// They ask again and again, and have got enough tokens by the time that this returns.
    async fn of(caller: &Caller, id: &str) -> Self {
        let (stop, served, calls) =
            (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default(), Arc::default());
        let tasks = (0..CUSTOMERS).map(|_| {
            let (stop, served, calls) = (Arc::clone(&stop), Arc::clone(&served), Arc::clone(&calls));
            let (caller, id) = (caller.clone(), id.to_owned());
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let begun = now();
                    let (status, _) = caller.access_token(&id, "").await;
                    if status == StatusCode::CREATED {
                        served.fetch_add(1, Ordering::SeqCst);
                    }
                    let calls: &Mutex<Vec<_>> = &calls;
                    calls.lock().unwrap().push((begun, status));
                }
            })
        });
        let customers = Self { tasks: tasks.collect(), stop, served, calls };
        eventually("tokens", async || (customers.served.load(Ordering::SeqCst) >= ENOUGH).then_some(()))
            .await;
        customers
    }

    /// They are refused in this way, all those who came later than a second after the change was made.
    async fn are_refused(self, changed: Instant, refusal: StatusCode) {
        let late = |calls: &[(Instant, StatusCode)]| -> Vec<StatusCode> {
            let late = calls.iter().filter(|(begun, _)| *begun > changed + BOUND);
            late.map(|(_, status)| *status).collect()
        };
        let enough = || (late(&self.calls.lock().unwrap()).len() >= ENOUGH).then_some(());
        eventually("late customers", async || enough()).await;
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap();
        }
        let late = late(&self.calls.lock().unwrap());
        assert!(late.iter().all(|status| *status == refusal), "{late:?}");
    }
}

/// One process that is told, and another with customers.
struct Scene {
    fleet: Fleet,
    provider: String,
    id: String,
    elsewhere: Caller,
}

impl Scene {
    async fn new() -> Self {
        let fleet = Fleet::new().await;
        let provider = fleet.admin.register_simulated(&fleet.upstream).await;
        let id = fleet.member.authorize_unattended(&provider).await;
        let elsewhere = fleet.member.at(&fleet.replicas[1]);
        Self { fleet, provider, id, elsewhere }
    }

    async fn customers(&self) -> Customers {
        Customers::of(&self.elsewhere, &self.id).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_that_was_revoked_is_refused() {
    let scene = Scene::new().await;
    let customers = scene.customers().await;
    let installation = &scene.fleet.installation;
    let listed = installation.run(&["token", "list", "--account", "member@acme.example"]);
    installation.run(&["token", "revoke", listed["tokens"][0]["id"].as_str().unwrap()]);
    customers.are_refused(now(), StatusCode::UNAUTHORIZED).await;
    for admin in scene.fleet.everywhere(&scene.fleet.admin) {
        assert_eq!(admin.get("/providers/").await.0, StatusCode::OK, "another's token goes on working");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_that_was_deleted_is_gone() {
    let scene = Scene::new().await;
    let customers = scene.customers().await;
    // Here it has been read a moment ago, too, and here it is gone at once.
    scene.fleet.member.lent(&scene.id, "").await;
    let deleted = scene.fleet.member.delete(&format!("/authorizedProviders/{}/", scene.id)).await;
    assert_eq!(deleted.0, StatusCode::NO_CONTENT);
    let changed = now();
    assert_eq!(scene.fleet.member.access_token(&scene.id, "").await.0, StatusCode::NOT_FOUND);
    customers.are_refused(changed, StatusCode::NOT_FOUND).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_was_paused_lends_nothing() {
    let scene = Scene::new().await;
    let customers = scene.customers().await;
    scene.fleet.member.lent(&scene.id, "").await;
    let path = format!("/providers/{}/", scene.provider);
    let paused = scene.fleet.admin.patch_json(&path, &json!({ "status": "inactive" })).await;
    assert_eq!(paused.0, StatusCode::OK, "{}", paused.1);
    let changed = now();
    assert_eq!(scene.fleet.member.access_token(&scene.id, "").await.0, StatusCode::FORBIDDEN);
    customers.are_refused(changed, StatusCode::FORBIDDEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_was_deleted_is_gone() {
    let scene = Scene::new().await;
    let customers = scene.customers().await;
    scene.fleet.member.lent(&scene.id, "").await;
    let job = scene.fleet.admin.delete_provider(&scene.provider).await;
    let changed = now();
    assert_eq!(scene.fleet.member.access_token(&scene.id, "").await.0, StatusCode::NOT_FOUND);
    customers.are_refused(changed, StatusCode::NOT_FOUND).await;
    assert_eq!(scene.fleet.admin.finished(&job).await["status"], "COMPLETED");
}
