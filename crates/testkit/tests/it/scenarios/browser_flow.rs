//! The way over our own page: the person says yes there, and the browser that did so has to come back.

use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::authorizations::{
    CompleteFlowError, ConfirmFlowError, ConfirmedFlow, StartFlowRequest, StartedFlow,
};
use grantkeeper_domain::ids::{FlowId, ProviderId};
use grantkeeper_domain::providers::{ProviderUpdate, RequestedStatus};
use grantkeeper_domain::{Change, Secret};
use grantkeeper_testkit::scripted_provider::Call;

use super::world::{PUBLIC_URL, World, callback, copy};

const CODE: &str = "code:mo:1";

async fn start(world: &World, provider_id: ProviderId) -> (FlowId, StartedFlow) {
    let request = StartFlowRequest {
        provider_id,
        redirect_uri: None,
        state: None,
        skip_consent: None,
        return_to: None,
    };
    let started = world.app.start_flow.run(&world.member, request).await.ok().unwrap();
    let path = started.redirect_url.path().strip_prefix("/connect/").unwrap();
    (path.parse().unwrap(), started)
}

async fn confirm(world: &World, caller: &Caller, id: FlowId) -> Result<ConfirmedFlow, ConfirmFlowError> {
    world.app.confirm_flow.confirm(Some(caller), id).await
}

fn state_of(confirmed: &ConfirmedFlow) -> Secret {
    let (_, state) =
        confirmed.authorization_url.query_pairs().find(|(key, _)| key == "state").expect("a state");
    Secret::new(state.into_owned())
}

#[tokio::test]
async fn a_person_says_yes_and_comes_back_in_the_same_browser() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (id, started) = start(&world, provider).await;
    assert_eq!(started.redirect_url.origin().ascii_serialization(), PUBLIC_URL);
    let summary = world.app.confirm_flow.summary(&world.member, id).await.unwrap();
    assert_eq!(summary.account, "mo@example.com");
    assert_eq!(summary.organization, "Observatory");
    assert_eq!((summary.provider.as_str(), summary.host.as_deref()), ("GitLab", Some("provider.example")));
    assert!(summary.scopes.contains("openid"));

    let confirmed = confirm(&world, &world.member, id).await.ok().unwrap();
    let state = state_of(&confirmed);
    assert_ne!(state.expose(), started.state.expose(), "the provider is given a state of ours");
    let redirect_uri = format!("{PUBLIC_URL}/callback/{provider}");
    assert!(
        confirmed
            .authorization_url
            .query_pairs()
            .any(|(key, value)| key == "redirect_uri" && value == redirect_uri)
    );
    let cookies = [Secret::new("of another flow".to_owned()), copy(&confirmed.cookie)];
    let result = world
        .app
        .complete_flow
        .for_browser(callback(provider, &state, CODE), &cookies, Some(&world.member))
        .await;
    let result = result.unwrap();
    assert_eq!(result.flow_id, id);
    let authorization = result.result.unwrap().authorization.authorization;
    assert_eq!((authorization.account_id, authorization.subject.as_str()), (world.member.account_id, "mo"));
}

#[tokio::test]
async fn another_browser_does_not_finish_the_flow_and_does_not_spoil_it() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (id, _) = start(&world, provider).await;
    let confirmed = confirm(&world, &world.member, id).await.ok().unwrap();
    let state = state_of(&confirmed);
    let wrong = Secret::new("wrong".to_owned());
    for cookies in [&[][..], &[wrong]] {
        let result = world
            .app
            .complete_flow
            .for_browser(callback(provider, &state, CODE), cookies, Some(&world.member))
            .await;
        assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
    }
    assert_eq!(world.provider.calls(Call::Exchange), 0);
    let cookies = [confirmed.cookie];
    let result = world
        .app
        .complete_flow
        .for_browser(callback(provider, &state, CODE), &cookies, Some(&world.member))
        .await;
    result.unwrap().result.unwrap();
}

#[tokio::test]
async fn a_flow_that_nobody_said_yes_to_is_not_finished() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (_, started) = start(&world, provider).await;
    let sent = callback(provider, &started.state, CODE);
    let result = world.app.complete_flow.for_browser(sent, &[], Some(&world.member)).await;
    assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
}

#[tokio::test]
async fn a_callers_flow_is_not_finished_in_a_browser() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    let result = world
        .app
        .complete_flow
        .for_browser(callback(provider, &started.state, CODE), &[], Some(&world.member))
        .await;
    assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
}

