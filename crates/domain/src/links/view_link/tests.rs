use super::*;
use crate::authorizations::{Authorization, GrantState};
use crate::fixtures::{START, caller, provider};
use crate::links::fixtures::{insert, installation, link, linked, seconds};
use crate::login::fixtures::{Installation as World, bad_moment};
use crate::providers::{InstallationAccount, ProviderStatus};

async fn view(at: &World) -> LinkView {
    at.cases.view_link.run(&caller(), &provider()).await.unwrap()
}

/// The same at the provider of a registered app.
async fn view_app(at: &World) -> Option<AppInstallations> {
    let provider = Provider { app_slug: Some("keeper".to_owned()), ..provider() };
    at.cases.view_link.run(&caller(), &provider).await.unwrap().app
}

fn installed(id: i64) -> Installation {
    let account =
        InstallationAccount { id: 7, login: "acme".to_owned(), avatar_url: None, profile_url: None };
    Installation { id, account: Some(account), configure_url: None, suspended: false }
}

fn elapsed(at: &World) -> Duration {
    (at.clock.now() - START).to_std().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_not_linked_is_not_authenticated_and_is_no_error() {
    let at = installation().await;
    let expected = LinkView { authenticated: false, failure: None, user: None, app: None };
    assert_eq!(view(&at).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_link_shows_who_the_user_is_by_the_provider() {
    let at = linked("ada").await;
    let LinkView { authenticated, failure, user, app } = view(&at).await;
    assert_eq!((authenticated, failure, app), (true, None, None));
    assert_eq!(user.unwrap().nick_name.as_deref(), Some("ada"));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_cannot_be_checked_shows_who_the_user_was() {
    let at = linked("ada").await;
    for (error, reason) in [
        (bad_moment(), "connection_failed"),
        (UpstreamError::RateLimited { retry_after: None }, "rate_limited"),
    ] {
        at.idp.script().refuses.insert("ada", error);
        let LinkView { authenticated, failure, user, .. } = view(&at).await;
        assert_eq!((authenticated, failure), (true, Some(reason.to_owned())));
        assert_eq!(user, Some(link(&provider(), "ada").user));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_has_the_callers_patience() {
    let at = linked("ada").await;
    at.idp.script().slow.insert("ada", seconds(3600));
    let LinkView { authenticated, failure, .. } = view(&at).await;
    assert_eq!((authenticated, failure, elapsed(&at)), (true, Some("slow".to_owned()), seconds(4)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_link_shows_nobody() {
    let at = installation().await;
    insert(&at, Authorization { refresh_token: None, ..link(&provider(), "ada") }).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    let expected =
        LinkView { authenticated: false, failure: Some("invalid_token".to_owned()), user: None, app: None };
    assert_eq!(view(&at).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_dead_link_shows_nobody() {
    let at = installation().await;
    let grant = GrantState::Dead { reason: "invalid_grant".to_owned() };
    insert(&at, Authorization { grant, ..link(&provider(), "ada") }).await;
    let expected =
        LinkView { authenticated: false, failure: Some("invalid_grant".to_owned()), user: None, app: None };
    assert_eq!(view(&at).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_provider_refuses_is_refreshed_once_and_not_again_within_a_minute() {
    let at = linked("ada").await;
    for name in ["ada", "bea", "cyd"] {
        at.idp.script().refuses.insert(name, UpstreamError::TokenRefused);
    }
    at.idp.script().refreshes.as_mut().unwrap().extend([Ok("bea"), Ok("cyd")]);
    for _ in 0..5 {
        assert_eq!(view(&at).await.failure, Some("invalid_token".to_owned()));
    }
    assert_eq!(at.idp.script().refreshed, 1, "a page that is looked at each second costs no refresh each");
    at.sleep(60).await;
    view(&at).await;
    assert_eq!(at.idp.script().refreshed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_that_a_refresh_replaces_is_no_failure() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    let LinkView { authenticated, user, .. } = view(&at).await;
    assert_eq!((authenticated, user.unwrap().nick_name.as_deref()), (true, Some("bea")));
}

#[tokio::test(start_paused = true)]
async fn a_link_at_a_provider_that_is_paused_is_as_it_was() {
    let at = linked("ada").await;
    at.update(Provider { status: ProviderStatus::Inactive, ..provider() }).await;
    let LinkView { authenticated, failure, .. } = view(&at).await;
    assert_eq!((authenticated, failure), (true, Some("provider_not_active".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn an_app_tells_where_it_is_installed_and_where_one_installs_it() {
    let at = linked("ada").await;
    at.idp.script().installs = Some(Ok(vec![installed(1), installed(2)]));
    let app = view_app(&at).await.unwrap();
    assert_eq!(app.install_page.as_str(), "https://provider.example/apps/keeper");
    assert_eq!(app.installations, [installed(1), installed(2)]);
    assert_eq!(view(&at).await.app, None, "a registration without an app");
}

#[tokio::test(start_paused = true)]
async fn before_anything_is_linked_an_app_can_be_installed() {
    let at = installation().await;
    at.idp.script().installs = Some(Ok(vec![installed(1)]));
    let app = view_app(&at).await.unwrap();
    assert_eq!((app.install_page.path(), app.installations), ("/apps/keeper", Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_for_installations_with_a_token_that_is_refused() {
    let at = installation().await;
    insert(&at, Authorization { refresh_token: None, ..link(&provider(), "ada") }).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.idp.script().installs = Some(Ok(vec![installed(1)]));
    assert_eq!(view_app(&at).await.unwrap().installations, []);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_tell_of_installations_does_not_make_the_link_any_less() {
    for (answer, takes) in
        [(Err(bad_moment()), 0), (Err(UpstreamError::TokenRefused), 0), (Ok(vec![installed(1)]), 3600)]
    {
        let at = linked("ada").await;
        at.idp.script().installs = Some(answer);
        at.idp.script().takes = seconds(takes);
        let app = Provider { app_slug: Some("keeper".to_owned()), ..provider() };
        let view = at.cases.view_link.run(&caller(), &app).await.unwrap();
        assert!(view.authenticated && view.failure.is_none());
        assert_eq!(view.app.unwrap().installations, []);
        assert_eq!(elapsed(&at), seconds(takes.min(2)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_that_cannot_be_replaced_just_now_leaves_the_link_as_it_was_and_costs_nothing_more() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    for _ in 0..5 {
        let LinkView { authenticated, failure, user, .. } = view(&at).await;
        assert_eq!((authenticated, failure), (true, Some("connection_failed".to_owned())));
        assert_eq!(user, Some(link(&provider(), "ada").user));
        // Whoever asked now would hear that it is taken.
        at.idp.script().refuses.clear();
        at.sleep(11).await;
    }
    assert_eq!(at.idp.script().refreshed, 1);
    at.sleep(5).await;
    assert_eq!(view(&at).await.failure, None);
}

#[tokio::test(start_paused = true)]
async fn a_look_at_a_link_is_nothing_for_the_record() {
    let at = linked("ada").await;
    view(&at).await;
    at.idp.script().refuses.insert("ada", bad_moment());
    view(&at).await;
    assert!(at.has_audited_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_did_not_tell_of_the_user_is_not_asked_for_installations() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", bad_moment());
    at.idp.script().installs = Some(Ok(vec![installed(1)]));
    assert_eq!(view_app(&at).await.unwrap().installations, []);
}
