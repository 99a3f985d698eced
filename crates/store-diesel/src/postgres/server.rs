//! The server, and connections to it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{RootCertStore, crypto};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Address, Protection};
use super::waiting::{CONNECT_LIMIT, LOCK_LIMIT_OF_LINES, STATEMENT_LIMIT, within};
use crate::OpenError;
use crate::failure::Failure;

/// Makes connections to one database.
pub(crate) struct Server {
    address: Address,
    tls: Option<MakeRustlsConnect>,
    lock_timeout: Duration,
}

/// A connection, and the task that moves its bytes.
pub(crate) struct Line {
    pub(crate) connection: AsyncPgConnection,
    driver: JoinHandle<()>,
}

impl Line {
    /// Whether the server is still there, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.driver.is_finished()
    }
}

impl Server {
    /// The server that a URL names. `lock_timeout` is how long a statement waits for a row that somebody else has locked.
    pub(crate) fn at(url: &str, lock_timeout: Duration) -> Result<Self, OpenError> {
        let address = Address::parse(url)?;
        let tls = match &address.protection {
            Protection::None => None,
            Protection::Tls { authorities } => {
                Some(tls(authorities.as_deref()).map_err(|source| OpenError::Authorities { source })?)
            }
        };
        Ok(Self { address, tls: tls.map(MakeRustlsConnect::new), lock_timeout })
    }

    /// What messages call the database.
    pub(crate) fn name(&self) -> String {
        self.address.name()
    }

    /// A new connection, driven by a task on the calling runtime.
    pub(crate) async fn connect(&self) -> Result<Line, Failure> {
        self.connect_with(&settings(self.lock_timeout)).await
    }

    /// Like [`Server::connect`], for reads by an index that others wait behind.
    pub(crate) async fn connect_for_reads(&self) -> Result<Line, Failure> {
        self.connect_with(&(settings(LOCK_LIMIT_OF_LINES) + PLANS_OF_LINES)).await
    }

    async fn connect_with(&self, settings: &str) -> Result<Line, Failure> {
        within(CONNECT_LIMIT, Box::pin(self.establish(settings))).await?.map_err(Failure::NoConnection)
    }

    async fn establish(&self, settings: &str) -> Result<Line, Box<dyn Error + Send + Sync>> {
        let (client, driver) = if let Some(tls) = &self.tls {
            let (client, connection) = self.address.config.connect(tls.clone()).await?;
            (client, tokio::spawn(drive(connection)))
        } else {
            let (client, connection) = self.address.config.connect(NoTls).await?;
            (client, tokio::spawn(drive(connection)))
        };
        let mut connection = AsyncPgConnection::try_from(client).await?;
        connection.batch_execute(settings).await?;
        Ok(Line { connection, driver })
    }
}

/// Moves the bytes of a connection until it ends.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::warn!(error = &error as &dyn Error, "a connection to PostgreSQL was lost");
    }
}

/// What a connection for reads by an index is set to besides. Each statement is planned once, for whatever it is asked:
/// left to itself, PostgreSQL takes a plan for two keys to be so much better than one for any number that it plans at each
/// execution, which costs more than the read. And the index is used however few rows there were when it was planned.
const PLANS_OF_LINES: &str = "; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off";

/// What every connection is set to.
fn settings(lock_timeout: Duration) -> String {
    let (lock, statement) = (lock_timeout.as_millis(), STATEMENT_LIMIT.as_millis());
    format!(
        // What others do meanwhile is seen by versions and locks, and needs no stronger isolation.
        "SET default_transaction_isolation = 'read committed';
         SET lock_timeout = {lock};
         SET statement_timeout = {statement};
         SET idle_in_transaction_session_timeout = {statement};
         -- Every query is short; but where no index serves, as for the canary, a line counts it as dear enough to be compiled.
         SET jit = off;
         -- A rotated refresh token exists nowhere else once the provider has answered: a commit is on disk before anyone
         -- hears of it. A stronger setting, for a synchronous replica, is left as it is.
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}

fn tls(authorities: Option<&std::path::Path>) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let Some(file) = authorities else {
        return Ok(builder.with_platform_verifier()?.with_no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file)? {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err(format!("{} holds no certificate", file.display()).into());
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
