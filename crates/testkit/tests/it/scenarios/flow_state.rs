//! What a callback has to bring, before a code is sent anywhere.

use grantkeeper_domain::accounts::Account;
use grantkeeper_domain::audit::AuditAction;
use grantkeeper_domain::authorizations::{
    Callback, CompleteFlowError, Flow, FlowRoute, FlowStage, FlowStore as _, StartFlowError, StartFlowRequest,
};
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::providers::{
    PkceSupport, Provider, ProviderEndpoints, ProviderStatus, ProviderUpdate, RequestedStatus,
};
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_domain::{Change, Secret};
use grantkeeper_testkit::entities;
use grantkeeper_testkit::scripted_provider::Call;
use url::Url;

use super::world::{CALLERS_PAGE, World, callback, copy};

const CODE: &str = "code:mo:1";

fn refused<T>(result: Result<T, CompleteFlowError>) -> String {
    match result {
        Err(CompleteFlowError::Refused { reason }) => reason,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("an authorization"),
    }
}

fn request(provider_id: ProviderId, state: Option<&str>) -> StartFlowRequest {
    StartFlowRequest {
        provider_id,
        redirect_uri: Some(CALLERS_PAGE.to_owned()),
        state: state.map(|state| Secret::new(state.to_owned())),
        skip_consent: None,
        return_to: None,
    }
}

/// Changes the pinned endpoints behind everybody's back.
async fn repoint(world: &World, id: ProviderId, change: impl FnOnce(&mut ProviderEndpoints)) {
    let mut provider = world.stored_provider(id).await.unwrap();
    change(&mut provider.endpoints);
    world.commit(vec![Change::update(provider)]).await;
}

#[tokio::test]
async fn a_code_comes_back_and_becomes_an_authorization() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    assert_eq!(started.redirect_url.host_str(), Some("provider.example"));
    let query = |name: &str| -> String {
        let found = started.redirect_url.query_pairs().find(|(key, _)| key == name);
        found.unwrap().1.into_owned()
    };
    assert_eq!(query("redirect_uri"), CALLERS_PAGE);
    assert_eq!(query("state"), started.state.expose());
    assert_eq!(started.state.expose().len(), 43);
    let completed = world.complete(&world.member, provider, &started.state, CODE).await.unwrap();
    let authorization = completed.authorization.authorization;
    assert_eq!((authorization.subject.as_str(), authorization.account_id), ("mo", world.member.account_id));
    let (_, verifier, nonce) = world.provider.read(|state| state.redeemed[0].clone());
    assert_eq!(verifier.unwrap().len(), 43);
    assert!(nonce.is_some());
    assert_eq!(world.provider.read(|state| state.nonces.clone()), [nonce]);
}

#[tokio::test]
async fn each_flow_has_its_own_verifier_nonce_and_state() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (one, two) = (world.start(&world.member, provider).await, world.start(&world.member, provider).await);
    assert_ne!(one.state.expose(), two.state.expose());
    world.complete(&world.member, provider, &one.state, "code:mo:1").await.unwrap();
    world.complete(&world.member, provider, &two.state, "code:mo:2").await.unwrap();
    let redeemed = world.provider.read(|state| state.redeemed.clone());
    assert_ne!(redeemed[0].1, redeemed[1].1);
    assert_ne!(redeemed[0].2, redeemed[1].2);
}

#[tokio::test]
async fn a_provider_without_pkce_is_not_sent_any() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    repoint(&world, provider, |endpoints| endpoints.pkce = PkceSupport::Unsupported).await;
    world.connect(&world.member, provider, "mo").await;
    assert_eq!(world.provider.read(|state| state.redeemed[0].1.clone()), None);
}

#[tokio::test]
async fn a_callers_own_state_is_used_as_it_is_and_an_empty_one_is_none() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let start = async |state| {
        let started = world.app.start_flow.run(&world.member, request(provider, state)).await;
        started.ok().unwrap().state
    };
    assert_eq!(start(Some("mine")).await.expose(), "mine");
    assert_eq!(start(Some("")).await.expose().len(), 43);
    assert_eq!(start(None).await.expose().len(), 43);
}

