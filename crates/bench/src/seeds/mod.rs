//! What a database is seeded with: made-up people with real sealed tokens.

mod people;
mod providers;
mod standing_clock;

use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::accounts::{Account, ApiToken, ApiTokenSecret, Organization};
use grantkeeper_domain::authorizations::{Authorization, GrantState};
use grantkeeper_domain::ids::{CredentialId, OrganizationId};
use grantkeeper_domain::providers::Provider;
use grantkeeper_domain::sealing::{SealedSecret, TokenSealer as _};
use grantkeeper_domain::{Change, Secret, UnitOfWork, Version};
use grantkeeper_store_diesel::DieselStore;
use grantkeeper_token_sealing::{EnvelopeSealer, KeyRing, MasterKey};

pub(crate) use self::providers::{Upstream, client_id};
use self::standing_clock::StandingClock;
use crate::failure::Failure;
use crate::population::{Population, SEEDED_AT, authorization_id, token_head};
use crate::sequence::Sequence;
use crate::stopwatch::wall_clock;

/// The size of a refresh token: they are short references with most providers.
const REFRESH_TOKEN: usize = 128;
/// How long a made-up token is valid after it was made: no benchmark sees its end.
const VALID: TimeDelta = TimeDelta::days(100 * 365);
/// How many rows go into one commit.
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
    /// What the database recognizes an API token by.
    pub(crate) token_hash: String,
}

/// The tokens of an authorization, and until when the first of them is valid.
pub(crate) struct Tokens {
    /// The access token.
    pub(crate) access: Secret,
    /// The refresh token.
    pub(crate) refresh: Secret,
    /// When the access token was issued, and the grant given.
    pub(crate) issued_at: DateTime<Utc>,
    /// When it expires.
    pub(crate) expires_at: DateTime<Utc>,
}

impl Seeds {
    /// Makes and stores all but the authorizations.
    pub(crate) async fn plant(
        store: &Arc<DieselStore>,
        key: MasterKey,
        random: Arc<Sequence>,
        population: Population,
        upstream: Upstream,
    ) -> Result<Self, Failure> {
        let sealer =
            EnvelopeSealer::new(KeyRing::new(key), store.clone(), random.clone(), Arc::new(StandingClock));
        sealer.verify_or_plant_canary().await?;
        let organization = people::organization(&random)?;
        store.commit(vec![Change::insert(organization.clone())]).await?;
        let mut providers = Vec::new();
        for number in 0..upstream.providers() {
            let secret = made_up(&random, String::new(), 64);
            let provider = upstream.provider(number, organization.id, &random)?;
            let sealed = sealer.seal(providers::client_secret_place(&provider), &secret).await?;
            providers.push(Provider { client_secret: sealed, ..provider });
        }
        let mut seeds = Self {
            sealer,
            random,
            population,
            organization,
            providers,
            accounts: Vec::new(),
            api_tokens: Vec::new(),
        };
        seeds.add_accounts()?;
        store.commit(seeds.insertions()).await?;
        Ok(seeds)
    }

    fn add_accounts(&mut self) -> Result<(), Failure> {
        for number in 0..self.population.accounts {
            let (account, token, secret) = people::account(number, self.organization.id, &self.random)?;
            self.accounts.push(account);
            self.api_tokens.push((token, secret));
        }
        Ok(())
    }

    fn insertions(&self) -> Vec<Change> {
        let providers = self.providers.iter().cloned().map(Change::insert);
        let accounts = self.accounts.iter().cloned().map(Change::insert);
        let api_tokens = self.api_tokens.iter().map(|(token, _)| Change::insert(token.clone()));
        providers.chain(accounts).chain(api_tokens).collect()
    }

    /// Stores every authorization through the store's one way to write, and when its refresh is due.
    pub(crate) async fn commit_authorizations(
        &self,
        store: &DieselStore,
        due: fn(u64) -> DateTime<Utc>,
    ) -> Result<(), Failure> {
        for batch in batches(self.population.authorizations) {
            let mut changes = Vec::new();
            for number in batch {
                changes.push(Change::insert(self.authorization(number).await?));
                changes.push(Change::ScheduleRefresh(authorization_id(number), Some(due(number))));
            }
            store.commit(changes).await?;
        }
        Ok(())
    }

    /// The API token of every account.
    pub(crate) fn api_tokens(&self) -> Arc<[String]> {
        self.api_tokens.iter().map(|(_, secret)| secret.expose().to_owned()).collect()
    }

    /// The one organization.
    pub(crate) fn organization(&self) -> OrganizationId {
        self.organization.id
    }

    /// What SQL has to know.
    pub(crate) fn known(&self) -> Option<Known> {
        let (token, _) = self.api_tokens.first()?;
        Some(Known {
            organization: token.organization_id.to_string(),
            token_hash: token.hash.as_str().to_owned(),
        })
    }

    /// The provider of an authorization: an account has as many at each of them.
    pub(crate) fn provider_of(&self, authorization: u64) -> Result<usize, Failure> {
        Ok(usize::try_from(authorization / self.population.accounts)? % self.providers.len())
    }

