//! What the tests of the refresh engine have in common: one process of it over mocks, in virtual time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mockall::TimesRange;

use super::{
    AwaitedAnswers, ClaimedRefresh, InFlight, MockRefreshLeases, ProviderGates, RefreshEnd, RefreshLease,
    RefreshOutcome, RefreshTokensOnce, RefreshTurn, TakenLease, TokenSettings, UnansweredRequest,
};
use crate::authorizations::{Authorization, MockAuthorizationStore};
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, expired, keeping, new_tokens, offering,
    provider, revoking_client, sealed,
};
use crate::providers::{
    MockRefreshTokens, Provider, ProviderClients, RefreshModel, RefreshTokens, RevocationScope, TokenSet,
    UpstreamError,
};
use crate::services::Clock;
use crate::{BackgroundTasks, Change, StoreError, UnitOfWork};

pub(super) type Found = Option<(Authorization, Provider)>;

/// The lease under which it all happens has this fence.
pub(super) const FENCE: i64 = 7;

/// One process: every part of it sensible, to be replaced where a test wants another.
pub(super) struct Bench {
    pub(super) authorizations: Arc<MockAuthorizationStore>,
    pub(super) leases: MockRefreshLeases,
    pub(super) clients: Arc<dyn ProviderClients>,
    pub(super) store: Arc<dyn UnitOfWork>,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) gates: Option<Arc<ProviderGates>>,
}

impl Bench {
    /// An expired token, a lease that holds, a provider that gives new tokens, and a store that takes everything.
    pub(super) fn new() -> Self {
        Self {
            authorizations: keeping(expired(), provider()),
            leases: holding_leases(),
            clients: giving_tokens(..),
            store: Commits::default().store(),
            clock: VirtualClock::adjustable(),
            gates: None,
        }
    }

    pub(super) fn turn(self) -> Arc<RefreshTurn> {
        let settings = TokenSettings::default();
        let clock: Arc<dyn Clock> = self.clock;
        let gates = self.gates.unwrap_or_else(|| ProviderGates::new(Arc::clone(&clock), 1, 1));
        Arc::new(RefreshTurn {
            authorizations: self.authorizations,
            leases: Arc::new(self.leases),
            clients: self.clients,
            sealer: LabelSealer::shared(),
            store: self.store,
            clock,
            random: CountingRandom::shared(),
            settings,
            gates,
            awaited: AwaitedAnswers::default(),
        })
    }

    pub(super) fn engine(self) -> Arc<RefreshTokensOnce> {
        let turn = self.turn();
        Arc::new(RefreshTokensOnce {
            authorizations: Arc::clone(&turn.authorizations),
            leases: Arc::clone(&turn.leases),
            tasks: BackgroundTasks::on_current_runtime(),
            clock: Arc::clone(&turn.clock),
            settings: turn.settings,
            holder: "holder".to_owned(),
            in_flight: InFlight::default(),
            turn,
        })
    }

    /// Refreshes the expired token under a lease that has just been taken.
    pub(super) async fn run(self) -> Result<RefreshOutcome, StoreError> {
        self.run_under(lease()).await
    }

    pub(super) async fn run_under(self, lease: RefreshLease) -> Result<RefreshOutcome, StoreError> {
        let turn = self.turn();
        turn.run(claimed(lease), turn.clock.monotonic(), None).await
    }
}

pub(super) fn claimed(lease: RefreshLease) -> ClaimedRefresh {
    ClaimedRefresh { lease, authorization: expired(), provider: provider().into(), last_used_at: None }
}

pub(super) fn lease() -> RefreshLease {
    let (authorization_id, holder) = (expired().id, "holder".to_owned());
    RefreshLease { authorization_id, holder, fence: FENCE, unanswered: None }
}

/// A lease that was taken from a holder who has made a request and is silent since.
pub(super) fn lease_of_the_dead() -> RefreshLease {
    RefreshLease { unanswered: Some(unanswered(START)), ..lease() }
}

