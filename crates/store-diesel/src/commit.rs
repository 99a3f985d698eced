//! Commits: all changes in one transaction, or none.

use async_trait::async_trait;
use grantkeeper_domain::{Change, CommitError, Row, UnitOfWork};

use crate::DieselStore;
use crate::audit;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::rows::Versioned;

#[async_trait]
impl UnitOfWork for DieselStore {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        // The hot path: a hand-out writes down that it happened, and nothing else.
        if let [Change::Audit(entry)] = changes.as_slice() {
            self.database.execute(audit::append(entry)).await?;
        } else {
            self.database.write(|c| Box::pin(apply_all(changes, c))).await?;
        }
        Ok(())
    }
}

async fn apply_all(changes: Vec<Change>, c: &mut Connection<'_>) -> Result<(), Failure> {
    for change in &changes {
        apply(change, c).await?;
    }
    Ok(())
}

async fn apply(change: &Change, c: &mut Connection<'_>) -> Result<(), Failure> {
    match change {
        Change::Insert(row) => wrote_one(versioned(row).insert(c).await?, Failure::IdTaken),
        Change::Update(row) => {
            let row = versioned(row);
            wrote_one(row.replace(row.version(), c).await?, Failure::Conflict)
        }
        Change::Delete(row) => wrote_one(versioned(row).remove(c).await?, Failure::Conflict),
        Change::Audit(entry) => wrote_one(c.execute(audit::append(entry)).await?, Failure::IdTaken),
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
