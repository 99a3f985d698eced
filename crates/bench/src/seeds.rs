//! What the database is seeded with: made-up people with real sealed tokens.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::accounts::{
    Account, ApiToken, ApiTokenSecret, Email, Organization, OrganizationName, Role, TokenPurpose,
};
use grantkeeper_domain::authorizations::{Authorization, GrantState, RedirectAllowList, Scopes, UserInfo};
use grantkeeper_domain::ids::{AccountId, ApiTokenId, CredentialId, OrganizationId, ProviderId};
use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, Provider, ProviderEndpoints, ProviderKind, ProviderStatus, Slug,
};
use grantkeeper_domain::sealing::{SealedSecret, SecretColumn, SecretPlace, TokenSealer as _};
use grantkeeper_domain::services::Clock;
use grantkeeper_domain::{Change, Secret, UnitOfWork, Version};
use grantkeeper_store_diesel::DieselStore;
use grantkeeper_token_sealing::{EnvelopeSealer, KeyRing, MasterKey};
use serde_json::json;
use url::Url;

use crate::failure::Failure;
use crate::population::{Population, SEEDED_AT, authorization_id, token_head};
use crate::sequence::Sequence;

/// The size of an access token: a JWT with a handful of claims.
const ACCESS_TOKEN: usize = 1_024;
/// The size of a refresh token: they are short references with most providers.
const REFRESH_TOKEN: usize = 128;
/// How many providers the organization has.
const PROVIDERS: usize = 10;
/// How many changes go into one commit.
const BATCH: u64 = 1_000;

/// All but the authorizations, which are made one by one: there may be too many to hold.
pub(crate) struct Seeds {
    sealer: EnvelopeSealer,
    random: Arc<Sequence>,
    population: Population,
    organization: Organization,
    providers: Vec<Provider>,
    accounts: Vec<Account>,
    api_tokens: Vec<(ApiToken, ApiTokenSecret)>,
}

/// What SQL has to know of the seeds, as text.
pub(crate) struct Known {
    /// The one organization.
    pub(crate) organization: String,
    /// An account.
    pub(crate) account: String,
    /// Its API token.
    pub(crate) token_id: String,
    /// What the database recognizes that by.
    pub(crate) token_hash: String,
}

impl Seeds {
    /// Makes and stores all but the authorizations.
    pub(crate) async fn plant(
        store: &Arc<DieselStore>,
        key: MasterKey,
        random: Arc<Sequence>,
        population: Population,
    ) -> Result<Self, Failure> {
        let sealer =
            EnvelopeSealer::new(KeyRing::new(key), store.clone(), random.clone(), Arc::new(StandingClock));
        sealer.verify_or_plant_canary().await?;
        let organization = organization(&random)?;
        store.commit(vec![Change::insert(organization.clone())]).await?;
        let mut seeds = Self {
            sealer,
            random,
            population,
            organization,
            providers: Vec::new(),
            accounts: Vec::new(),
            api_tokens: Vec::new(),
        };
        let mut changes = Vec::new();
        for number in 0..PROVIDERS {
            let provider = seeds.provider(number).await?;
            changes.push(Change::insert(provider.clone()));
            seeds.providers.push(provider);
        }
        for number in 0..population.accounts() {
            let (account, token, secret) = seeds.account(number)?;
            changes.extend([Change::insert(account.clone()), Change::insert(token.clone())]);
            seeds.accounts.push(account);
            seeds.api_tokens.push((token, secret));
        }
        store.commit(changes).await?;
        Ok(seeds)
    }

    /// Stores every authorization through the store's one way to write.
    pub(crate) async fn commit_authorizations(&self, store: &DieselStore) -> Result<(), Failure> {
        let mut next = 0;
        while next < self.population.authorizations {
            let end = (next + BATCH).min(self.population.authorizations);
            let mut changes = Vec::new();
            for number in next..end {
                changes.push(Change::insert(self.authorization(number).await?));
            }
            store.commit(changes).await?;
            next = end;
        }
        Ok(())
    }

