//! Logins, and the port that reads them with those who sign in.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::accounts::Account;
use grantkeeper_domain::authorizations::PollPace;
use grantkeeper_domain::ids::{AccountId, LoginId, OrganizationId, ProviderId};
use grantkeeper_domain::login::{
    AskingClient, CodeGrant, DevicePoll, Login, LoginEnd, LoginIdentity, LoginRoute, LoginStage, LoginStore,
    Person,
};
use grantkeeper_domain::sealing::SealedSecret;
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::{StoreError, Version};

use crate::DieselStore;
use crate::columns::{Id, Json, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::login_identities;
use crate::rows::{FromRow, bytes, hash_text, scope_list, versioned};
use crate::schema::logins;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = logins, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct LoginRow {
    id: Id,
    organization_id: Id,
    provider_id: Id,
    provider_name: String,
    route: String,
    handle_hash: Option<String>,
    state_hash: Option<String>,
    redirect_uri: Option<String>,
    pkce_verifier: Option<Vec<u8>>,
    nonce: Option<Vec<u8>>,
    return_to: Option<String>,
    address: Option<String>,
    user_agent: Option<String>,
    match_code: Option<String>,
    shows_code: Option<bool>,
    device_code: Option<Vec<u8>>,
    interval_micros: Option<i64>,
    next_poll_at: Option<Time>,
    scopes: Json<Vec<String>>,
    endpoints: String,
    browser_hash: Option<String>,
    stage: String,
    asking_since: Option<Time>,
    person: Option<Json<Person>>,
    account_id: Option<Id>,
    token_id: Option<Id>,
    released_at: Option<Time>,
    outcome: Option<String>,
    reason: Option<String>,
    created_at: Time,
    expires_at: Time,
    version: i64,
}

impl LoginRow {
    fn of(login: &Login, version: Version) -> Self {
        let route = RouteColumns::of(&login.route);
        let (asked_by, device) = (route.asked_by, route.device);
        let grant = login.grant();
        let stage = StageColumns::of(&login.stage);
        Self {
            id: login.id.into(),
            organization_id: login.organization_id.into(),
            provider_id: login.provider_id.into(),
            provider_name: login.provider_name.clone(),
            route: route.name.to_owned(),
            handle_hash: login.handle_hash().map(hash_text),
            state_hash: grant.map(|grant| hash_text(&grant.state_hash)),
            redirect_uri: grant.map(|grant| grant.redirect_uri.clone()),
            pkce_verifier: bytes(grant.and_then(|grant| grant.pkce_verifier.as_ref())),
            nonce: bytes(grant.map(|grant| &grant.nonce)),
            return_to: route.return_to.cloned(),
            address: asked_by.and_then(|client| client.address.clone()),
            user_agent: asked_by.and_then(|client| client.user_agent.clone()),
            match_code: asked_by.map(|client| client.match_code.clone()),
            shows_code: asked_by.map(|client| client.shows_code),
            device_code: bytes(device.map(|device| &device.device_code)),
            // What is too long to be counted is longer than any login lives.
            interval_micros: device.map(|device| device.pace.interval.num_microseconds().unwrap_or(i64::MAX)),
            next_poll_at: device.map(|device| Time(device.pace.next_poll_at)),
            scopes: scope_list(&login.scopes),
            endpoints: hash_text(&login.endpoints),
            browser_hash: login.browser_hash.as_ref().map(hash_text),
            stage: stage.name.to_owned(),
            asking_since: stage.asking_since,
            person: stage.person.cloned().map(Json::Value),
            account_id: login.account_id().map(Id::from),
            token_id: stage.token_id,
            released_at: stage.released_at,
            outcome: stage.outcome.map(str::to_owned),
            reason: stage.reason.cloned(),
            created_at: login.created_at.into(),
            expires_at: login.expires_at.into(),
            version: version.get(),
        }
    }

    fn route(&self) -> Result<LoginRoute, Unreadable> {
        let route = match self.route.as_str() {
            "client" => self.client_route(),
            "browser" => self.browser_route(),
            "device" => self.device_route(),
            _ => None,
        };
        route.ok_or(Unreadable("logins.route"))
    }

    fn client_route(&self) -> Option<LoginRoute> {
        let asked_by = AskingClient {
            address: self.address.clone(),
            user_agent: self.user_agent.clone(),
            match_code: self.match_code.clone()?,
            shows_code: self.shows_code?,
        };
        let (grant, poll_hash) = (self.grant()?, self.handle_hash()?);
        Some(LoginRoute::Client { grant, poll_hash, asked_by, return_to: self.return_to.clone() })
    }

    fn browser_route(&self) -> Option<LoginRoute> {
        Some(LoginRoute::Browser { grant: self.grant()?, next: self.return_to.clone()? })
    }

    fn device_route(&self) -> Option<LoginRoute> {
        Some(LoginRoute::Device(DevicePoll {
            handle_hash: self.handle_hash()?,
            device_code: SealedSecret::from_bytes(self.device_code.clone()?),
            pace: PollPace {
                interval: TimeDelta::microseconds(self.interval_micros?),
                next_poll_at: self.next_poll_at?.into(),
            },
        }))
    }

    fn grant(&self) -> Option<CodeGrant> {
        Some(CodeGrant {
            state_hash: self.state_hash.clone().map(SecretHash::from_stored)?,
            redirect_uri: self.redirect_uri.clone()?,
            pkce_verifier: self.pkce_verifier.clone().map(SealedSecret::from_bytes),
            nonce: self.nonce.clone().map(SealedSecret::from_bytes)?,
        })
    }

    fn handle_hash(&self) -> Option<SecretHash> {
        self.handle_hash.clone().map(SecretHash::from_stored)
    }

    fn stage(&self) -> Result<LoginStage, Unreadable> {
        let stage = match self.stage.as_str() {
            "pending" => Some(LoginStage::Pending),
            "asking" => self.asking_since.map(|Time(since)| LoginStage::Asking { since }),
            "identified" => self.person()?.map(LoginStage::Identified),
            "granted" => self.account_id.map(|id| LoginStage::Granted { account_id: id.into() }),
            "released" => self.released(),
            "ended" => self.end().map(LoginStage::Ended),
            _ => None,
        };
        stage.ok_or(Unreadable("logins.stage"))
    }

    fn person(&self) -> Result<Option<Person>, Unreadable> {
        self.person.clone().map(|person| person.read("logins.person")).transpose()
    }

    fn released(&self) -> Option<LoginStage> {
        Some(LoginStage::Released {
            account_id: self.account_id?.into(),
            token_id: self.token_id?.into(),
            at: self.released_at?.into(),
        })
    }

    fn end(&self) -> Option<LoginEnd> {
        let reason = self.reason.clone()?;
        match self.outcome.as_deref()? {
            "refused" => Some(LoginEnd::Refused(reason)),
            "not_allowed" => Some(LoginEnd::NotAllowed(reason)),
            "unavailable" => Some(LoginEnd::Unavailable(reason)),
            _ => None,
        }
    }
}

/// What a route has besides its grant and its handle, spread over its columns.
#[derive(Default)]
struct RouteColumns<'a> {
    name: &'static str,
    asked_by: Option<&'a AskingClient>,
    return_to: Option<&'a String>,
    device: Option<&'a DevicePoll>,
}

