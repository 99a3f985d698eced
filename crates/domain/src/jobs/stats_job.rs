//! Counting what an organization has and did.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Job, JobDetail, JobEnd};
use crate::StoreError;
use crate::audit::{AuditAction, AuditLog, AuditOutcome};
use crate::authorizations::{AuthorizationStore, AuthorizationView};
use crate::ids::OrganizationId;
use crate::providers::{Provider, ProviderCatalog, ProviderStatus};
use crate::services::Clock;

/// Does the work of [`super::JobKind::Stats`].
pub struct StatsJob {
    /// Reads providers.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Reads authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Counts what was done.
    pub audit: Arc<dyn AuditLog>,
    /// Writes the report.
    pub end: Arc<JobEnd>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// How many authorizations are read at once.
const PAGE: u32 = 500;

type Counts = BTreeMap<&'static str, u64>;

impl StatsJob {
    pub(super) async fn run(&self, job: Job) -> Result<(), StoreError> {
        let details = self.count(job.organization_id).await?;
        self.end.completed(job, details).await
    }

    async fn count(&self, organization: OrganizationId) -> Result<Vec<JobDetail>, StoreError> {
        let (mut by_type, mut by_status, mut authorizations) = (Counts::new(), Counts::new(), Counts::new());
        for provider in self.catalog.providers(organization).await? {
            if !provider.is_visible() {
                continue;
            }
            *by_type.entry(provider.kind.as_str()).or_default() += 1;
            *by_status.entry(shown_status(provider.status)).or_default() += 1;
            self.count_authorizations(&provider, &mut authorizations).await?;
        }
        let tally = self.audit.tally(organization).await?;
        let done = |action, outcomes: &[AuditOutcome]| -> u64 {
            let counted = tally.iter().filter(|(what, how, _)| *what == action && outcomes.contains(how));
            counted.map(|(_, _, count)| count).sum()
        };
        let failed = [AuditOutcome::Failed, AuditOutcome::Refused];
        Ok(vec![
            JobDetail::new("providers_by_type", json(&by_type)),
            JobDetail::new("providers_by_status", json(&by_status)),
            JobDetail::new("authorizations_by_status", json(&authorizations)),
            JobDetail::new("hand_outs", done(AuditAction::TokenHandedOut, &[AuditOutcome::Done])),
            JobDetail::new("refreshes", done(AuditAction::TokenRefreshed, &[AuditOutcome::Done])),
            JobDetail::new("refresh_failures", done(AuditAction::TokenRefreshed, &failed)),
        ])
    }

    async fn count_authorizations(&self, provider: &Provider, counts: &mut Counts) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut after = None;
        loop {
            let page = self.authorizations.authorizations_at(provider.id, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
            for authorization in page {
                let status = AuthorizationView::of(authorization, provider.clone(), now).status;
                *counts.entry(status.as_str()).or_default() += 1;
            }
        }
    }
}

/// As the API shows it.
fn shown_status(status: ProviderStatus) -> &'static str {
    match status {
        ProviderStatus::DeletionFailed | ProviderStatus::Deleting => "deleted",
        ProviderStatus::Active | ProviderStatus::Inactive | ProviderStatus::Disabled => status.as_str(),
    }
}

fn json(counts: &Counts) -> String {
    serde_json::to_string(counts).expect("a map of names to numbers always serializes")
}
