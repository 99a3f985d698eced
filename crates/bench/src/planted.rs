//! A database of people and authorizations whose tokens are valid for long.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::load::{Asking, Connections, HandOuts};
use crate::options::{DatabaseServer, StoreKind};
use crate::place::Place;
use crate::population::Population;
use crate::postgres::{Pgbench, copy_authorizations};
use crate::rounds::say;
use crate::seeds::{Known, Seeds, Upstream, never};
use crate::sequence::Sequence;

/// The database, and what one has to know to ask for tokens in it.
pub(crate) struct Planted {
    /// Where it is.
    pub(crate) place: Place,
    /// Who is in it.
    pub(crate) population: Population,
    api_tokens: Arc<[String]>,
    known: Known,
}

impl Planted {
    /// Makes a database and fills it; no refresh is due as long as anybody looks. The same population gives the same
    /// database every time.
    pub(crate) fn new(
        store: StoreKind,
        server: &DatabaseServer,
        population: Population,
    ) -> Result<Self, Failure> {
        Self::scheduled(store, server, population, |_| never())
    }

    /// The same with refreshes that are due when the authorization's number says.
    pub(crate) fn scheduled(
        store: StoreKind,
        server: &DatabaseServer,
        population: Population,
        due: fn(u64) -> DateTime<Utc>,
    ) -> Result<Self, Failure> {
        let random = Arc::new(Sequence::new(population.authorizations));
        let place = Place::for_population(store, server, population, &random)?;
        say(&format!("seeding {} with {} authorizations", store.name(), population.authorizations));
        let key = place.installation.key()?;
        // The store's connections end with it.
        let runtime = Runtime::new()?;
        let seeds = runtime.block_on(async {
            let store = Arc::new(place.open().await?);
            let seeds = Seeds::plant(&store, key, random, population, Upstream::MadeUp).await?;
            if place.postgres.is_none() {
                seeds.commit_authorizations(&store, due).await?;
            }
            Ok::<_, Failure>(seeds)
        })?;
        if let Some(database) = &place.postgres {
            copy_authorizations(database, &runtime, &seeds, population, due)?;
        }
        let known = seeds.known().ok_or("there is no account")?;
        Ok(Self { place, population, api_tokens: seeds.api_tokens(), known })
    }

    /// What to ask of a web server over it. `always` is the one authorization whose token is in all of the server's answers.
    pub(crate) fn hand_outs(
        &self,
        address: SocketAddr,
        asking: Asking,
        always: Option<u64>,
    ) -> Arc<HandOuts> {
        Arc::new(HandOuts {
            address,
            population: self.population,
            asking,
            api_tokens: Arc::clone(&self.api_tokens),
            always,
        })
    }

    /// Any of so many authorizations, where there are as many.
    pub(crate) fn any_of(&self, authorizations: u64) -> Asking {
        Asking::AtRandom(authorizations.min(self.population.authorizations))
    }

    /// What `pgbench` makes of it; `None` where it is not on PostgreSQL.
    pub(crate) fn pgbench(
        &self,
        name: &'static str,
        connections: Connections,
    ) -> Result<Option<Pgbench>, Failure> {
        let prepare = |database| {
            let folder = self.place.installation.folder();
            Pgbench::prepare(name, database, folder, self.population, &self.known, connections)
        };
        self.place.postgres.as_ref().map(prepare).transpose()
    }
}