/// A request of the holder before, who has not given it up.
pub(super) fn unanswered(asked_at: DateTime<Utc>) -> UnansweredRequest {
    UnansweredRequest { fence: FENCE - 1, asked_at, given_up: false }
}

/// Leases that nobody takes away.
pub(super) fn holding_leases() -> MockRefreshLeases {
    let mut leases = MockRefreshLeases::new();
    leases.expect_take_lease().returning(|_, _, _, _| Ok(TakenLease::Taken(lease())));
    leases.expect_keep_lease().returning(|_| Ok(true));
    leases.expect_note_request().returning(|_, _| Ok(true));
    leases
}

/// A strict provider that gives new tokens for the old refresh token, `times` times.
pub(super) fn giving_tokens(times: impl Into<TimesRange>) -> Arc<dyn ProviderClients> {
    at_a(RefreshModel::Rotating, None, asked(times, || Ok(new_tokens())))
}

pub(super) fn failing(error: UpstreamError) -> Arc<dyn ProviderClients> {
    at_a(RefreshModel::Rotating, None, asked(1, move || Err(error.clone())))
}

/// What is asked `times` times with the old refresh token, and answers like this.
pub(super) fn asked(
    times: impl Into<TimesRange>,
    answer: impl Fn() -> Result<TokenSet, UpstreamError> + Send + 'static,
) -> MockRefreshTokens {
    let mut refresh = MockRefreshTokens::new();
    refresh
        .expect_refresh_token()
        .withf(|connection, request| {
            connection.client_secret.expose() == "client secret"
                && request.refresh_token.expose() == "old refresh"
        })
        .times(times)
        .returning(move |_, _| answer());
    refresh
}

/// A provider of that model, whose revocations take that away.
pub(super) fn at_a(
    model: RefreshModel,
    scope: Option<RevocationScope>,
    refresh: impl RefreshTokens + 'static,
) -> Arc<dyn ProviderClients> {
    let refresh: Arc<dyn RefreshTokens> = Arc::new(refresh);
    let mut client = revoking_client(scope);
    client.expect_refresh_model().return_const(model);
    client.expect_refresh().returning(move || Some(Arc::clone(&refresh)));
    offering(client)
}

/// The row as it is found by each read in turn; the last one stays.
pub(super) fn found_in_turn(rows: impl IntoIterator<Item = Found>) -> Arc<MockAuthorizationStore> {
    let shared = |(row, provider)| (row, Arc::new(provider));
    let rows = rows.into_iter().map(|found| found.map(shared));
    let rows = Mutex::new(rows.collect::<VecDeque<_>>());
    let mut store = MockAuthorizationStore::new();
    store.expect_authorization().returning(move |_, _| {
        let mut rows = rows.lock().unwrap();
        Ok(if rows.len() > 1 { rows.pop_front().flatten() } else { rows[0].clone() })
    });
    Arc::new(store)
}

/// The row with other tokens, valid for an hour.
pub(super) fn with_tokens(access: &str, refresh: &str) -> Authorization {
    let row = expired();
    Authorization {
        access_token: sealed(row.access_token_place(), access),
        refresh_token: Some(sealed(row.refresh_token_place(), refresh)),
        expires_at: Some(START + TimeDelta::hours(1)),
        version: row.version.next(),
        ..row
    }
}

/// How refreshes ended in a commit.
pub(super) fn ends(changes: Vec<Change>) -> Vec<RefreshEnd> {
    let end = |change| if let Change::EndRefresh(end) = change { Some(end) } else { None };
    changes.into_iter().filter_map(end).collect()
}

pub(super) fn failed(reason: &str) -> RefreshOutcome {
    RefreshOutcome::Failed { reason: reason.to_owned() }
}

pub(super) fn dead(reason: &str) -> RefreshOutcome {
    RefreshOutcome::Dead { reason: reason.to_owned() }
}

pub(super) fn invalid_grant() -> UpstreamError {
    UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