    /// The authorization with that number, with made-up tokens that are valid for ever.
    pub(crate) async fn authorization(&self, number: u64) -> Result<Authorization, Failure> {
        let length = self.population.access_token.into();
        let tokens = Tokens {
            access: made_up(&self.random, token_head(number), length),
            refresh: made_up(&self.random, String::new(), REFRESH_TOKEN),
            issued_at: seeded_at(),
            expires_at: never(),
        };
        self.authorization_with(number, tokens).await
    }

    /// The authorization with that number, with those tokens.
    pub(crate) async fn authorization_with(
        &self,
        number: u64,
        tokens: Tokens,
    ) -> Result<Authorization, Failure> {
        let account = &self.accounts[self.population.account_of(number)];
        let provider = &self.providers[self.provider_of(number)?];
        let subject = format!("subject-{number}");
        let nothing = SealedSecret::from_bytes(Vec::new());
        let mut authorization = Authorization {
            id: authorization_id(number),
            organization_id: account.organization_id,
            account_id: account.id,
            provider_id: provider.id,
            credential_id: CredentialId::generate(&*self.random, seeded_at()),
            issuer: provider.endpoints.issuer.clone(),
            user: people::user(number, &subject),
            subject,
            redirect_uri: Some("https://caller.example.com/callback".to_owned()),
            requested_scopes: provider.scopes.clone(),
            granted_scopes: provider.scopes.clone(),
            access_token: nothing,
            issued_at: tokens.issued_at,
            expires_at: Some(tokens.expires_at),
            refresh_token: None,
            refresh_token_expires_at: None,
            grant: GrantState::Live,
            grant_since: tokens.issued_at,
            lost_refresh: None,
            last_failure: None,
            failing_since: None,
            next_attempt_at: None,
            last_refreshed_at: None,
            created_at: seeded_at(),
            authorized_at: seeded_at(),
            used_at: if self.population.in_use { wall_clock()? } else { seeded_at() },
            version: Version::FIRST,
        };
        authorization.access_token =
            self.sealer.seal(authorization.access_token_place(), &tokens.access).await?;
        authorization.refresh_token =
            Some(self.sealer.seal(authorization.refresh_token_place(), &tokens.refresh).await?);
        Ok(authorization)
    }
}

/// The numbers below that, one commit after the other.
pub(crate) fn batches(end: u64) -> impl Iterator<Item = Range<u64>> {
    (0..end.div_ceil(BATCH)).map(move |batch| batch * BATCH..((batch + 1) * BATCH).min(end))
}

/// A token of that length, in the characters of base64url.
fn made_up(random: &Sequence, head: String, length: usize) -> Secret {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut token = head;
    while token.len() < length {
        let mut bits = random.next();
        for _ in 0..10.min(length - token.len()) {
            token.push(char::from(ALPHABET[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
    Secret::new(token)
}

/// When refreshes of tokens are due that are valid for ever.
pub(crate) fn never() -> DateTime<Utc> {
    seeded_at() + VALID
}

fn seeded_at() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(SEEDED_AT).expect("the year is 2026")
}

#[cfg(test)]
mod tests {
    use grantkeeper_store_diesel::OpenOptions;

    use super::*;
    use crate::population::JWT;

    async fn seeds(authorizations: u64) -> (Arc<DieselStore>, Seeds) {
        let store = Arc::new(DieselStore::open("sqlite::memory:", OpenOptions::default()).await.unwrap());
        let random = Arc::new(Sequence::new(1));
        let key = MasterKey::generate(&*random);
        let population = Population::of(authorizations, JWT);
        let seeds = Seeds::plant(&store, key, random, population, Upstream::MadeUp).await.unwrap();
        (store, seeds)
    }

    #[tokio::test]
    async fn a_seeded_token_opens_and_says_whose_it_is() {
        let (_, seeds) = seeds(2_000).await;
        let authorization = seeds.authorization(1_234).await.unwrap();
        let token = seeds.sealer.open(authorization.access_token_place(), &authorization.access_token).await;
        let token = token.unwrap();
        assert!(token.expose().starts_with(&token_head(1_234)), "{}", token.expose());
        assert_eq!(token.expose().len(), usize::from(JWT));
        assert_eq!(authorization.account_id, seeds.accounts[1_234 % 20].id);
    }

    #[tokio::test]
    async fn every_authorization_is_stored_with_its_account_and_api_token() {
        use grantkeeper_domain::accounts::ApiTokenStore as _;
        use grantkeeper_domain::authorizations::AuthorizationStore as _;

        let (store, seeds) = seeds(1_001).await;
        seeds.commit_authorizations(&store, |_| never()).await.unwrap();
        for number in [0, 999, 1_000] {
            let stored = store.authorization(seeds.organization.id, authorization_id(number)).await.unwrap();
            let secret = &seeds.api_tokens()[seeds.population.account_of(number)];
            let hash = ApiTokenSecret::parse(secret).unwrap().hash();
            let (token, _) = store.token_by_hash(&hash).await.unwrap().unwrap();
            assert_eq!(stored.unwrap().0.account_id, token.account_id);
        }
    }
}
