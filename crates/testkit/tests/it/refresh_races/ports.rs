//! The ports of one process. Every call waits until the simulation lets it through, and fails as the simulation says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::authorizations::{Authorization, AuthorizationStore};
use grantkeeper_domain::ids::{AccountId, AuthorizationId, OrganizationId, ProviderId};
use grantkeeper_domain::providers::{
    MockProviderClient, MockProviderClients, MockRevokeTokens, Provider, ProviderClient, ProviderClients,
    ProviderConnection, RefreshRequest, RefreshTokens, RevocationScope, RevokeTokens, TokenSet,
    UpstreamError,
};
use grantkeeper_domain::sealing::{SealError, SealedSecret, SecretPlace, TokenSealer};
use grantkeeper_domain::services::Clock;
use grantkeeper_domain::tokens::{DueClaim, DueRefresh, RefreshLease, RefreshLeases, SignOfLife, TakenLease};
use grantkeeper_domain::{Change, CommitError, Secret, StoreError, UnitOfWork};
use grantkeeper_testkit::entities::START;

use super::world::{Behaviour, Gate, Verdict, World};

/// What a process sees of the world.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
}

fn away() -> StoreError {
    StoreError::Unavailable("away".into())
}

impl Port {
    /// Runs a call of the store when its time has come.
    async fn call<T, E: From<StoreError>>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let verdict = self.world.pass(self.process, Gate::Store(name)).await;
        if verdict == Verdict::Fails {
            return Err(away().into());
        }
        let result = call.await;
        if verdict == Verdict::FailsAfterwards { Err(away().into()) } else { result }
    }
}

#[async_trait]
impl AuthorizationStore for Port {
    async fn authorization(
        &self,
        organization: OrganizationId,
        id: AuthorizationId,
    ) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError> {
        self.call("read", self.world.store.authorization(organization, id)).await
    }

    async fn authorizations_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<(Authorization, Provider)>, StoreError> {
        self.world.store.authorizations_of(account).await
    }

    async fn authorized_since(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(AccountId, ProviderId, DateTime<Utc>)>, StoreError> {
        self.world.store.authorized_since(since, limit).await
    }

    async fn authorization_for_identity<'a>(
        &self,
        account: AccountId,
        provider: ProviderId,
        issuer: &'a str,
        subject: &'a str,
    ) -> Result<Option<Authorization>, StoreError> {
        self.world.store.authorization_for_identity(account, provider, issuer, subject).await
    }

    async fn authorizations_at(
        &self,
        provider: ProviderId,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<Authorization>, StoreError> {
        self.world.store.authorizations_at(provider, after, limit).await
    }
}

#[async_trait]
impl RefreshLeases for Port {
    async fn take_lease<'a>(
        &self,
        authorization: AuthorizationId,
        holder: &'a str,
        silent: Option<SignOfLife>,
        now: DateTime<Utc>,
    ) -> Result<TakenLease, StoreError> {
        self.call("take", self.world.store.take_lease(authorization, holder, silent, now)).await
    }

    async fn keep_lease(&self, lease: &RefreshLease) -> Result<bool, StoreError> {
        self.call("beat", self.world.store.keep_lease(lease)).await
    }

    async fn note_request(&self, lease: &RefreshLease, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.call("note", self.world.store.note_request(lease, now)).await
    }

    async fn claim_due(&self, claim: &DueClaim) -> Result<Vec<DueRefresh>, StoreError> {
        self.call("claim", self.world.store.claim_due(claim)).await
    }
}

#[async_trait]
impl UnitOfWork for Port {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let commit = async {
            self.world.store.commit(changes).await?;
            self.world.look_at_tokens().await;
            Ok(())
        };
        self.call("commit", commit).await
    }
}

#[async_trait]
impl Clock for Port {
    fn now(&self) -> DateTime<Utc> {
        START + self.world.wall_clock(self.process)
    }

    fn monotonic(&self) -> Duration {
        self.world.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(self.process, duration).await;
    }
}

#[async_trait]
impl TokenSealer for Port {
    async fn seal(&self, place: SecretPlace, secret: &Secret) -> Result<SealedSecret, SealError> {
        self.world.sealer.seal(place, secret).await
    }

    /// It may have to look for its key.
    async fn open(&self, place: SecretPlace, sealed: &SealedSecret) -> Result<Secret, SealError> {
        self.world.pass(self.process, Gate::Sealer).await;
        self.world.sealer.open(place, sealed).await
    }
}

#[async_trait]
impl RefreshTokens for Port {
    /// The request is made at once: between a process's last look at its lease and its request there is nothing.
    async fn refresh_token(
        &self,
        _: &ProviderConnection,
        request: &RefreshRequest,
    ) -> Result<TokenSet, UpstreamError> {
        let (behaviour, answer) = self.world.ask_provider(self.process, request.refresh_token.expose());
        let unavailable = |reason| Err(UpstreamError::Unavailable { reason, retry_after: None });
        match behaviour {
            Behaviour::Prompt => {
                self.world.pass(self.process, Gate::Answer).await;
                answer
            }
            Behaviour::Slow(time) => {
                self.world.sleep(self.process, time).await;
                answer
            }
            Behaviour::AnswerLost => unavailable("response_failed"),
            Behaviour::Hangs => std::future::pending().await,
            Behaviour::Busy => unavailable("status_503"),
            Behaviour::NotReached => unavailable("connection_failed"),
        }
    }
}

/// The provider's client over that port.
pub(crate) fn clients(port: Port) -> Arc<dyn ProviderClients> {
    let mut client = MockProviderClient::new();
    let model = port.world.manners.model;
    client.expect_refresh_model().return_const(model);
    client.expect_idle_limit().return_const(None);
    client.expect_refresh().returning(move || Some(Arc::new(port.clone())));
    client.expect_revoke().returning(|_| {
        let mut revoke = MockRevokeTokens::new();
        revoke.expect_scope().return_const(RevocationScope::Pair);
        Some(Arc::new(revoke) as Arc<dyn RevokeTokens>)
    });
    let client: Arc<dyn ProviderClient> = Arc::new(client);
    let mut clients = MockProviderClients::new();
    clients.expect_client().returning(move |_| Some(Arc::clone(&client)));
    Arc::new(clients)
}

/// A time as a difference of times.
pub(crate) fn time_delta(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).expect("a run is short")
}
