//! Several processes over one PostgreSQL database, and a provider that outlives them.

use grantkeeper_provider_simulator::Simulator;

use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::simulated;
use crate::stores::StoreKind;

pub(crate) const REPLICAS: usize = 3;

pub(crate) struct Fleet {
    pub(crate) upstream: Simulator,
    pub(crate) installation: Installation,
    pub(crate) replicas: Vec<Running>,
    pub(crate) admin: Caller,
    pub(crate) member: Caller,
}

impl Fleet {
    pub(crate) async fn new() -> Self {
        Self::of(Installation::on(StoreKind::Postgres)).await
    }

    /// Processes that take whoever refreshes a token for dead when it is silent for a second.
    pub(crate) async fn with_short_leases() -> Self {
        let mut installation = Installation::on(StoreKind::Postgres);
        installation.set("TOKENS__REFRESH_LEASE", "1");
        Self::of(installation).await
    }

    pub(crate) async fn of(installation: Installation) -> Self {
        let admin = installation.caller(&installation.token("admin@acme.example", true));
        let member = installation.caller(&installation.token("member@acme.example", false));
        let replicas = installation.serve_replicas(REPLICAS).await;
        Self { upstream: simulated::provider(), installation, replicas, admin, member }
    }

    /// A caller at each process.
    pub(crate) fn everywhere(&self, caller: &Caller) -> Vec<Caller> {
        self.replicas.iter().map(|running| caller.at(running)).collect()
    }
}