#[tokio::test]
async fn another_providers_path_is_refused() {
    let world = World::new().await;
    let (provider, other) = (world.register("GitLab").await.id, world.register("Other").await.id);
    let (id, _) = start(&world, provider).await;
    let confirmed = confirm(&world, &world.member, id).await.ok().unwrap();
    let state = state_of(&confirmed);
    let cookies = [confirmed.cookie];
    let result = world
        .app
        .complete_flow
        .for_browser(callback(other, &state, CODE), &cookies, Some(&world.member))
        .await;
    assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
    assert_eq!(world.provider.calls(Call::Exchange), 0);
}

#[tokio::test]
async fn an_announced_issuer_has_to_be_named_in_a_browser() {
    for (announced, is_right) in [(true, false), (false, true)] {
        let world = World::new().await;
        let mut provider = world.register("GitLab").await;
        provider.endpoints.announces_iss = announced;
        world.commit(vec![Change::update(provider.clone())]).await;
        let (id, _) = start(&world, provider.id).await;
        let confirmed = confirm(&world, &world.member, id).await.ok().unwrap();
        let mut sent = callback(provider.id, &state_of(&confirmed), CODE);
        sent.iss = None;
        let result =
            world.app.complete_flow.for_browser(sent, &[confirmed.cookie], Some(&world.member)).await;
        let result = result.unwrap().result;
        assert_eq!(result.is_ok(), is_right, "announced: {announced}: {result:?}");
        assert_eq!(world.provider.calls(Call::Exchange), usize::from(is_right));
    }
}

#[tokio::test]
async fn the_page_is_for_whoever_started_the_flow() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (id, _) = start(&world, provider).await;
    assert!(matches!(
        world.app.confirm_flow.summary(&world.admin, id).await,
        Err(ConfirmFlowError::NotFound)
    ));
    assert!(matches!(confirm(&world, &world.admin, id).await, Err(ConfirmFlowError::NotFound)));
    assert!(matches!(
        world.app.confirm_flow.decline(&world.admin, id).await,
        Err(ConfirmFlowError::NotFound)
    ));
    assert!(matches!(world.app.confirm_flow.confirm(None, id).await, Err(ConfirmFlowError::NotFound)));
}

#[tokio::test]
async fn saying_yes_again_starts_over() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (id, _) = start(&world, provider).await;
    let first = confirm(&world, &world.member, id).await.ok().unwrap();
    let second = confirm(&world, &world.member, id).await.ok().unwrap();
    assert_ne!(first.cookie.expose(), second.cookie.expose());
    let sent = callback(provider, &state_of(&first), CODE);
    let result = world.app.complete_flow.for_browser(sent, &[first.cookie], Some(&world.member)).await;
    assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
    let sent = callback(provider, &state_of(&second), CODE);
    let result = world.app.complete_flow.for_browser(sent, &[second.cookie], Some(&world.member)).await;
    result.unwrap().result.unwrap();
}

#[tokio::test]
async fn saying_no_ends_the_flow() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (id, _) = start(&world, provider).await;
    let confirmed = confirm(&world, &world.member, id).await.ok().unwrap();
    world.app.confirm_flow.decline(&world.member, id).await.unwrap();
    assert!(matches!(confirm(&world, &world.member, id).await, Err(ConfirmFlowError::NotFound)));
    let sent = callback(provider, &state_of(&confirmed), CODE);
    let result = world.app.complete_flow.for_browser(sent, &[confirmed.cookie], Some(&world.member)).await;
    let result = result.unwrap().result;
    assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
    assert_eq!(world.provider.calls(Call::Exchange), 0);
}

#[tokio::test]
async fn the_page_is_gone_after_ten_minutes() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (id, _) = start(&world, provider).await;
    world.pass(599);
    world.app.confirm_flow.summary(&world.member, id).await.unwrap();
    world.pass(1);
    assert!(matches!(
        world.app.confirm_flow.summary(&world.member, id).await,
        Err(ConfirmFlowError::NotFound)
    ));
    assert!(matches!(confirm(&world, &world.member, id).await, Err(ConfirmFlowError::NotFound)));
}

#[tokio::test]
async fn nobody_is_sent_to_a_provider_that_was_paused_or_changed_since() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (id, _) = start(&world, provider).await;
    let pause = |status| ProviderUpdate { status: Some(status), ..ProviderUpdate::default() };
    world.app.update_provider.run(&world.admin, provider, pause(RequestedStatus::Inactive)).await.unwrap();
    assert!(matches!(confirm(&world, &world.member, id).await, Err(ConfirmFlowError::ProviderNotActive)));
    world.app.update_provider.run(&world.admin, provider, pause(RequestedStatus::Active)).await.unwrap();
    let mut row = world.stored_provider(provider).await.unwrap();
    row.endpoints.authorization = url::Url::parse("https://evil.example/").unwrap();
    world.commit(vec![Change::update(row)]).await;
    assert!(matches!(confirm(&world, &world.member, id).await, Err(ConfirmFlowError::ProviderNotActive)));
}
