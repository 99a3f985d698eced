//! The simulated provider, as a process of its own.

use std::io::{Read as _, stdin};
use std::net::SocketAddr;

use grantkeeper_domain::Secret;
use grantkeeper_provider_simulator::{Simulator, SimulatorOptions};
use serde::Deserialize;
use tokio::runtime;
use url::Url;

use crate::child::Server;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::installation::Installation;

/// Not `openid`: the signature of an ID token would cost the provider more than all the rest.
const SCOPE: &str = "profile offline_access";

/// A provider that runs until this is dropped.
pub(super) struct Provider {
    server: Server,
}

/// The tokens of a grant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grant {
    access_token: String,
    refresh_token: String,
}

impl Grant {
    /// Its first access token, and its first refresh token.
    pub(super) fn into_secrets(self) -> (Secret, Secret) {
        (Secret::new(self.access_token), Secret::new(self.refresh_token))
    }

    /// Its first refresh token.
    pub(super) fn into_refresh_token(self) -> String {
        self.refresh_token
    }
}

#[derive(Deserialize)]
struct Given {
    grants: Vec<Grant>,
}

impl Provider {
    /// Starts one.
    pub(super) fn start(installation: &Installation) -> Result<Self, Failure> {
        Ok(Self { server: installation.provider()? })
    }

    /// Its origin, and its issuer.
    pub(super) fn url(&self) -> Result<Url, Failure> {
        Ok(Url::parse(&format!("http://{}", self.address()))?)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.server.id()
    }

    /// So many grants to a client.
    pub(super) fn grants(&self, client_id: &str, count: u64) -> Result<Vec<Grant>, Failure> {
        let order = serde_json::json!({ "clientId": client_id, "scope": SCOPE, "count": count }).to_string();
        let request = format!(
            "POST /control/grants HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{order}",
            self.address(),
            order.len()
        );
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async {
            let mut connection = Connection::open(self.address())?;
            let read = |answer: &crate::http::Answer<'_>| -> Result<Vec<Grant>, Failure> {
                if answer.status != 200 {
                    return Err(format!("the provider gives no grants: {}", answer.status).into());
                }
                Ok(serde_json::from_slice::<Given>(&answer.body)?.grants)
            };
            Ok(connection.ask(request.as_bytes(), read).await?.1)
        })
    }
}

/// Serves until standard input ends.
pub(crate) fn serve() -> Result<(), Failure> {
    let simulator = Simulator::start(SimulatorOptions::default())?;
    println!("{}", serde_json::json!({ "listening": simulator.url() }));
    // Whatever comes, or fails to: the end of it is the end.
    let _ = stdin().read_to_end(&mut Vec::new());
    Ok(())
}
