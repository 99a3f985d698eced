//! What the rows of every noun have in common, and the rules they keep among each other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::State;
use super::commit::Transaction;
use crate::accounts::{Account, ApiToken, Organization};
use crate::authorizations::{Authorization, DeviceFlow, Flow};
use crate::ids::{
    AccountId, ApiTokenId, AuthorizationId, DeviceFlowId, FlowId, JobId, LoginId, LoginIdentityId,
    OrganizationId, ProviderId, RevocationId,
};
use crate::jobs::Job;
use crate::login::{Login, LoginIdentity};
use crate::providers::Provider;
use crate::revocations::Revocation;
use crate::{Unique, Version};

/// The rows of a noun by their ids.
pub(super) type Table<N> = BTreeMap<<N as Keyed>::Id, N>;

/// A row with an id, an age and a version.
pub(super) trait Keyed: Clone + 'static {
    type Id: Copy + Ord + 'static;

    fn id(&self) -> Self::Id;
    /// What "oldest first" goes by.
    fn age(&self) -> (DateTime<Utc>, Self::Id);
    fn version(&self) -> Version;
    fn set_version(&mut self, version: Version);
    fn table(state: &State) -> &Table<Self>;
    fn table_mut(state: &mut State) -> &mut Table<Self>;
}

/// A row and its place among the others.
pub(super) trait Noun: Keyed {
    /// The first uniqueness rule, other than that of the id, that the row breaks.
    fn duplicate_in(&self, _state: &State) -> Option<Unique> {
        None
    }

    /// What the row refers to and is not there.
    fn missing_in(&self, state: &State) -> Option<&'static str>;

    /// What refers to the row and so keeps it from being deleted.
    fn needed_in(&self, _state: &State) -> Option<&'static str> {
        None
    }

    /// Adds what comes with the row.
    fn bring_along(&self, _transaction: &mut Transaction<'_>) {}

    /// Deletes what goes with the row.
    fn take_along(&self, _transaction: &mut Transaction<'_>) {}
}

macro_rules! tables {
    ($($table:ident: $id:ident => $noun:ident),+ $(,)?) => {$(
        impl Keyed for $noun {
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }

            fn age(&self) -> (DateTime<Utc>, $id) {
                (self.created_at, self.id)
            }

            fn version(&self) -> Version {
                self.version
            }

            fn set_version(&mut self, version: Version) {
                self.version = version;
            }

            fn table(state: &State) -> &Table<Self> {
                &state.$table
            }

            fn table_mut(state: &mut State) -> &mut Table<Self> {
                &mut state.$table
            }
        }
    )+};
}

tables! {
    organizations: OrganizationId => Organization,
    accounts: AccountId => Account,
    api_tokens: ApiTokenId => ApiToken,
    providers: ProviderId => Provider,
    authorizations: AuthorizationId => Authorization,
    flows: FlowId => Flow,
    device_flows: DeviceFlowId => DeviceFlow,
    logins: LoginId => Login,
    login_identities: LoginIdentityId => LoginIdentity,
    jobs: JobId => Job,
    revocations: RevocationId => Revocation,
}

impl State {
    pub(super) fn lacks<N: Noun>(&self, id: N::Id, name: &'static str) -> Option<&'static str> {
        self.row::<N>(id).is_none().then_some(name)
    }

    pub(super) fn has<N: Noun>(
        &self,
        name: &'static str,
        matches: impl Fn(&N) -> bool,
    ) -> Option<&'static str> {
        self.find(matches).is_some().then_some(name)
    }
}
