//! What reads leave behind.
//!
//! Two processes that write at once lock the rows they share in the order of their ids, so that neither waits for the other
//! for ever.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::ids::{ApiTokenId, AuthorizationId};
use grantkeeper_domain::tokens::{UseLog, UsedAuthorization, Uses};

use crate::DieselStore;
use crate::audit::HandOuts;
use crate::columns::{Id, IdColumn, Time, TimeColumn};
use crate::connection::{Batch, Connection};
use crate::failure::Failure;
use crate::schema::{api_tokens, refreshes};
use crate::unnest::{ChangeInOrder, Changes, unnested};

#[async_trait]
impl UseLog for DieselStore {
    async fn note_uses(&self, uses: &Uses) -> Result<(), StoreError> {
        let hand_outs = HandOuts::of(&uses.hand_outs);
        let tokens = UsedTokens::of(&uses.api_tokens);
        let authorizations = UsedAuthorizations::of(&uses.authorizations);
        if hand_outs.is_empty() && tokens.0.is_empty() && authorizations.0.is_empty() {
            return Ok(());
        }
        self.write(move |c| Box::pin(note(hand_outs, tokens, authorizations, c))).await
    }
}

async fn note(
    hand_outs: HandOuts,
    tokens: UsedTokens,
    authorizations: UsedAuthorizations,
    c: &mut Connection<'_>,
) -> Result<(), Failure> {
    if !hand_outs.is_empty() {
        c.write(hand_outs).await?;
    }
    if !tokens.0.is_empty() {
        c.write(tokens).await?;
    }
    if !authorizations.0.is_empty() {
        c.write(authorizations).await?;
    }
    Ok(())
}

/// An API token that was used.
struct UsedToken {
    id: Id,
    at: Time,
}

unnested! {
    /// API tokens that were used, column by column.
    struct TokenColumns of UsedToken {
        id: Id as IdColumn,
        at: Time as TimeColumn,
    }
}

/// API tokens that were used, in the order of their ids, each once.
pub(crate) struct UsedTokens(Vec<UsedToken>);

impl UsedTokens {
    pub(crate) fn of(uses: &[(ApiTokenId, DateTime<Utc>)]) -> Self {
        let mut last = BTreeMap::new();
        for (id, at) in uses {
            let known = last.entry(*id).or_insert(*at);
            *known = (*known).max(*at);
        }
        Self(last.into_iter().map(|(id, at)| UsedToken { id: id.into(), at: Time(at) }).collect())
    }
}

impl Batch for UsedTokens {
    type Statement = ChangeInOrder<TokenColumns>;

    fn statement(self) -> Self::Statement {
        ChangeInOrder::of(TokenColumns::of(self.0))
    }

    fn write_each(self, c: &mut SqliteConnection) -> QueryResult<()> {
        for used in self.0 {
            let is_older = api_tokens::last_used_at.is_null().or(api_tokens::last_used_at.lt(used.at));
            let token = api_tokens::table.filter(api_tokens::id.eq(used.id)).filter(is_older);
            diesel::update(token).set(api_tokens::last_used_at.eq(used.at)).execute(c)?;
        }
        Ok(())
    }
}

impl Changes for TokenColumns {
    const TABLE: &'static str = "api_tokens";
    const KEY: &'static str = "id";
    const SET: &'static str = "last_used_at = greatest(stored.last_used_at, given.at)";
}

/// An authorization that was used.
struct UsedRow {
    id: Id,
    at: Time,
    due_at: Option<Time>,
}

unnested! {
    /// Authorizations that were used, column by column.
    struct AuthorizationColumns of UsedRow {
        id: Id as IdColumn,
        at: Time as TimeColumn,
        due_at: Option<Time> as Nullable<TimeColumn>,
    }
}

/// Authorizations that were used, in the order of their ids, each once.
pub(crate) struct UsedAuthorizations(Vec<UsedRow>);

impl UsedAuthorizations {
    pub(crate) fn of(uses: &[UsedAuthorization]) -> Self {
        let mut last = BTreeMap::<AuthorizationId, UsedAuthorization>::new();
        for used in uses {
            let known = last.entry(used.id).or_insert(*used);
            known.at = known.at.max(used.at);
            known.due_at = known.due_at.into_iter().chain(used.due_at).min();
        }
        let row = |used: UsedAuthorization| UsedRow {
            id: used.id.into(),
            at: Time(used.at),
            due_at: used.due_at.map(Time),
        };
        Self(last.into_values().map(row).collect())
    }
}

impl Batch for UsedAuthorizations {
    type Statement = ChangeInOrder<AuthorizationColumns>;

    fn statement(self) -> Self::Statement {
        ChangeInOrder::of(AuthorizationColumns::of(self.0))
    }

    fn write_each(self, c: &mut SqliteConnection) -> QueryResult<()> {
        for used in self.0 {
            let row = refreshes::table.filter(refreshes::authorization_id.eq(used.id));
            let is_older = refreshes::last_used_at.is_null().or(refreshes::last_used_at.lt(used.at));
            diesel::update(row.filter(is_older)).set(refreshes::last_used_at.eq(used.at)).execute(c)?;
            if let Some(due_at) = used.due_at {
                let is_later = refreshes::due_at.is_null().or(refreshes::due_at.gt(due_at));
                diesel::update(row.filter(is_later)).set(refreshes::due_at.eq(due_at)).execute(c)?;
            }
        }
        Ok(())
    }
}

/// `least` and `greatest` pass over what is null.
impl Changes for AuthorizationColumns {
    const TABLE: &'static str = "refreshes";
    const KEY: &'static str = "authorization_id";
    const SET: &'static str = "last_used_at = greatest(stored.last_used_at, given.at),
                               due_at = least(stored.due_at, given.due_at)";
}