    /// The API token of every account.
    pub(crate) fn api_tokens(&self) -> Arc<[String]> {
        self.api_tokens.iter().map(|(_, secret)| secret.expose().to_owned()).collect()
    }

    /// What SQL has to know.
    pub(crate) fn known(&self) -> Option<Known> {
        let (token, _) = self.api_tokens.first()?;
        Some(Known {
            organization: token.organization_id.to_string(),
            account: token.account_id.to_string(),
            token_id: token.id.to_string(),
            token_hash: token.hash.as_str().to_owned(),
        })
    }

    /// The authorization with that number.
    pub(crate) async fn authorization(&self, number: u64) -> Result<Authorization, Failure> {
        let account = &self.accounts[self.population.account_of(number)];
        let provider = &self.providers[usize::try_from(number / self.population.accounts())? % PROVIDERS];
        let subject = format!("subject-{number}");
        let nothing = SealedSecret::from_bytes(Vec::new());
        let mut authorization = Authorization {
            id: authorization_id(number),
            organization_id: account.organization_id,
            account_id: account.id,
            provider_id: provider.id,
            credential_id: CredentialId::generate(&*self.random, seeded_at()),
            issuer: provider.endpoints.issuer.clone(),
            user: user(number, &subject),
            subject,
            redirect_uri: Some("https://caller.example.com/callback".to_owned()),
            requested_scopes: provider.scopes.clone(),
            granted_scopes: provider.scopes.clone(),
            access_token: nothing,
            issued_at: seeded_at(),
            expires_at: Some(seeded_at() + TimeDelta::days(100 * 365)),
            refresh_token: None,
            refresh_token_expires_at: None,
            grant: GrantState::Live,
            grant_since: seeded_at(),
            last_failure: None,
            next_attempt_at: None,
            last_refreshed_at: None,
            created_at: seeded_at(),
            version: Version::FIRST,
        };
        let access_token = self.token(token_head(number), ACCESS_TOKEN);
        let refresh_token = self.token(String::new(), REFRESH_TOKEN);
        authorization.access_token =
            self.sealer.seal(authorization.access_token_place(), &access_token).await?;
        authorization.refresh_token =
            Some(self.sealer.seal(authorization.refresh_token_place(), &refresh_token).await?);
        Ok(authorization)
    }

    async fn provider(&self, number: usize) -> Result<Provider, Failure> {
        let id = ProviderId::generate(&*self.random, seeded_at());
        let host = format!("id{number}.example.com");
        let place = SecretPlace {
            organization_id: self.organization.id,
            column: SecretColumn::ClientSecret,
            row: id.as_uuid(),
        };
        Ok(Provider {
            id,
            organization_id: self.organization.id,
            slug: Some(Slug::parse(&format!("provider-{number}"))?),
            name: format!("Provider {number}"),
            kind: ProviderKind::Oidc,
            status: ProviderStatus::Active,
            client_id: format!("client-{number}"),
            client_secret: self.sealer.seal(place, &self.token(String::new(), 64)).await?,
            credential_id: CredentialId::generate(&*self.random, seeded_at()),
            host: Some(format!("https://{host}")),
            endpoints: endpoints(&host)?,
            scopes: Scopes::parse("openid profile email offline_access"),
            device_flow: false,
            app_slug: None,
            skip_consent: None,
            created_at: seeded_at(),
            updated_at: seeded_at(),
            version: Version::FIRST,
        })
    }

    fn account(&self, number: u64) -> Result<(Account, ApiToken, ApiTokenSecret), Failure> {
        let account = Account {
            id: AccountId::generate(&*self.random, seeded_at()),
            organization_id: self.organization.id,
            email: Email::parse(&format!("person{number}@example.com"))?,
            role: Role::Member,
            created_at: seeded_at(),
            version: Version::FIRST,
        };
        let secret = ApiTokenSecret::generate(&*self.random);
        let token = ApiToken {
            id: ApiTokenId::generate(&*self.random, seeded_at()),
            account_id: account.id,
            organization_id: account.organization_id,
            hash: secret.hash(),
            purpose: TokenPurpose::Api,
            created_at: seeded_at(),
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
            version: Version::FIRST,
        };
        Ok((account, token, secret))
    }