#[tokio::test]
async fn users_may_use_one_state_without_meeting() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let other = world.another_member("other@example.com").await;
    for caller in [&world.member, &other] {
        world.app.start_flow.run(caller, request(provider, Some("same"))).await.ok().unwrap();
    }
    let state = Secret::new("same".to_owned());
    for (caller, person) in [(&world.member, "mo"), (&other, "other")] {
        let completed = world.complete(caller, provider, &state, &format!("code:{person}:1")).await.unwrap();
        assert_eq!(completed.authorization.authorization.subject, person);
        assert_eq!(completed.authorization.authorization.account_id, caller.account_id);
    }
}

#[tokio::test]
async fn only_the_state_of_a_pending_flow_of_the_caller_is_good() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let other_provider = world.register("Other").await.id;
    let stranger = world.stranger().await;
    let started = world.start(&world.member, provider).await;
    let unknown = Secret::new("unknown".to_owned());
    for (name, caller, at, state) in [
        ("an unknown state", &world.member, provider, &unknown),
        ("another account", &world.admin, provider, &started.state),
        ("another provider's path", &world.member, other_provider, &started.state),
    ] {
        let result = world.complete(caller, at, state, CODE).await;
        assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{name}: {result:?}");
    }
    let result = world.complete(&stranger, provider, &started.state, CODE).await;
    assert!(matches!(result, Err(CompleteFlowError::ProviderNotFound)), "{result:?}");
    assert_eq!(world.provider.calls(Call::Exchange), 0);
    // None of them has used it up.
    world.complete(&world.member, provider, &started.state, CODE).await.unwrap();
}

#[tokio::test]
async fn a_state_lives_ten_minutes() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let (one, two) = (world.start(&world.member, provider).await, world.start(&world.member, provider).await);
    world.pass(599);
    world.complete(&world.member, provider, &one.state, CODE).await.unwrap();
    world.pass(1);
    let result = world.complete(&world.member, provider, &two.state, "code:mo:2").await;
    assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
    assert_eq!(world.provider.calls(Call::Exchange), 1);
}

#[tokio::test]
async fn a_state_is_used_up_before_its_code_is_sent() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    world.provider.hold(Call::Exchange);
    let (complete, member) = (world.app.complete_flow.clone(), world.member.clone());
    let sent = callback(provider, &started.state, CODE);
    let completing = tokio::spawn(async move { complete.for_caller(&member, sent).await });
    world.provider.until_called(Call::Exchange, 1).await;
    let hash = SecretHash::of(started.state.expose());
    let flow = world.store.flow_by_state(provider, &hash, None).await.unwrap().unwrap();
    assert!(matches!(flow.stage, FlowStage::Exchanging(_)), "{:?}", flow.stage);
    world.provider.release(Call::Exchange);
    completing.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_issuer_of_a_callback_has_to_be_the_right_one() {
    const RIGHT: &str = "https://provider.example";
    let wrong = [
        "https://evil.example",
        "https://provider.example/",
        "https://Provider.example",
        "https://provider.example:443",
        "http://provider.example",
        "",
    ];
    let mut table = vec![(true, Some(RIGHT), true), (false, Some(RIGHT), true), (false, None, true)];
    // The call of a caller's own page has no place for an issuer (RFC 9207 speaks of the callback in the browser).
    table.push((true, None, true));
    table.extend(wrong.iter().flat_map(|iss| [(true, Some(*iss), false), (false, Some(*iss), false)]));
    for (announced, iss, is_right) in table {
        let world = World::new().await;
        let provider = world.register("GitLab").await.id;
        repoint(&world, provider, |endpoints| endpoints.announces_iss = announced).await;
        let started = world.start(&world.member, provider).await;
        let sent = Callback { iss: iss.map(str::to_owned), ..callback(provider, &started.state, CODE) };
        let result = world.app.complete_flow.for_caller(&world.member, sent).await;
        let case = format!("announced: {announced}, iss: {iss:?}");
        if is_right {
            assert!(result.is_ok(), "{case}: {result:?}");
        } else {
            assert_eq!(refused(result), "issuer_mismatch", "{case}");
        }
        assert_eq!(world.provider.calls(Call::Exchange), usize::from(is_right), "{case}");
    }
}

#[tokio::test]
async fn a_code_is_not_sent_to_endpoints_that_have_changed() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    repoint(&world, provider, |endpoints| {
        endpoints.token = Url::parse("https://evil.example/token").unwrap();
    })
    .await;
    refused(world.complete(&world.member, provider, &started.state, CODE).await);
    assert_eq!(world.provider.calls(Call::Exchange), 0);
    let again = world.complete(&world.member, provider, &started.state, CODE).await;
    assert!(matches!(again, Err(CompleteFlowError::InvalidState)), "the flow is over: {again:?}");
}

