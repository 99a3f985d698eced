//! Waiting for the person of a device login.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio_util::sync::CancellationToken;

use super::{DevicePoll, LoginError, LoginOutcomes, LoginRoute, LoginStage, LoginStore, ReleaseToken};
use crate::accounts::IssuedToken;
use crate::authorizations::{DeviceCode, PollDeviceFlow, PollPace, Polled};
use crate::login::Login;
use crate::persist::Persistence;
use crate::providers::{AuthorizeDevices, Provider, ProviderCatalog, ProviderClients, ProviderStatus};
use crate::secret::SecretHash;
use crate::services::Clock;
use crate::{BackgroundTasks, Change, CommitError, Secret, StoreError, UnitOfWork};

/// Waits until the person has answered, and releases the token. The provider is asked no more often than it wants, however
/// many wait; those who wait for one login in one process get one answer.
#[derive(Clone)]
pub struct CompleteDeviceLogin {
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Reads logins.
    pub logins: Arc<dyn LoginStore>,
    /// Tells whether the provider has a device flow.
    pub clients: Arc<dyn ProviderClients>,
    /// Asks the provider.
    pub poll: Arc<PollDeviceFlow>,
    /// Decides what comes of it.
    pub(crate) outcomes: Arc<LoginOutcomes>,
    /// Makes tokens.
    pub(crate) release: Arc<ReleaseToken>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Where the provider is asked: detached from the client.
    pub tasks: BackgroundTasks,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who waits in this process.
    pub(crate) waits: Waits,
}

/// What one who waits gets; all who wait for one login get the same.
pub type Awaited = Result<Arc<IssuedToken>, Arc<LoginError>>;

/// How long to rest after somebody else has asked the provider, or the store was away.
const REST: Duration = Duration::from_secs(1);

impl CompleteDeviceLogin {
    /// Waits with the client's handle. Dropping this ends the wait; what the provider has just granted is kept all the same,
    /// and can be asked for again.
    pub async fn run(&self, handle: &Secret, request_id: Option<String>) -> Awaited {
        let handle = SecretHash::of(handle.expose());
        let wait = |entry: Entry| {
            let this = self.clone();
            async move {
                this.wait_until_stopped(&entry.handle, request_id).await.map(Arc::new).map_err(Arc::new)
            }
            .boxed()
        };
        self.waits.join(&handle, wait).await
    }

    /// Ends every wait of this process, those too that begin from now on: a process that stops does not wait for people.
    /// The logins go on; whoever is told to try again can do so at another process.
    pub fn stop(&self) {
        self.waits.stopped.cancel();
    }

    async fn wait_until_stopped(
        &self,
        handle: &SecretHash,
        request_id: Option<String>,
    ) -> Result<IssuedToken, LoginError> {
        tokio::select! {
            // What is there already is not kept from anybody.
            biased;
            awaited = self.wait(handle, request_id) => awaited,
            () = self.waits.stopped.cancelled() => {
                Err(LoginError::Unavailable { reason: LoginError::STOPPING.to_owned() })
            }
        }
    }

    async fn wait(&self, handle: &SecretHash, request_id: Option<String>) -> Result<IssuedToken, LoginError> {
        let mut login = self.find(handle).await?;
        loop {
            let end = login.expires_at;
            match self.step(login, request_id.as_deref()).await {
                Ok(Some(issued)) => return Ok(issued),
                Ok(None) => {}
                Err(LoginError::Store(StoreError::Unavailable(_))) => self.clock.sleep(REST).await,
                Err(error) => return Err(error),
            }
            login = self.find_again(handle, end).await?;
        }
    }

    /// The token, where it may be had; else the next thing to do is done, or waited for.
    async fn step(&self, login: Login, request_id: Option<&str>) -> Result<Option<IssuedToken>, LoginError> {
        let now = self.clock.now();
        if login.is_over(now) {
            return Err(LoginError::refused("expired_token"));
        }
        let LoginRoute::Device(device) = &login.route else {
            return Err(LoginError::refused("unknown_session"));
        };
        let rest = match login.stage.clone() {
            LoginStage::Granted { .. } | LoginStage::Released { .. } => {
                return Box::pin(self.release.run(login, request_id)).await.map(Some);
            }
            LoginStage::Ended(end) => return Err(end.into()),
            LoginStage::Identified(_) => return Err(LoginError::UnknownState),
            // Beyond the login's end too: the answer that is on its way may be the person's yes.
            LoginStage::Asking { .. } if login.is_being_asked(now) => REST,
            LoginStage::Pending | LoginStage::Asking { .. } => {
                let left = (login.expires_at - now).to_std().unwrap_or_default();
                device.pace.time_to_wait(now).min(left)
            }
        };
        // Thousands may wait: what is only needed for a moment takes no room meanwhile.
        if rest.is_zero() {
            Box::pin(self.ask_once(login)).await?;
        } else {
            self.clock.sleep(rest).await;
        }
        Ok(None)
    }

