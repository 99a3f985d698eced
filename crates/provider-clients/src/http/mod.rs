//! The one HTTP client: every call to a provider goes through it.

mod answer;
mod blocked;
mod call;
mod guarded_client;
mod links;
mod network_policy;
mod ranges;
mod resolver;

pub(crate) use answer::Answer;
#[cfg(test)]
pub(crate) use answer::tests::answer as tests_answer;
pub(crate) use call::Call;
pub(crate) use guarded_client::{CallError, GuardedClient};
pub(crate) use links::link_to;
pub use network_policy::NetworkPolicy;
