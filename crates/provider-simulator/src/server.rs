//! The HTTP server, on a thread of its own.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer, web};

use crate::control;
use crate::shared::Sites;

/// Longer than any client of a test keeps a connection: one that is closed just as it is used again would look like a
/// fault that nobody has set.
const KEEP_ALIVE: Duration = Duration::from_secs(600);

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
pub(crate) fn start(listener: TcpListener, sites: Arc<Sites>) -> io::Result<ServerHandle> {
    let (started, start) = mpsc::channel();
    thread::Builder::new().name("provider-simulator".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(started.send(Err(error))),
        };
        runtime.block_on(async {
            match server(listener, &sites) {
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

fn server(listener: TcpListener, sites: &Arc<Sites>) -> io::Result<Server> {
    let sites = Data::from(Arc::clone(sites));
    let app = move || {
        App::new()
            .app_data(Data::clone(&sites))
            .app_data(Data::from(Arc::clone(sites.oidc())))
            .app_data(web::PayloadConfig::new(LARGEST_BODY))
            .configure(|app| mount(app, &sites))
            .configure(|app| control::configure(app, &sites))
    };
    // No timeout for requests: it is computed from a clock that stands still while a worker makes a key, and a busy machine
    // would see 408s that nobody has set.
    let server =
        HttpServer::new(app).workers(WORKERS).keep_alive(KEEP_ALIVE).client_request_timeout(Duration::ZERO);
    let server = server.shutdown_timeout(GRACE).disable_signals();
    Ok(server.listen(listener)?.run())
}

/// Adds the endpoints of every site below its mounts, each with the state of its site.
fn mount(app: &mut ServiceConfig, sites: &Sites) {
    for (row, shared) in sites.iter() {
        for mount in row.mounts {
            if mount.path.is_empty() {
                app.configure(mount.routes);
            } else {
                let state = Data::from(Arc::clone(shared));
                app.service(web::scope(mount.path).app_data(state).configure(mount.routes));
            }
        }
    }
}