    async fn find(&self, handle: &SecretHash) -> Result<Login, LoginError> {
        let login = self.logins.login_by_handle(handle).await?;
        login.ok_or_else(|| LoginError::refused("unknown_session"))
    }

    /// A store that is away for a while must not cost the person their patience. Once the codes are no longer good there is
    /// nothing left to wait for.
    async fn find_again(&self, handle: &SecretHash, end: DateTime<Utc>) -> Result<Login, LoginError> {
        loop {
            match self.find(handle).await {
                Err(LoginError::Store(StoreError::Unavailable(_))) if self.clock.now() < end => {
                    self.clock.sleep(REST).await;
                }
                found => return found,
            }
        }
    }

    /// Asks the provider, unless somebody else does. Detached as a whole: a client who leaves must not cost the person what
    /// they have just said.
    async fn ask_once(&self, login: Login) -> Result<(), LoginError> {
        let provider = self.catalog.provider(login.organization_id, login.provider_id).await?;
        let usable = |provider: &Provider| {
            provider.status == ProviderStatus::Active && provider.endpoints.digest() == login.endpoints
        };
        let unable = || LoginError::NotAllowed { reason: LoginError::NOT_AVAILABLE };
        let provider = provider.filter(usable).ok_or_else(unable)?;
        let device = provider.device_flow_of(&*self.clients).ok_or_else(unable)?;
        let this = self.clone();
        let asking = self.tasks.start(async move { this.ask(login, &provider, &*device).await });
        if let Ok(asked) = asking.await {
            return Ok(asked?);
        }
        // It panicked: what is in the row is taken up when it counts as dead.
        self.clock.sleep(REST).await;
        Ok(())
    }

    async fn ask(
        &self,
        login: Login,
        provider: &Provider,
        device: &dyn AuthorizeDevices,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let claimed = login.at(LoginStage::Asking { since: now }).paced(|pace| pace.after_asking(now));
        match self.store.commit(vec![Change::update(claimed.clone())]).await {
            Ok(()) => {}
            Err(CommitError::Conflict) => return Ok(()),
            Err(error) => return Err(error.into_store_error()),
        }
        let login = claimed.stored();
        let LoginRoute::Device(DevicePoll { device_code, .. }) = &login.route else {
            return Ok(());
        };
        let code = DeviceCode {
            place: Login::device_code_place(login.organization_id, login.id),
            sealed: device_code,
            scopes: &login.scopes,
        };
        match self.poll.ask(provider, device, &code).await? {
            Polled::Ended(answered) => self.outcomes.settle(login, provider, &answered).await,
            Polled::Open(open) => {
                let (now, end) = (self.clock.now(), login.expires_at);
                let pending = login.at(LoginStage::Pending).paced(|pace| open.pace(pace, now, end));
                self.go_on(pending).await
            }
        }
    }

    /// The person has not decided: somebody may ask again. Until that is in the store nobody does.
    async fn go_on(&self, pending: Login) -> Result<(), StoreError> {
        let mut persistence = Persistence::new(&self.clock);
        loop {
            match self.store.commit(vec![Change::update(pending.clone())]).await {
                // Whoever has written meanwhile knows more.
                Ok(()) | Err(CommitError::Conflict) => return Ok(()),
                Err(error) => persistence.after(error).await?,
            }
        }
    }
}

impl Login {
    /// With another pace of polls, where it is polled at all.
    fn paced(mut self, pace: impl FnOnce(PollPace) -> PollPace) -> Self {
        if let LoginRoute::Device(device) = &mut self.route {
            device.pace = pace(device.pace);
        }
        self
    }
}

type Wait = BoxFuture<'static, Awaited>;

/// The waits of one process: one for each login, which lives as long as somebody waits.
#[derive(Clone, Default)]
pub(crate) struct Waits {
    running: Arc<Mutex<HashMap<SecretHash, Running>>>,
    /// Nobody waits any more.
    stopped: CancellationToken,
}

struct Running {
    /// Tells it from another one of the same login.
    number: u64,
    wait: WeakShared<Wait>,
}

impl Waits {
    /// The wait of that login: the one that is running, or else a new one.
    fn join(&self, handle: &SecretHash, begin: impl FnOnce(Entry) -> Wait) -> Shared<Wait> {
        let mut running = self.running();
        let known = running.get(handle);
        if let Some(wait) = known.and_then(|known| known.wait.upgrade()) {
            return wait;
        }
        let number = known.map_or(0, |gone| gone.number + 1);
        let wait = begin(Entry { waits: self.clone(), handle: handle.clone(), number }).shared();
        if let Some(weak) = wait.downgrade() {
            running.insert(handle.clone(), Running { number, wait: weak });
        }
        wait
    }

    fn running(&self) -> MutexGuard<'_, HashMap<SecretHash, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.running().len()
    }
}

/// Takes a wait out of the map when it ends, or when nobody waits any more.
struct Entry {
    waits: Waits,
    handle: SecretHash,
    number: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut running = self.waits.running();
        if running.get(&self.handle).is_some_and(|known| known.number == self.number) {
            running.remove(&self.handle);
        }
    }
}

#[cfg(test)]
mod tests;
