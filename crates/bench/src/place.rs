//! Where a database is: on either store, in an installation of its own.

use std::path::PathBuf;

use grantkeeper_store_diesel::{DieselStore, OpenOptions};

use crate::disk;
use crate::failure::Failure;
use crate::installation::Installation;
use crate::options::{DatabaseServer, StoreKind};
use crate::population::Population;
use crate::postgres::{Database, ServerSettings};
use crate::sequence::Sequence;

/// A database without anything in it, with the key that its secrets will be sealed under. It goes when this does.
pub(crate) struct Place {
    /// The key, and where logs go.
    pub(crate) installation: Installation,
    /// Where it is not a file of the installation.
    pub(crate) postgres: Option<Database>,
}

impl Place {
    /// Makes one, in which there is room for so many authorizations.
    pub(crate) fn for_population(
        store: StoreKind,
        server: &DatabaseServer,
        population: Population,
        random: &Sequence,
    ) -> Result<Self, Failure> {
        let installation = Installation::new(random)?;
        let postgres = match store {
            StoreKind::Sqlite => None,
            StoreKind::Postgres => {
                let url = server.postgres.as_ref().ok_or("--postgres has to name a server")?;
                Some(Database::create(&server.psql, url)?)
            }
        };
        let place = Self { installation, postgres };
        if let Some(folder) = place.data_folder() {
            disk::check_room(&folder, population)?;
        }
        Ok(place)
    }

    /// The URL of the database, password included.
    pub(crate) fn url(&self) -> String {
        match &self.postgres {
            Some(database) => database.url().into(),
            None => self.installation.sqlite_url(),
        }
    }

    /// Opens the store, and brings its schema up to date.
    pub(crate) async fn open(&self) -> Result<DieselStore, Failure> {
        let options = OpenOptions { migrate: true, ..OpenOptions::default() };
        Ok(DieselStore::open(&self.url(), options).await?)
    }

    /// The first process of the database server, where that has processes of its own.
    pub(crate) fn process(&self) -> Option<u32> {
        self.postgres.as_ref()?.process()
    }

    /// How the database server is set, where there is one.
    pub(crate) fn settings(&self) -> Result<Option<ServerSettings>, Failure> {
        self.postgres.as_ref().map(Database::settings).transpose()
    }

    /// Where the data are; `None` where that is on another machine.
    fn data_folder(&self) -> Option<PathBuf> {
        match &self.postgres {
            Some(database) => database.data_folder(),
            None => Some(self.installation.folder().to_owned()),
        }
    }
}
