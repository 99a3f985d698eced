//! Column types that every database can keep, each under its own type: ids, times and JSON.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, SqlType, Text};
use diesel::sqlite::Sqlite;
use grantkeeper_domain::ids::{
    AccountId, ApiTokenId, AuditId, AuthorizationId, CredentialId, DataKeyId, FlowId, JobId, OrganizationId,
    ProviderId, RevocationId,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A UUID: 16 bytes on SQLite.
#[derive(Clone, Copy, Debug, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Binary"))]
pub struct IdColumn;

/// A time: microseconds since 1970 on SQLite, so that times compare as numbers.
#[derive(Clone, Copy, Debug, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
pub struct TimeColumn;

/// A JSON document: text on SQLite.
#[derive(Clone, Copy, Debug, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Text"))]
pub struct JsonColumn;

/// An id of whatever noun.
#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = IdColumn)]
pub(crate) struct Id(Uuid);

impl ToSql<IdColumn, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<IdColumn, Sqlite> for Id {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self(Uuid::from_slice(&bytes)?))
    }
}

macro_rules! ids {
    ($($id:ident),+ $(,)?) => {$(
        impl From<$id> for Id {
            fn from(id: $id) -> Self {
                Self(id.as_uuid())
            }
        }

        impl From<Id> for $id {
            fn from(id: Id) -> Self {
                Self::from_uuid(id.0)
            }
        }
    )+};
}

ids! {
    AccountId, ApiTokenId, AuditId, AuthorizationId, CredentialId, DataKeyId, FlowId, JobId, OrganizationId,
    ProviderId, RevocationId,
}

/// A time, in whole microseconds.
#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = TimeColumn)]
pub(crate) struct Time(pub(crate) DateTime<Utc>);

impl From<DateTime<Utc>> for Time {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl From<Time> for DateTime<Utc> {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl ToSql<TimeColumn, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.timestamp_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<TimeColumn, Sqlite> for Time {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Self(DateTime::from_timestamp_micros(micros).ok_or("a time out of range")?))
    }
}

/// A value that is kept as JSON, where no query looks inside.
#[derive(Clone, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = JsonColumn)]
pub(crate) struct Json<T: Debug>(pub(crate) T);

impl<T: Debug + Serialize> ToSql<JsonColumn, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: Debug + DeserializeOwned> FromSql<JsonColumn, Sqlite> for Json<T> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        // serde's own message may quote the document, which is a user's profile.
        let parsed = serde_json::from_str(&text).map_err(|error| {
            format!("unexpected JSON in column {} of its line {}", error.column(), error.line())
        })?;
        Ok(Self(parsed))
    }
}
