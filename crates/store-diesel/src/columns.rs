//! Column types that every database can keep, each under its own type: ids, times and JSON.

use std::borrow::Cow;
use std::fmt::Debug;
use std::io::Write;

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, BigInt, Binary, SqlType, Text, Timestamptz};
use diesel::sqlite::Sqlite;
use grantkeeper_domain::ids::{
    AccountId, ApiTokenId, AuditId, AuthorizationId, CredentialId, DataKeyId, DeviceFlowId, FlowId, JobId,
    LoginId, LoginIdentityId, OrganizationId, ProviderId, RevocationId,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::failure::Unreadable;

/// A UUID: `uuid` on PostgreSQL, 16 bytes on SQLite.
#[derive(Clone, Copy, Debug, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct IdColumn;

/// A time: `timestamptz` on PostgreSQL; microseconds since 1970 on SQLite, so that times compare as numbers.
#[derive(Clone, Copy, Debug, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct TimeColumn;

/// A JSON document: text that is checked to be JSON. On PostgreSQL that is `json`: `jsonb` would refuse an escaped NUL,
/// which a provider may send in a profile.
#[derive(Clone, Copy, Debug, SqlType, QueryId)]
#[diesel(postgres_type(oid = 114, array_oid = 199), sqlite_type(name = "Text"))]
pub struct JsonColumn;

/// An id of whatever noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
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

impl ToSql<IdColumn, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<IdColumn, Pg> for Id {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Uuid, Pg>::from_sql(value).map(Self)
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
    AccountId, ApiTokenId, AuditId, AuthorizationId, CredentialId, DataKeyId, DeviceFlowId, FlowId, JobId,
    LoginId, LoginIdentityId, OrganizationId, ProviderId, RevocationId,
}

/// A time, in whole microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
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

impl ToSql<TimeColumn, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamptz, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<TimeColumn, Pg> for Time {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<Timestamptz, Pg>::from_sql(value).map(Self)
    }
}

/// A value that is kept as JSON, where no query looks inside.
///
/// It is parsed when an entity is made of its row, and not before: a document that cannot be read must not take down the
/// other rows of a query, which may be for somebody else.
#[derive(Clone, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = JsonColumn)]
pub(crate) enum Json<T: Debug> {
    /// To be written.
    Value(T),
    /// As it was read.
    Document(Vec<u8>),
}

impl<T: Debug + Serialize> Json<T> {
    fn document(&self) -> serde_json::Result<Cow<'_, [u8]>> {
        match self {
            Self::Value(value) => serde_json::to_vec(value).map(Cow::Owned),
            Self::Document(document) => Ok(Cow::Borrowed(document)),
        }
    }
}

impl<T: Debug + DeserializeOwned> Json<T> {
    /// The value that the column of that name holds.
    pub(crate) fn read(self, column: &'static str) -> Result<T, Unreadable> {
        match self {
            Self::Value(value) => Ok(value),
            // serde's own message may quote the document, which is a user's profile.
            Self::Document(document) => serde_json::from_slice(&document).map_err(|_| Unreadable(column)),
        }
    }
}

impl<T: Debug + Serialize> ToSql<JsonColumn, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(String::from_utf8(self.document()?.into_owned())?);
        Ok(IsNull::No)
    }
}

impl<T: Debug> FromSql<JsonColumn, Sqlite> for Json<T> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self::Document(text.into_bytes()))
    }
}

impl<T: Debug + Serialize> ToSql<JsonColumn, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.document()?)?;
        Ok(IsNull::No)
    }
}

impl<T: Debug> FromSql<JsonColumn, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::Document(value.as_bytes().to_vec()))
    }
}