impl<'a> RouteColumns<'a> {
    fn of(route: &'a LoginRoute) -> Self {
        match route {
            LoginRoute::Client { asked_by, return_to, .. } => Self {
                name: "client",
                asked_by: Some(asked_by),
                return_to: return_to.as_ref(),
                ..Self::default()
            },
            LoginRoute::Browser { next, .. } => {
                Self { name: "browser", return_to: Some(next), ..Self::default() }
            }
            LoginRoute::Device(device) => Self { name: "device", device: Some(device), ..Self::default() },
        }
    }
}

/// What a stage has besides its account, spread over its columns.
#[derive(Default)]
struct StageColumns<'a> {
    name: &'static str,
    asking_since: Option<Time>,
    person: Option<&'a Person>,
    token_id: Option<Id>,
    released_at: Option<Time>,
    outcome: Option<&'static str>,
    reason: Option<&'a String>,
}

impl<'a> StageColumns<'a> {
    fn of(stage: &'a LoginStage) -> Self {
        match stage {
            LoginStage::Pending => Self { name: "pending", ..Self::default() },
            LoginStage::Asking { since } => {
                Self { name: "asking", asking_since: Some(Time(*since)), ..Self::default() }
            }
            LoginStage::Identified(person) => {
                Self { name: "identified", person: Some(person), ..Self::default() }
            }
            LoginStage::Granted { .. } => Self { name: "granted", ..Self::default() },
            LoginStage::Released { token_id, at, .. } => Self {
                name: "released",
                token_id: Some(Id::from(*token_id)),
                released_at: Some(Time(*at)),
                ..Self::default()
            },
            LoginStage::Ended(end) => {
                let (outcome, reason) = match end {
                    LoginEnd::Refused(reason) => ("refused", reason),
                    LoginEnd::NotAllowed(reason) => ("not_allowed", reason),
                    LoginEnd::Unavailable(reason) => ("unavailable", reason),
                };
                Self { name: "ended", outcome: Some(outcome), reason: Some(reason), ..Self::default() }
            }
        }
    }
}

