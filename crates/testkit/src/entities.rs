//! Entities with sensible fields and fresh ids, to be narrowed by struct update:
//! `Provider { slug: None, ..provider(&organization) }`. None of them is in a store yet.
#![expect(clippy::missing_panics_doc, reason = "the names and addresses in here are right")]

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::Version;
use grantkeeper_domain::accounts::{
    Account, ApiToken, Email, Organization, OrganizationName, Role, Standing, TokenPurpose,
};
use grantkeeper_domain::audit::{Actor, AuditAction, AuditEntry};
use grantkeeper_domain::authorizations::{
    Authorization, CodeInUse, DeviceFlow, DeviceStage, FLOW_LIFETIME, Flow, FlowRoute, FlowStage, GrantState,
    PollPace, RedirectAllowList, Scopes, UserInfo,
};
use grantkeeper_domain::ids::{
    AccountId, ApiTokenId, AuthorizationId, CredentialId, DataKeyId, DeviceFlowId, FlowId, JobId, LoginId,
    LoginIdentityId, OrganizationId, ProviderId, RevocationId,
};
use grantkeeper_domain::jobs::{Job, JobKind, JobStatus};
use grantkeeper_domain::login::{
    AskingClient, CodeGrant, DevicePoll, LOGIN_LIFETIME, Login, LoginIdentity, LoginRoute, LoginStage, Person,
};
use grantkeeper_domain::providers::{
    ClientAuthentication, GitHosts, PkceSupport, Provider, ProviderEndpoints, ProviderKind, ProviderStatus,
    Slug,
};
use grantkeeper_domain::revocations::{ResourceOwner, Revocation, RevocationStatus};
use grantkeeper_domain::sealing::{SealedSecret, WrappedDataKey};
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::services::Random as _;
use url::Url;

use crate::SeededRandom;

/// When everything here was made: 2026-01-01, and enough microseconds to see whether they are kept.
pub const START: DateTime<Utc> = DateTime::from_timestamp_nanos(1_767_225_600_123_456_000);

/// Where every id here comes from. One sequence for the whole process: no two entities share an id.
pub static FRESH: SeededRandom = SeededRandom::new(0x6772_616e_746b_6565);