#[tokio::test]
async fn a_refusal_at_the_provider_ends_the_flow() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    let refusal =
        || Callback { answer: Err("access_denied".to_owned()), ..callback(provider, &started.state, "") };
    let result = world.app.complete_flow.for_caller(&world.member, refusal()).await;
    assert_eq!(refused(result), "access_denied");
    let entry = world.audited(AuditAction::FlowFinished).await.pop().unwrap();
    assert_eq!(entry.reason.as_deref(), Some("access_denied"));
    for again in [refusal(), callback(provider, &started.state, CODE)] {
        let result = world.app.complete_flow.for_caller(&world.member, again).await;
        assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
    }
    assert_eq!(world.provider.calls(Call::Exchange), 0);
}

#[tokio::test]
async fn the_error_of_another_issuer_is_not_shown() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    let sent = Callback {
        answer: Err("access_denied".to_owned()),
        iss: Some("https://evil.example".to_owned()),
        ..callback(provider, &started.state, "")
    };
    assert_eq!(refused(world.app.complete_flow.for_caller(&world.member, sent).await), "issuer_mismatch");
}

#[tokio::test]
async fn text_that_is_no_error_code_goes_nowhere() {
    let long = "x".repeat(65);
    for error in ["<script>", "a b", "a\r\nb", "\u{1b}[31m", "", "ünlucky", long.as_str()] {
        let world = World::new().await;
        let provider = world.register("GitLab").await.id;
        let started = world.start(&world.member, provider).await;
        let sent = Callback { answer: Err(error.to_owned()), ..callback(provider, &started.state, "") };
        let result = world.app.complete_flow.for_caller(&world.member, sent).await;
        assert_eq!(refused(result), "unlisted_error", "{error:?}");
        let entry = world.audited(AuditAction::FlowFinished).await.pop().unwrap();
        assert_eq!(entry.reason.as_deref(), Some("unlisted_error"), "{error:?}");
    }
}

#[tokio::test]
async fn only_an_active_provider_starts_flows() {
    let world = World::new().await;
    let provider = world.register("GitLab").await;
    let stranger = world.stranger().await;
    let foreign = world.app.start_flow.run(&stranger, request(provider.id, None)).await;
    assert!(matches!(foreign, Err(StartFlowError::ProviderNotFound)));
    for status in [RequestedStatus::Inactive, RequestedStatus::Disabled] {
        let update = ProviderUpdate { status: Some(status), ..ProviderUpdate::default() };
        world.app.update_provider.run(&world.admin, provider.id, update).await.unwrap();
        let started = world.app.start_flow.run(&world.member, request(provider.id, None)).await;
        assert!(matches!(started, Err(StartFlowError::NotActive)), "{status:?}");
    }
    world.app.delete_provider.run(&world.admin, provider.id).await.unwrap();
    let started = world.app.start_flow.run(&world.member, request(provider.id, None)).await;
    assert!(matches!(started, Err(StartFlowError::ProviderNotFound)));
}

#[tokio::test]
async fn a_provider_whose_deletion_failed_gets_no_more_authorizations() {
    let world = World::new().await;
    let provider = world.register("GitLab").await.id;
    let started = world.start(&world.member, provider).await;
    let row = world.stored_provider(provider).await.unwrap();
    let failed = Provider { status: ProviderStatus::DeletionFailed, slug: None, ..row };
    world.commit(vec![Change::update(failed)]).await;
    let result = world.complete(&world.member, provider, &started.state, CODE).await;
    assert_eq!(refused(result), "provider_deleted");
    assert_eq!(world.provider.calls(Call::Exchange), 0);
}

#[tokio::test]
async fn a_browser_flow_is_not_completed_by_the_callers_call() {
    let world = World::new().await;
    let provider = world.register("GitLab").await;
    let account = Account { id: world.member.account_id, ..entities::account(&world.organization) };
    let state = Secret::new("state".to_owned());
    let flow = Flow {
        route: FlowRoute::Browser { cookie_hash: Some(SecretHash::of("cookie")) },
        state_hash: Some(SecretHash::of(state.expose())),
        ..entities::flow(&account, &provider)
    };
    world.commit(vec![Change::insert(flow)]).await;
    let result = world.complete(&world.member, provider.id, &copy(&state), CODE).await;
    assert!(matches!(result, Err(CompleteFlowError::InvalidState)), "{result:?}");
}
