//! The HTTP server, on a thread of its own.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::thread;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};

use crate::shared::Shared;
use crate::{control, routes};

/// Threads that serve requests. More than one, so that calls really run at the same time.
const WORKERS: usize = 2;

/// Seconds that calls in flight get when the simulator stops.
const GRACE: u64 = 1;

/// The largest request body, in bytes: a form with the largest token, and to spare.
const LARGEST_BODY: usize = 256 * 1024;

/// Serves on the listener until the handle stops it.
///
/// A server of actix-web joins the runtime of whoever polls it, and behaves differently in its own runtime and in a
/// plain one. A thread with a runtime of its own makes that the same for every caller.
pub(crate) fn start(listener: TcpListener, shared: Arc<Shared>) -> io::Result<ServerHandle> {
    let (started, start) = mpsc::channel();
    thread::Builder::new().name("provider-simulator".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(started.send(Err(error))),
        };
        runtime.block_on(async {
            match server(listener, shared) {
                Ok(server) => {
                    // When the caller is gone already, the handle goes with it and nothing is left to serve for.
                    if started.send(Ok(server.handle())).is_ok() {
                        // The sockets are bound, and how the server ends is of interest to nobody any more.
                        drop(server.await);
                    }
                }
                Err(error) => drop(started.send(Err(error))),
            }
        });
    })?;
    start.recv().map_err(|_| io::Error::other("the thread of the simulated provider ended at its start"))?
}

fn server(listener: TcpListener, shared: Arc<Shared>) -> io::Result<Server> {
    let shared = web::Data::from(shared);
    let app = move || {
        App::new()
            .app_data(web::Data::clone(&shared))
            .app_data(web::PayloadConfig::new(LARGEST_BODY))
            .configure(routes::configure)
            .configure(control::configure)
    };
    let server = HttpServer::new(app).workers(WORKERS).shutdown_timeout(GRACE).disable_signals();
    Ok(server.listen(listener)?.run())
}