/// Sixteen hexadecimal digits that no other call has given.
fn fresh_text() -> String {
    let mut bytes = [0; 8];
    FRESH.fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// A hash of nothing in particular, fresh.
pub fn hash() -> SecretHash {
    SecretHash::of(&fresh_text())
}

/// Bytes that stand for a sealed secret, where nobody is going to open it.
pub fn sealed(text: &str) -> SealedSecret {
    SealedSecret::from_bytes(text.as_bytes().to_vec())
}

/// An organization with a fresh name, which allows redirects to loopback addresses.
pub fn organization() -> Organization {
    let name = format!("Organization {}", fresh_text());
    Organization {
        id: OrganizationId::generate(&FRESH, START),
        name: OrganizationName::parse(&name).expect("a plain name"),
        redirect_uris: RedirectAllowList::default(),
        standing: Standing::Active,
        created_at: START,
        version: Version::FIRST,
    }
}

/// A member with a fresh e-mail address.
pub fn account(organization: &Organization) -> Account {
    Account {
        id: AccountId::generate(&FRESH, START),
        organization_id: organization.id,
        email: Email::parse(&format!("{}@example.com", fresh_text())).expect("a plain address"),
        role: Role::Member,
        standing: Standing::Active,
        suspended_at: None,
        created_at: START,
        version: Version::FIRST,
    }
}

/// A token for the APIs that never expires.
pub fn api_token(account: &Account) -> ApiToken {
    ApiToken {
        id: ApiTokenId::generate(&FRESH, START),
        account_id: account.id,
        organization_id: account.organization_id,
        hash: hash(),
        purpose: TokenPurpose::Api,
        created_at: START,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: Version::FIRST,
    }
}

/// The endpoints of an OpenID provider on that host (`name` or `name:port`) that can do everything.
pub fn endpoints(host: &str) -> ProviderEndpoints {
    let at = |path: &str| Url::parse(&format!("https://{host}/{path}")).expect("the host makes a URL");
    ProviderEndpoints {
        issuer: format!("https://{host}"),
        api: None,
        authorization: at("authorize"),
        token: at("token"),
        userinfo: Some(at("userinfo")),
        revocation: Some(at("revoke")),
        introspection: Some(at("introspect")),
        jwks: Some(at("jwks")),
        device_authorization: Some(at("device")),
        announces_iss: true,
        client_authentication: ClientAuthentication::ClientSecretBasic,
        pkce: PkceSupport::S256,
        settings_url: Some(at("settings")),
    }
}

/// An active OpenID provider with a fresh slug.
pub fn provider(organization: &Organization) -> Provider {
    let slug = format!("provider-{}", fresh_text());
    Provider {
        id: ProviderId::generate(&FRESH, START),
        organization_id: organization.id,
        slug: Some(Slug::parse(&slug).expect("a plain slug")),
        name: "Provider".to_owned(),
        kind: ProviderKind::Oidc,
        status: ProviderStatus::Active,
        client_id: "client".to_owned(),
        client_secret: sealed("client secret"),
        credential_id: CredentialId::generate(&FRESH, START),
        host: Some("https://provider.example".to_owned()),
        endpoints: endpoints("provider.example"),
        scopes: Scopes::parse("openid offline_access"),
        device_flow: false,
        app_slug: None,
        git_hosts: GitHosts::default(),
        skip_consent: None,
        keep_alive: true,
        created_at: START,
        updated_at: START,
        version: Version::FIRST,
    }
}

/// A live authorization of a fresh subject, with an access token for an hour and a refresh token.
pub fn authorization(account: &Account, provider: &Provider) -> Authorization {
    let subject = fresh_text();
    Authorization {
        id: AuthorizationId::generate(&FRESH, START),
        organization_id: account.organization_id,
        account_id: account.id,
        provider_id: provider.id,
        credential_id: CredentialId::generate(&FRESH, START),
        issuer: provider.endpoints.issuer.clone(),
        user: UserInfo {
            sub: subject.clone(),
            name: Some("Ada".to_owned()),
            raw: serde_json::json!({ "sub": subject }),
            ..UserInfo::default()
        },
        subject,
        redirect_uri: Some("http://127.0.0.1:8099/callback".to_owned()),
        requested_scopes: provider.scopes.clone(),
        granted_scopes: provider.scopes.clone(),
        access_token: sealed("access token"),
        issued_at: START,
        expires_at: Some(START + TimeDelta::hours(1)),
        refresh_token: Some(sealed("refresh token")),
        refresh_token_expires_at: None,
        grant: GrantState::Live,
        grant_since: START,
        lost_refresh: None,
        last_failure: None,
        failing_since: None,
        next_attempt_at: None,
        last_refreshed_at: None,
        created_at: START,
        authorized_at: START,
        used_at: START,
        version: Version::FIRST,
    }
}

/// A flow by the caller's route with a fresh state; the person is at the provider.
pub fn flow(account: &Account, provider: &Provider) -> Flow {
    Flow {
        id: FlowId::generate(&FRESH, START),
        organization_id: account.organization_id,
        account_id: account.id,
        provider_id: provider.id,
        route: FlowRoute::Caller,
        state_hash: Some(hash()),
        redirect_uri: "http://127.0.0.1:8099/callback".to_owned(),
        return_to: None,
        pkce_verifier: Some(sealed("verifier")),
        nonce: sealed("nonce"),
        scopes: provider.scopes.clone(),
        force_consent: true,
        endpoints: provider.endpoints.digest(),
        stage: FlowStage::Pending,
        created_at: START,
        expires_at: START + FLOW_LIFETIME,
        version: Version::FIRST,
    }
}

/// A device flow with a fresh handle, a quarter of an hour and five seconds between polls; the person has not decided.
pub fn device_flow(account: &Account, provider: &Provider) -> DeviceFlow {
    let interval = TimeDelta::seconds(5);
    DeviceFlow {
        id: DeviceFlowId::generate(&FRESH, START),
        organization_id: account.organization_id,
        account_id: account.id,
        provider_id: provider.id,
        handle_hash: hash(),
        device_code: sealed("device code"),
        scopes: provider.scopes.clone(),
        endpoints: provider.endpoints.digest(),
        interval,
        next_poll_at: START + interval,
        stage: DeviceStage::Pending,
        unattended: false,
        created_at: START,
        expires_at: START + TimeDelta::minutes(15),
        version: Version::FIRST,
    }
}

/// A login of a client that polls, with a fresh state and handle; the person is at the provider.
pub fn login(provider: &Provider) -> Login {
    let asked_by = AskingClient {
        address: Some("192.0.2.1".to_owned()),
        user_agent: Some("client/1.0".to_owned()),
        match_code: "BCD-FGH".to_owned(),
        shows_code: true,
    };
    let grant = code_grant(provider);
    let return_to = Some("https://client.example/signed-in".to_owned());
    let route = LoginRoute::Client { grant, poll_hash: hash(), asked_by, return_to };
    Login {
        id: LoginId::generate(&FRESH, START),
        organization_id: provider.organization_id,
        provider_id: provider.id,
        provider_name: "provider".to_owned(),
        route,
        scopes: provider.scopes.clone(),
        endpoints: provider.endpoints.digest(),
        browser_hash: None,
        stage: LoginStage::Pending,
        created_at: START,
        expires_at: START + LOGIN_LIFETIME,
        version: Version::FIRST,
    }
}

/// A login of our own sign-in page, with a fresh state and cookie; the person is at the provider.
pub fn browser_login(provider: &Provider) -> Login {
    let route = LoginRoute::Browser { grant: code_grant(provider), next: "/connect".to_owned() };
    Login { route, browser_hash: Some(hash()), ..login(provider) }
}

/// A login by device, with a fresh handle and five seconds between polls; the person has not decided.
pub fn device_login(provider: &Provider) -> Login {
    let interval = TimeDelta::seconds(5);
    let route = LoginRoute::Device(DevicePoll {
        handle_hash: hash(),
        device_code: sealed("device code"),
        pace: PollPace { interval, next_poll_at: START + interval },
    });
    Login { route, ..login(provider) }
}

/// What a person takes to a provider's page, with a fresh state.
pub fn code_grant(provider: &Provider) -> CodeGrant {
    CodeGrant {
        state_hash: hash(),
        redirect_uri: format!("https://keeper.example/callback/{}", provider.id),
        pkce_verifier: Some(sealed("verifier")),
        nonce: sealed("nonce"),
    }
}

/// Somebody fresh who has proved at a provider who they are.
pub fn person(provider: &Provider) -> Person {
    Person {
        issuer: provider.endpoints.issuer.clone(),
        subject: fresh_text(),
        verified_email: Some("ada@example.com".to_owned()),
        name: Some("Ada".to_owned()),
    }
}

/// Somebody fresh who signs in as an account.
pub fn login_identity(account: &Account) -> LoginIdentity {
    LoginIdentity {
        id: LoginIdentityId::generate(&FRESH, START),
        organization_id: account.organization_id,
        account_id: account.id,
        issuer: "https://provider.example".to_owned(),
        subject: fresh_text(),
        created_at: START,
        version: Version::FIRST,
    }
}

/// A fresh code whose exchange began at that time.
pub fn code_in_use(since: DateTime<Utc>) -> CodeInUse {
    CodeInUse { code_hash: hash(), since }
}

/// A job that counts, which nobody has taken.
pub fn job(account: &Account) -> Job {
    Job {
        id: JobId::generate(&FRESH, START),
        organization_id: account.organization_id,
        requested_by: Some(account.id),
        kind: JobKind::Stats,
        name: "Count".to_owned(),
        status: JobStatus::Pending,
        created_at: START,
        started_at: None,
        finished_at: None,
        details: Vec::new(),
        lease: None,
        version: Version::FIRST,
    }
}

/// The revocation of an authorization's tokens, due at once.
pub fn revocation(authorization: &Authorization) -> Revocation {
    Revocation {
        id: RevocationId::generate(&FRESH, START),
        organization_id: authorization.organization_id,
        provider_id: authorization.provider_id,
        authorization_id: authorization.id,
        account_id: authorization.account_id,
        resource_owner: Some(ResourceOwner {
            issuer: authorization.issuer.clone(),
            subject: authorization.subject.clone(),
        }),
        access_token: Some(sealed("access token to revoke")),
        refresh_token: Some(sealed("refresh token to revoke")),
        status: RevocationStatus::Pending,
        settings_url: None,
        last_error: None,
        attempts: 0,
        created_at: START,
        next_attempt_at: START,
        finished_at: None,
        lease: None,
        version: Version::FIRST,
    }
}

/// An entry about an organization that was made at that time.
pub fn audit_entry(organization: &Organization, at: DateTime<Utc>) -> AuditEntry {
    AuditEntry::new(organization.id, Actor::Service, AuditAction::OrganizationCreated, &FRESH, at)
}

/// A data key of an organization.
pub fn data_key(organization: &Organization) -> WrappedDataKey {
    WrappedDataKey {
        id: DataKeyId::generate(&FRESH, START),
        organization_id: organization.id,
        wrapped: sealed(&fresh_text()),
        created_at: START,
    }
}
