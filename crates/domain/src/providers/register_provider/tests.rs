use super::*;
use crate::MockUnitOfWork;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, VirtualClock, admin, caller, endpoints, offering, opened, provider,
    row,
};
use crate::providers::{
    AuthorizeDevices, MockAuthorizeDevices, MockProviderCatalog, MockProviderClient, MockProviderClients,
    RefreshTokens, RevokeTokens,
};

fn offered() -> MockProviderClient {
    let mut client = MockProviderClient::new();
    client.expect_register().returning(|registration| {
        let scopes = registration.scopes.clone().unwrap_or_else(|| Scopes::parse("openid"));
        Ok(Registered { endpoints: endpoints(), scopes })
    });
    client.expect_refresh().returning(|| None::<Arc<dyn RefreshTokens>>);
    client.expect_device().returning(|_| None::<Arc<dyn AuthorizeDevices>>);
    client.expect_revoke().returning(|_| None::<Arc<dyn RevokeTokens>>);
    client
}

fn registering(taken: &[&str], client: MockProviderClient, store: Arc<MockUnitOfWork>) -> RegisterProvider {
    let slugged = |slug: &&str| Provider { slug: Some(Slug::parse(slug).unwrap()), ..provider() };
    let taken: Vec<Provider> = taken.iter().map(slugged).collect();
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_providers().returning(move |_| Ok(taken.clone()));
    RegisterProvider {
        catalog: Arc::new(catalog),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        store,
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
        settings: TokenSettings::default(),
    }
}

fn new(name: &str) -> NewProvider {
    NewProvider {
        kind: ProviderKind::Oidc,
        name: name.to_owned(),
        client_id: "client".to_owned(),
        client_secret: Secret::new("hush".to_owned()),
        slug: None,
        host: Some("https://provider.example".to_owned()),
        scopes: None,
        device_flow: false,
        app_slug: None,
        git_hosts: GitHosts::default(),
        skip_consent: None,
        keep_alive: None,
    }
}

fn slug(view: &ProviderView) -> &str {
    view.provider.slug.as_ref().unwrap().as_str()
}

/// The field that a registration was refused for.
fn refused_for(registered: Result<ProviderView, RegisterProviderError>) -> &'static str {
    match registered {
        Err(RegisterProviderError::Invalid(error)) => error.field,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_secret_is_sealed_in_its_place_and_the_endpoints_are_pinned() {
    let commits = Commits::default();
    let view = registering(&[], offered(), commits.store()).run(&admin(), new("GitLab")).await.unwrap();
    let stored = row!(commits.last(), Insert(Provider));
    assert_eq!(*stored, view.provider);
    assert_eq!(opened(stored.secret_place(), &stored.client_secret).as_deref(), Some("hush"));
    assert_eq!((&stored.endpoints, &stored.scopes), (&endpoints(), &Scopes::parse("openid")));
    assert_eq!(stored.status, ProviderStatus::Active);
    assert_eq!(commits.last_audited().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_member_registers_nothing_and_nobody_is_asked() {
    let mut registering = registering(&[], MockProviderClient::new(), Commits::default().store());
    registering.clients = Arc::new(MockProviderClients::new());
    let registered = registering.run(&caller(), new("GitLab")).await;
    assert!(matches!(registered, Err(RegisterProviderError::Forbidden(_))));
}

#[tokio::test(start_paused = true)]
async fn slugs_that_are_taken_are_passed_over() {
    let commits = Commits::default();
    let taken = ["gitlab", "gitlab-2", "gitlab-4"];
    let view = registering(&taken, offered(), commits.store()).run(&admin(), new("GitLab")).await.unwrap();
    assert_eq!((slug(&view), commits.count()), ("gitlab-3", 1));
}

#[tokio::test(start_paused = true)]
async fn a_slug_that_is_taken_at_that_very_moment_is_passed_over_too() {
    let commits = Commits::default();
    let taken = || Err(CommitError::Duplicate(Unique::ProviderSlug));
    let store = commits.answering(move |commit| if commit < 2 { taken() } else { Ok(()) });
    let view = registering(&[], offered(), store).run(&admin(), new("GitLab")).await.unwrap();
    assert_eq!(slug(&view), "gitlab-3");

    let store = commits.answering(move |_| taken());
    let own = NewProvider { slug: Some(Slug::parse("mine").unwrap()), ..new("GitLab") };
    assert_eq!(refused_for(registering(&[], offered(), store).run(&admin(), own).await), "slug");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_stored_of_what_cannot_be_registered() {
    let commits = Commits::default();
    let mut client = MockProviderClient::new();
    client
        .expect_register()
        .withf(|registration| registration.host.as_deref() == Some("https://provider.example"))
        .returning(|_| Err(invalid("host", "is not an issuer")));
    let registering = registering(&[], client, commits.store());
    assert_eq!(refused_for(registering.run(&admin(), new("GitLab")).await), "host");

    let device = NewProvider { device_flow: true, ..new("GitLab") };
    let registering = self::registering(&[], offered(), commits.store());
    assert_eq!(refused_for(registering.run(&admin(), device).await), "deviceFlow");
    assert_eq!(commits.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_client_is_told_all_that_bears_on_endpoints_and_scopes() {
    let commits = Commits::default();
    let mut client = MockProviderClient::new();
    let scopes = Scopes::parse("read:user");
    let expected = Registration {
        client_id: "client".to_owned(),
        host: None,
        app_slug: Some("our-app".to_owned()),
        scopes: Some(scopes),
    };
    client.expect_register().withf(move |registration| *registration == expected).times(1).returning(|_| {
        // An app has permissions in the place of scopes.
        Ok(Registered { endpoints: endpoints(), scopes: Scopes::default() })
    });
    client.expect_revoke().returning(|_| None::<Arc<dyn RevokeTokens>>);
    client.expect_device().returning(|_| Some(Arc::new(MockAuthorizeDevices::new())));
    client.expect_refresh().returning(|| None::<Arc<dyn RefreshTokens>>);
    let new = NewProvider {
        host: None,
        app_slug: Some("our-app".to_owned()),
        scopes: Some(Scopes::parse("read:user")),
        device_flow: true,
        ..new("GitHub")
    };
    registering(&[], client, commits.store()).run(&admin(), new).await.unwrap();
    let stored = row!(commits.last(), Insert(Provider));
    assert_eq!((stored.scopes, stored.device_flow), (Scopes::default(), true));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_otherwise_is_not_blamed_on_the_slug() {
    let store = Commits::default().answering(|_| Err(CommitError::Duplicate(Unique::Id)));
    let registered = registering(&[], offered(), store).run(&admin(), new("GitLab")).await;
    assert!(matches!(registered, Err(RegisterProviderError::Store(StoreError::Unexpected(_)))));
}