impl FromRow for Login {
    type Row = LoginRow;

    fn from_row(row: LoginRow) -> Result<Self, Unreadable> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            provider_id: row.provider_id.into(),
            route: row.route()?,
            stage: row.stage()?,
            provider_name: row.provider_name,
            scopes: row.scopes.read("logins.scopes")?.into_iter().collect(),
            endpoints: SecretHash::from_stored(row.endpoints),
            browser_hash: row.browser_hash.map(SecretHash::from_stored),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(Login, LoginRow in logins);

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    logins::table.filter(logins::id.eq(id))
}

#[auto_type]
pub(crate) fn by_handle(handle: String) -> _ {
    logins::table.filter(logins::handle_hash.eq(handle))
}

#[auto_type]
pub(crate) fn by_state(provider: Id, state: String) -> _ {
    logins::table.filter(logins::provider_id.eq(provider)).filter(logins::state_hash.eq(state))
}

#[auto_type]
pub(crate) fn expired(before: Time) -> _ {
    logins::table.filter(logins::expires_at.lt(before))
}

#[async_trait]
impl LoginStore for DieselStore {
    async fn login(&self, id: LoginId) -> Result<Option<Login>, StoreError> {
        self.one(by_id(id.into())).await
    }

    async fn login_by_handle(&self, handle: &SecretHash) -> Result<Option<Login>, StoreError> {
        self.one(by_handle(hash_text(handle))).await
    }

    async fn login_by_state(
        &self,
        provider: ProviderId,
        state: &SecretHash,
    ) -> Result<Option<Login>, StoreError> {
        self.one(by_state(provider.into(), hash_text(state))).await
    }

    async fn identified<'a>(
        &self,
        organization: OrganizationId,
        issuer: &'a str,
        subject: &'a str,
    ) -> Result<Option<(LoginIdentity, Account)>, StoreError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.one(login_identities::with_account(organization.into(), issuer, subject)).await
    }

    async fn identities_of(&self, account: AccountId) -> Result<Vec<LoginIdentity>, StoreError> {
        self.all(login_identities::of_account(account.into())).await
    }

    async fn purge_logins(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.execute(diesel::delete(expired(Time(before)))).await
    }
}
