use std::sync::Mutex;

use super::*;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, VirtualClock, admin, caller, offering, opened, provider, row,
};
use crate::providers::{
    AuthorizeDevices, MockProviderCatalog, MockProviderClient, RefreshTokens, RevokeTokens,
};
use crate::{MockUnitOfWork, Version};

/// Changes the provider as it is found by each read in turn; the last one stays.
fn updating(rows: impl IntoIterator<Item = Option<Provider>>, store: Arc<MockUnitOfWork>) -> UpdateProvider {
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.reverse();
    let rows = Mutex::new(rows);
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(move |_, _| {
        let mut rows = rows.lock().unwrap();
        Ok(if rows.len() > 1 { rows.pop().flatten() } else { rows[0].clone() })
    });
    let mut client = MockProviderClient::new();
    client.expect_revoke().returning(|_| None::<Arc<dyn RevokeTokens>>);
    client.expect_refresh().returning(|| None::<Arc<dyn RefreshTokens>>);
    client.expect_device().returning(|_| None::<Arc<dyn AuthorizeDevices>>);
    client.expect_check_scopes().returning(|endpoints, app_slug, scopes| {
        let message = "needs openid".to_owned();
        assert_eq!((endpoints, app_slug), (&provider().endpoints, None), "those of the provider itself");
        if scopes.contains("openid") { Ok(()) } else { Err(RegistrationError { field: "scopes", message }) }
    });
    UpdateProvider {
        catalog: Arc::new(catalog),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
    }
}

fn named(name: &str) -> ProviderUpdate {
    ProviderUpdate { name: Some(name.to_owned()), ..ProviderUpdate::default() }
}

#[tokio::test(start_paused = true)]
async fn a_change_goes_on_top_of_somebody_elses() {
    let theirs = Provider { skip_consent: Some(true), version: Version::FIRST.next(), ..provider() };
    let commits = Commits::default();
    let store = commits.answering(|commit| if commit == 0 { Err(CommitError::Conflict) } else { Ok(()) });
    let updating = updating([Some(provider()), Some(theirs)], store);
    let view = updating.run(&admin(), provider().id, named("New")).await.unwrap();
    let stored = row!(commits.last(), Update(Provider));
    assert_eq!((stored.name.as_str(), stored.skip_consent), ("New", Some(true)));
    assert_eq!(
        (stored.version, view.provider.version),
        (Version::FIRST.next(), Version::FIRST.next().next())
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_deleted_meanwhile_is_gone() {
    let deleting = Provider { status: ProviderStatus::Deleting, ..provider() };
    for then in [None, Some(deleting)] {
        let store = Commits::default().answering(|_| Err(CommitError::Conflict));
        let updated =
            updating([Some(provider()), then], store).run(&admin(), provider().id, named("New")).await;
        assert!(matches!(updated, Err(UpdateProviderError::NotFound)), "{updated:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_at_fault_changes_nothing() {
    let failed = Provider { status: ProviderStatus::DeletionFailed, ..provider() };
    let scopes = ProviderUpdate { scopes: Some(Scopes::parse("email")), ..named("New") };
    let device_flow = ProviderUpdate { device_flow: Some(true), ..named("New") };
    for (at, update, field) in [
        (provider(), scopes, "scopes"),
        (provider(), device_flow, "deviceFlow"),
        (failed, named("New"), "status"),
    ] {
        let commits = Commits::default();
        match updating([Some(at)], commits.store()).run(&admin(), provider().id, update).await {
            Err(UpdateProviderError::Invalid(error)) => assert_eq!(error.field, field),
            other => panic!("{other:?}"),
        }
        assert_eq!(commits.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_is_sealed_in_its_place() {
    let commits = Commits::default();
    let client_secret = Some(Secret::new("new".to_owned()));
    let update = ProviderUpdate { client_secret, ..ProviderUpdate::default() };
    updating([Some(provider())], commits.store()).run(&admin(), provider().id, update).await.unwrap();
    let stored = row!(commits.last(), Update(Provider));
    assert_eq!(opened(stored.secret_place(), &stored.client_secret).as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn a_member_changes_nothing() {
    let commits = Commits::default();
    let updated =
        updating([Some(provider())], commits.store()).run(&caller(), provider().id, named("New")).await;
    assert!(matches!(updated, Err(UpdateProviderError::Forbidden(_))));
    assert_eq!(commits.count(), 0);
}
