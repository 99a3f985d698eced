use std::sync::Arc;

use tokio::sync::{Notify, oneshot};

use super::*;

#[tokio::test]
async fn work_goes_on_when_nobody_waits_and_is_drained() {
    let tasks = BackgroundTasks::on_current_runtime();
    let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (done, is_done) = oneshot::channel();
    drop(tasks.start({
        let (go, gone) = (go.clone(), gone.clone());
        async move {
            gone.notify_one();
            go.notified().await;
            done.send(()).expect("the test waits");
        }
    }));
    gone.notified().await;
    go.notify_one();
    tasks.drain().await;
    is_done.await.unwrap();
    let again = tasks.start(async { 7 });
    assert_eq!(again.await, Ok(7), "it can be used after a drain");
}

#[tokio::test]
async fn a_panic_is_seen_by_whoever_waits_and_by_nobody_else() {
    let tasks = BackgroundTasks::on_current_runtime();
    let panicking = tasks.start(async { panic!("as the test wants it") });
    assert!(panicking.await.is_err());
    tasks.drain().await;
}
