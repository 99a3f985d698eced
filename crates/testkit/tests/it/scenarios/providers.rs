//! Registering, listing and changing providers.

use std::collections::BTreeSet;

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::providers::{
    NewProvider, Provider, ProviderFilter, ProviderKind, ProviderStatus, ProviderUpdate,
    RegisterProviderError, RequestedStatus, RevocationScope, Slug, UpdateProviderError,
};
use grantkeeper_domain::{Change, Secret};
use tokio::task::JoinSet;

use super::world::{World, new_provider};

fn slug(provider: &Provider) -> &str {
    provider.slug.as_ref().expect("a slug").as_str()
}

#[tokio::test]
async fn providers_of_one_name_are_numbered() {
    let world = World::new().await;
    for expected in ["gitlab", "gitlab-2", "gitlab-3"] {
        assert_eq!(slug(&world.register("GitLab").await), expected);
    }
    let stranger = world.stranger().await;
    let elsewhere = world.app.register_provider.run(&stranger, new_provider("GitLab")).await.unwrap();
    assert_eq!(slug(&elsewhere.provider), "gitlab", "organizations do not meet");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn providers_that_are_registered_at_once_get_different_slugs() {
    let world = World::new().await;
    let mut registering = JoinSet::new();
    for _ in 0..16 {
        let (register, admin) = (world.app.register_provider.clone(), world.admin.clone());
        registering.spawn(async move {
            let view = register.run(&admin, new_provider("GitLab")).await.unwrap();
            slug(&view.provider).to_owned()
        });
    }
    let slugs: BTreeSet<String> = registering.join_all().await.into_iter().collect();
    assert_eq!(slugs.len(), 16);
    assert!(slugs.contains("gitlab") && slugs.contains("gitlab-16"), "{slugs:?}");
}

#[tokio::test]
async fn a_slug_of_ones_own_has_to_be_free() {
    let world = World::new().await;
    let own = || NewProvider { slug: Some(Slug::parse("mine").unwrap()), ..new_provider("GitLab") };
    world.app.register_provider.run(&world.admin, own()).await.unwrap();
    match world.app.register_provider.run(&world.admin, own()).await {
        Err(RegisterProviderError::Invalid(error)) => assert_eq!(error.field, "slug"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_type_that_is_not_offered_is_refused() {
    let world = World::new().await;
    let other = NewProvider { kind: ProviderKind::Github, ..new_provider("GitHub") };
    match world.app.register_provider.run(&world.admin, other).await {
        Err(RegisterProviderError::Invalid(error)) => assert_eq!(error.field, "type"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn scopes_are_those_of_the_type_unless_they_are_named() {
    let world = World::new().await;
    assert_eq!(world.register("One").await.scopes, Scopes::parse("openid offline_access"));
    let named = NewProvider { scopes: Some(Scopes::parse("openid api")), ..new_provider("Two") };
    let view = world.app.register_provider.run(&world.admin, named).await.unwrap();
    assert_eq!(view.provider.scopes, Scopes::parse("openid api"));
    assert_eq!(view.revocation_scope, Some(RevocationScope::Grant));
}

#[tokio::test]
async fn only_administrators_change_providers() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let registered = world.app.register_provider.run(&world.member, new_provider("GitLab")).await;
    assert!(matches!(registered, Err(RegisterProviderError::Forbidden(_))));
    let updated = world.app.update_provider.run(&world.member, provider, ProviderUpdate::default()).await;
    assert!(matches!(updated, Err(UpdateProviderError::Forbidden(_))));
    assert!(world.app.delete_provider.run(&world.member, provider).await.is_err());
    let stranger = world.stranger().await;
    let updated = world.app.update_provider.run(&stranger, provider, ProviderUpdate::default()).await;
    assert!(matches!(updated, Err(UpdateProviderError::NotFound)));
    assert!(world.app.delete_provider.run(&stranger, provider).await.is_err());
    assert!(world.app.view_provider.run(&stranger, provider).await.is_err());
}

#[tokio::test]
async fn a_status_follows_from_what_is_changed() {
    use ProviderStatus::{Active, Disabled, Inactive};
    for (before, new_secret, requested, after) in [
        (Active, false, None, Active),
        (Active, true, None, Active),
        (Active, false, Some(RequestedStatus::Inactive), Inactive),
        (Active, false, Some(RequestedStatus::Disabled), Disabled),
        (Inactive, false, None, Inactive),
        (Inactive, true, None, Inactive),
        (Inactive, false, Some(RequestedStatus::Active), Active),
        (Disabled, false, None, Disabled),
        (Disabled, true, None, Active),
        (Disabled, false, Some(RequestedStatus::Active), Active),
        (Disabled, true, Some(RequestedStatus::Inactive), Inactive),
        (Disabled, true, Some(RequestedStatus::Disabled), Disabled),
    ] {
        let world = World::new().await;
        let row = Provider { status: before, ..world.register("GitLab").await };
        world.commit(vec![Change::update(row.clone())]).await;
        let update = ProviderUpdate {
            client_secret: new_secret.then(|| Secret::new("new".to_owned())),
            status: requested,
            ..ProviderUpdate::default()
        };
        let view = world.app.update_provider.run(&world.admin, row.id, update).await.unwrap();
        let case = format!("{before:?}, new secret: {new_secret}, {requested:?}");
        assert_eq!(view.provider.status, after, "{case}");
        assert_eq!(view.provider.client_secret != row.client_secret, new_secret, "{case}");
        assert_eq!(view.provider.credential_id, row.credential_id, "{case}");
        assert_eq!(world.stored_provider(row.id).await.unwrap(), view.provider, "{case}");
    }
}

#[tokio::test]
async fn what_is_not_named_stays() {
    let world = World::new().await;
    let before = world.register("GitLab").await;
    world.pass(10);
    let update = ProviderUpdate { name: Some("Our GitLab".to_owned()), ..ProviderUpdate::default() };
    let after = world.app.update_provider.run(&world.admin, before.id, update).await.unwrap().provider;
    assert_eq!(slug(&after), "gitlab", "a name is no key");
    let expected = Provider {
        name: "Our GitLab".to_owned(),
        updated_at: world.now(),
        version: before.version.next(),
        ..before
    };
    assert_eq!(after, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_at_once_are_all_kept() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let mut changing = JoinSet::new();
    let named = |name: &str| ProviderUpdate { name: Some(name.to_owned()), ..ProviderUpdate::default() };
    for update in [
        named("Our GitLab"),
        ProviderUpdate { skip_consent: Some(true), ..ProviderUpdate::default() },
        ProviderUpdate { scopes: Some(Scopes::parse("openid api")), ..ProviderUpdate::default() },
        ProviderUpdate { device_flow: Some(true), ..ProviderUpdate::default() },
        ProviderUpdate { status: Some(RequestedStatus::Inactive), ..ProviderUpdate::default() },
    ] {
        let (change, admin) = (world.app.update_provider.clone(), world.admin.clone());
        changing.spawn(async move { change.run(&admin, provider, update).await.map(|_| ()) });
    }
    for changed in changing.join_all().await {
        changed.unwrap();
    }
    let row = world.stored_provider(provider).await.unwrap();
    assert_eq!((row.name.as_str(), row.skip_consent, row.device_flow), ("Our GitLab", Some(true), true));
    assert_eq!((row.scopes, row.status), (Scopes::parse("openid api"), ProviderStatus::Inactive));
    assert_eq!(row.version.get(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_deletions_at_once_one_queues_a_job() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let mut deleting = JoinSet::new();
    for _ in 0..8 {
        let (delete, admin) = (world.app.delete_provider.clone(), world.admin.clone());
        deleting.spawn(async move { delete.run(&admin, provider).await.is_ok() });
    }
    let queued = deleting.join_all().await.into_iter().filter(|queued| *queued).count();
    assert_eq!(queued, 1);
    assert_eq!(world.app.view_jobs.list(&world.admin, None, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_is_narrowed_by_what_is_asked() {
    let world = World::new().await;
    let one = world.register("One").await.id;
    world.pass(1);
    let host = "https://gitlab.example/sub";
    world.provider.change(|state| host.clone_into(&mut state.endpoints.issuer));
    let elsewhere = NewProvider { host: Some(host.to_owned()), ..new_provider("Two") };
    let two = world.app.register_provider.run(&world.admin, elsewhere).await.unwrap().provider.id;
    let list = async |filter: ProviderFilter| -> Vec<ProviderId> {
        let found = world.app.list_providers.run(&world.member, &filter).await.unwrap();
        found.into_iter().map(|view| view.provider.id).collect()
    };
    let hosts = |host: &str| ProviderFilter { hosts: vec![host.to_owned()], ..ProviderFilter::default() };
    let ids = |ids: Vec<ProviderId>| ProviderFilter { ids, ..ProviderFilter::default() };
    let unknown = "019b76da-a87b-77fc-b32e-4e82d6400cff".parse().unwrap();
    assert_eq!(list(ProviderFilter::default()).await, [one, two]);
    assert_eq!(list(ProviderFilter { newest_first: true, ..ProviderFilter::default() }).await, [two, one]);
    assert_eq!(list(ids(vec![two, unknown])).await, [two]);
    assert_eq!(list(ids(vec![unknown])).await, []);
    for host in ["https://gitlab.example/sub", "https://gitlab.example/sub/", "gitlab.example"] {
        assert_eq!(list(hosts(host)).await, [two], "{host}");
    }
    for host in ["https://gitlab.example", "example", ""] {
        assert_eq!(list(hosts(host)).await, [], "{host}");
    }
    let kinds = |kind| ProviderFilter { kinds: vec![kind], ..ProviderFilter::default() };
    assert_eq!(list(kinds(ProviderKind::Oidc)).await, [one, two]);
    assert_eq!(list(kinds(ProviderKind::Box)).await, []);
}