    /// A token of that length, in the characters of base64url.
    fn token(&self, head: String, length: usize) -> Secret {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut token = head;
        while token.len() < length {
            let mut bits = self.random.next();
            for _ in 0..10.min(length - token.len()) {
                token.push(char::from(ALPHABET[(bits & 63) as usize]));
                bits >>= 6;
            }
        }
        Secret::new(token)
    }
}

fn seeded_at() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(SEEDED_AT).expect("the year is 2026")
}

fn organization(random: &Sequence) -> Result<Organization, Failure> {
    Ok(Organization {
        id: OrganizationId::generate(random, seeded_at()),
        name: OrganizationName::parse("Benchmark")?,
        redirect_uris: RedirectAllowList::default(),
        created_at: seeded_at(),
        version: Version::FIRST,
    })
}

fn endpoints(host: &str) -> Result<ProviderEndpoints, Failure> {
    let at = |path: &str| Url::parse(&format!("https://{host}/{path}"));
    Ok(ProviderEndpoints {
        issuer: format!("https://{host}"),
        api: None,
        authorization: at("authorize")?,
        token: at("token")?,
        userinfo: Some(at("userinfo")?),
        revocation: Some(at("revoke")?),
        jwks: Some(at("jwks")?),
        device_authorization: None,
        announces_iss: true,
        client_authentication: ClientAuthentication::ClientSecretBasic,
        pkce: PkceSupport::S256,
        settings_url: None,
    })
}

fn user(number: u64, subject: &str) -> UserInfo {
    let (name, email) = (format!("Person {number}"), format!("person{number}@example.com"));
    UserInfo {
        sub: subject.to_owned(),
        name: Some(name.clone()),
        email: Some(email.clone()),
        email_verified: Some(true),
        locale: Some("en".to_owned()),
        raw: json!({ "sub": subject, "name": name, "email": email, "email_verified": true, "locale": "en" }),
        ..UserInfo::default()
    }
}

/// The clock of somebody who makes everything in one moment.
struct StandingClock;

#[async_trait]
impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        seeded_at()
    }

    async fn sleep(&self, _: Duration) {
        // Its time never comes.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use grantkeeper_store_diesel::OpenOptions;

    use super::*;

    async fn seeds(authorizations: u64) -> (Arc<DieselStore>, Seeds) {
        let store = Arc::new(DieselStore::open("sqlite::memory:", OpenOptions::default()).await.unwrap());
        let random = Arc::new(Sequence::new(1));
        let key = MasterKey::generate(&*random);
        let population = Population { authorizations };
        let seeds = Seeds::plant(&store, key, random, population).await.unwrap();
        (store, seeds)
    }

    #[tokio::test]
    async fn a_seeded_token_opens_and_says_whose_it_is() {
        let (_, seeds) = seeds(2_000).await;
        let authorization = seeds.authorization(1_234).await.unwrap();
        let token = seeds.sealer.open(authorization.access_token_place(), &authorization.access_token).await;
        let token = token.unwrap();
        assert!(token.expose().starts_with(&token_head(1_234)), "{}", token.expose());
        assert_eq!(token.expose().len(), ACCESS_TOKEN);
        assert_eq!(authorization.account_id, seeds.accounts[1_234 % 20].id);
    }

    #[tokio::test]
    async fn every_authorization_is_stored_with_its_account_and_api_token() {
        use grantkeeper_domain::accounts::ApiTokenStore as _;
        use grantkeeper_domain::authorizations::AuthorizationStore as _;

        let (store, seeds) = seeds(1_001).await;
        seeds.commit_authorizations(&store).await.unwrap();
        for number in [0, 999, 1_000] {
            let stored = store.authorization(seeds.organization.id, authorization_id(number)).await.unwrap();
            let secret = &seeds.api_tokens()[seeds.population.account_of(number)];
            let hash = ApiTokenSecret::parse(secret).unwrap().hash();
            let (token, _) = store.token_by_hash(&hash).await.unwrap().unwrap();
            assert_eq!(stored.unwrap().0.account_id, token.account_id);
        }
    }
}
