//! What goes over the wire, in `camelCase`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use grantkeeper_domain::accounts::{ApiToken, IssuedToken, TokenPurpose};
use grantkeeper_domain::login::{BegunDeviceLogin, StartedWebLogin};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::description::values;
use super::encoded_session::encoded;

/// An answer.
pub(super) fn json(status: StatusCode, body: impl Serialize) -> HttpResponse {
    HttpResponse::build(status).json(body)
}

/// Of an answer that says nothing but its status: `{}`.
#[derive(Serialize)]
pub(super) struct Nothing {}

/// A time in RFC 3339 with `Z`.
struct Time(DateTime<Utc>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// What a token is told to expire at that never does: its clients want a time. The last one that RFC 3339 can tell.
const NEVER: DateTime<Utc> = DateTime::from_timestamp_secs(253_402_300_799).expect("a time in the calendar");

/// What is known of an API token: never the token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LoginToken)]
pub(super) struct WireToken {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Whose it is.
    #[schema(format = "uuid")]
    account_id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// From when on it is refused; the end of the year 9999 where it never is.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
}

impl WireToken {
    pub(super) fn of(token: &ApiToken) -> Self {
        Self {
            id: token.id.to_string(),
            account_id: token.account_id.to_string(),
            created_at: Time(token.created_at),
            expires_at: Time(token.expires_at.unwrap_or(NEVER)),
        }
    }
}

/// A new token; it is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenWithSecret)]
pub(super) struct WireTokenWithSecret<'a> {
    /// What is known of it.
    data: WireToken,
    /// The token itself.
    secret: WireSecret<'a>,
}

/// An API token itself.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenSecret)]
struct WireSecret<'a> {
    /// What goes into `Authorization: Bearer`.
    #[schema(format = "uuid")]
    value: &'a str,
}

impl<'a> WireTokenWithSecret<'a> {
    pub(super) fn of(issued: &'a IssuedToken) -> Self {
        Self { data: WireToken::of(&issued.token), secret: WireSecret { value: issued.secret.expose() } }
    }
}

/// An API token in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedToken)]
pub(super) struct WireListedToken {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Whose it is.
    #[schema(format = "uuid")]
    account_id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// From when on it is refused; the end of the year 9999 where it never is.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
    /// When it was last used, to the minute or so; left out where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Time>,
    #[schema(schema_with = values::kind)]
    kind: &'static str,
}

impl WireListedToken {
    pub(super) fn of(token: &ApiToken) -> Self {
        let WireToken { id, account_id, created_at, expires_at } = WireToken::of(token);
        let kind = match token.purpose {
            TokenPurpose::Api => "api",
            TokenPurpose::Agent => "agent",
            TokenPurpose::Session { .. } => "browser",
        };
        Self { id, account_id, created_at, expires_at, last_used_at: token.last_used_at.map(Time), kind }
    }
}

/// A login on the web that was started.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebLogin)]
pub(super) struct WireWebLogin<'a> {
    /// The provider's page, for a browser.
    #[schema(format = "uri")]
    url: &'a str,
    /// What the client polls with; the provider gets another one.
    state: &'a str,
    /// What our page will show: the client should show it too, for the person to compare.
    match_code: &'a str,
}

impl<'a> WireWebLogin<'a> {
    pub(super) fn of(started: &'a StartedWebLogin) -> Self {
        Self { url: started.url.as_str(), state: started.state.expose(), match_code: &started.match_code }
    }
}

/// A login by device code that was begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeviceLogin)]
pub(super) struct WireDeviceLogin<'a> {
    /// Where the person types the code.
    #[schema(format = "uri")]
    url: &'a str,
    /// What the person types.
    user_code: &'a str,
    /// When it is no longer good.
    #[schema(value_type = String, format = DateTime)]
    expires: Time,
    /// What the client waits with. It stands for the provider's own device code.
    encoded_session: String,
    /// What the person can compare: the user code.
    match_code: &'a str,
}

impl<'a> WireDeviceLogin<'a> {
    pub(super) fn of(begun: &'a BegunDeviceLogin) -> Self {
        Self {
            url: begun.url.as_str(),
            user_code: &begun.user_code,
            expires: Time(begun.expires_at),
            encoded_session: encoded(&begun.handle),
            match_code: &begun.user_code,
        }
    }
}
