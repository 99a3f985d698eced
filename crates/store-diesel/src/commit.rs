//! Commits: all changes in one transaction, or none.

use async_trait::async_trait;
use diesel::SqliteConnection;
use grantkeeper_domain::{Change, CommitError, Row, UnitOfWork};

use crate::DieselStore;
use crate::audit;
use crate::failure::Failure;
use crate::rows::Versioned;

#[async_trait]
impl UnitOfWork for DieselStore {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let work = move |c: &mut SqliteConnection| changes.iter().try_for_each(|change| apply(change, c));
        Ok(self.sqlite.write(work).await?)
    }
}

fn apply(change: &Change, c: &mut SqliteConnection) -> Result<(), Failure> {
    match change {
        Change::Insert(row) => wrote_one(versioned(row).insert(c)?, Failure::IdTaken),
        Change::Update(row) => {
            let row = versioned(row);
            wrote_one(row.replace(row.version(), c)?, Failure::Conflict)
        }
        Change::Delete(row) => wrote_one(versioned(row).remove(c)?, Failure::Conflict),
        Change::Audit(entry) => Ok(audit::append(entry, c)?),
    }
}

fn wrote_one(rows: usize, otherwise: Failure) -> Result<(), Failure> {
    if rows == 1 { Ok(()) } else { Err(otherwise) }
}

fn versioned(row: &Row) -> &dyn Versioned {
    match row {
        Row::Organization(row) => row,
        Row::Account(row) => row,
        Row::ApiToken(row) => row,
        Row::Provider(row) => row.as_ref(),
        Row::Authorization(row) => row.as_ref(),
        Row::Flow(row) => row.as_ref(),
        Row::Job(row) => row.as_ref(),
        Row::Revocation(row) => row.as_ref(),
    }
}
