//! A REST API that answers as a test wants it to, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grantkeeper_domain::providers::{ProviderClient, ProviderClients, ProviderConnection, ProviderKind};
use grantkeeper_domain::services::Clock;
use grantkeeper_provider_clients::ProviderDirectory;
use grantkeeper_testkit::{FixedClock, entities};
use tokio::io::AsyncWriteExt;

use crate::hostile::Server;
use crate::world::{LONGEST_PAUSE, connection, loopback_settings};

/// An answer: the status with what headers there are, each on a line of its own, and the body.
pub(crate) type Scripted = (&'static str, String);

/// The API, a client of it, and the clock that the client pauses by.
pub(crate) struct ScriptedApi {
    pub(crate) client: Arc<dyn ProviderClient>,
    pub(crate) clock: Arc<FixedClock>,
    server: Server,
    requests: Arc<Mutex<Vec<(String, String)>>>,
}

impl ScriptedApi {
    /// Answers every request by its method and path (without the query), and by how often it came before.
    pub(crate) async fn of(
        kind: ProviderKind,
        answer: impl Fn(&str, usize) -> Scripted + Send + Sync + 'static,
    ) -> Self {
        let requests: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let answer = Arc::new(answer);
        let noted = Arc::clone(&requests);
        let server = Server::start(move |mut stream, request| {
            let what = what(&request);
            let before = {
                let mut noted = noted.lock().unwrap();
                let before = noted.iter().filter(|(earlier, _)| *earlier == what).count();
                noted.push((what.clone(), request));
                before
            };
            let answer = Arc::clone(&answer);
            async move {
                let (head, body) = answer(&what, before);
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        })
        .await;
        let clock = FixedClock::passing_pauses(LONGEST_PAUSE);
        let directory =
            ProviderDirectory::new(loopback_settings(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        Self { client: directory.client(kind).unwrap(), clock, server, requests }
    }

    /// A connection to a provider of this issuer, all of whose endpoints are here.
    pub(crate) fn connection(&self, issuer: &str) -> ProviderConnection {
        let at = |path: &str| format!("{}{path}", self.server.url).parse().unwrap();
        let mut endpoints = entities::endpoints("provider.example");
        issuer.clone_into(&mut endpoints.issuer);
        (endpoints.api, endpoints.token) = (Some(at("")), at("/token"));
        endpoints.introspection = Some(at("/introspect"));
        connection(endpoints, "secret")
    }

    /// How often each method and path was asked for.
    pub(crate) fn asked(&self) -> BTreeMap<String, usize> {
        let mut asked = BTreeMap::new();
        for (what, _) in &*self.requests.lock().unwrap() {
            *asked.entry(what.clone()).or_default() += 1;
        }
        asked
    }

    /// The whole of the last request for that.
    pub(crate) fn last(&self, wanted: &str) -> String {
        let requests = self.requests.lock().unwrap();
        let last = requests.iter().rev().find(|(what, _)| what == wanted);
        last.map(|(_, request)| request.clone()).expect("it was asked for")
    }

    /// How long the client has paused.
    pub(crate) fn paused(&self) -> Duration {
        (self.clock.now() - entities::START).to_std().unwrap()
    }
}

/// The method and the path.
fn what(request: &str) -> String {
    let line = request.lines().next().unwrap_or_default();
    let (method, target) = line.split_once(' ').unwrap_or_default();
    let path = target.split([' ', '?']).next().unwrap_or_default();
    format!("{method} {path}")
}
