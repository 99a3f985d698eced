//! How a flow of either kind ended, in the three columns that keep it.

use grantkeeper_domain::authorizations::FlowOutcome;

use crate::columns::Id;

/// An outcome, spread over its columns; without one, all of them are empty.
#[derive(Default)]
pub(crate) struct OutcomeColumns {
    pub(crate) outcome: Option<String>,
    pub(crate) authorization_id: Option<Id>,
    pub(crate) reason: Option<String>,
}

impl OutcomeColumns {
    pub(crate) fn of(outcome: &FlowOutcome) -> Self {
        let (outcome, authorization_id, reason) = match outcome {
            FlowOutcome::Authorized(id) => ("authorized", Some(Id::from(*id)), None),
            FlowOutcome::Refused(reason) => ("refused", None, Some(reason.clone())),
            FlowOutcome::Unavailable(reason) => ("unavailable", None, Some(reason.clone())),
        };
        Self { outcome: Some(outcome.to_owned()), authorization_id, reason }
    }

    /// The outcome, where the columns make one.
    pub(crate) fn read(self) -> Option<FlowOutcome> {
        match (self.outcome.as_deref(), self.authorization_id, self.reason) {
            (Some("authorized"), Some(id), None) => Some(FlowOutcome::Authorized(id.into())),
            (Some("refused"), None, Some(reason)) => Some(FlowOutcome::Refused(reason)),
            (Some("unavailable"), None, Some(reason)) => Some(FlowOutcome::Unavailable(reason)),
            _ => None,
        }
    }
}
