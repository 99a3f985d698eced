use std::sync::Mutex;

use super::*;
use crate::accounts::{MockAccountStore, Organization, OrganizationName, Standing};
use crate::authorizations::RedirectAllowList;
use crate::authorizations::handover::s256;
use crate::fixtures::{
    Commits, CountingRandom, LabelSealer, START, VirtualClock, caller, offering, opened, provider, row,
};
use crate::providers::{MockProviderCatalog, MockProviderClient};

/// What the provider's page was asked for: the challenge, whether consent is forced, and whether the tokens are to outlast the
/// person's presence.
type Asked = Arc<Mutex<Vec<(Option<String>, bool, bool)>>>;

fn starting(at: Provider, commits: &Commits, asked: &Asked) -> StartFlow {
    let mut accounts = MockAccountStore::new();
    accounts.expect_organization().returning(|id| {
        Ok(Some(Organization {
            id,
            name: OrganizationName::parse("Observatory").unwrap(),
            redirect_uris: RedirectAllowList::default(),
            standing: Standing::Active,
            created_at: START,
            version: Version::FIRST,
        }))
    });
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_provider().returning(move |_, _| Ok(Some(at.clone())));
    let mut client = MockProviderClient::new();
    let asked = Arc::clone(asked);
    client.expect_authorization_url().returning(move |client, request| {
        let asking = (request.code_challenge.clone(), request.force_consent, request.offline_access);
        asked.lock().unwrap().push(asking);
        client.endpoints.authorization.clone()
    });
    StartFlow {
        accounts: Arc::new(accounts),
        catalog: Arc::new(catalog),
        clients: offering(client),
        sealer: LabelSealer::shared(),
        store: commits.store(),
        clock: VirtualClock::start(),
        random: CountingRandom::shared(),
        public_url: "https://broker.example".to_owned(),
    }
}

fn request(redirect_uri: Option<&str>) -> StartFlowRequest {
    StartFlowRequest {
        provider_id: provider().id,
        redirect_uri: redirect_uri.map(str::to_owned),
        state: None,
        skip_consent: None,
        return_to: None,
    }
}

const OWN_PAGE: Option<&str> = Some("http://127.0.0.1:5/done");

#[tokio::test(start_paused = true)]
async fn a_flow_is_stored_with_its_secrets_sealed_and_its_state_hashed() {
    let (commits, asked) = (Commits::default(), Asked::default());
    let started =
        starting(provider(), &commits, &asked).run(&caller(), request(OWN_PAGE)).await.ok().unwrap();
    let flow = row!(commits.last(), Insert(Flow));
    assert_eq!(flow.state_hash, Some(SecretHash::of(started.state.expose())));
    assert_eq!(
        (flow.account_id, flow.endpoints.clone()),
        (caller().account_id, provider().endpoints.digest())
    );
    assert_eq!(flow.expires_at, START + FLOW_LIFETIME);
    let organization = caller().organization_id;
    let verifier = opened(Flow::verifier_place(organization, flow.id), flow.pkce_verifier.as_ref().unwrap());
    let challenge = s256(&Secret::new(verifier.unwrap()));
    assert_eq!(asked.lock().unwrap()[..], [(Some(challenge), true, true)]);
    assert!(opened(Flow::nonce_place(organization, flow.id), &flow.nonce).is_some());
}

#[tokio::test(start_paused = true)]
async fn without_a_page_of_the_caller_the_way_leads_over_ours() {
    let (commits, asked) = (Commits::default(), Asked::default());
    let started = starting(provider(), &commits, &asked).run(&caller(), request(None)).await.ok().unwrap();
    let flow = row!(commits.last(), Insert(Flow));
    assert_eq!(started.redirect_url.as_str(), format!("https://broker.example/connect/{}", flow.id));
    assert_eq!(flow.redirect_uri, format!("https://broker.example/callback/{}", provider().id));
    assert_eq!((flow.stage, flow.state_hash), (FlowStage::Unconfirmed, None));
    assert!(asked.lock().unwrap().is_empty(), "nothing is said to the provider yet");
}

#[tokio::test(start_paused = true)]
async fn a_flow_on_our_route_is_known_by_the_id_that_its_page_has() {
    let (commits, asked) = (Commits::default(), Asked::default());
    let starting = starting(provider(), &commits, &asked);
    let back = Some("/account".to_owned());
    let id = starting.on_our_route(&caller(), provider().id, back.clone()).await.ok().unwrap();
    let flow = row!(commits.last(), Insert(Flow));
    assert_eq!((flow.id, flow.route, flow.return_to), (id, FlowRoute::Browser { cookie_hash: None }, back));
    assert!(asked.lock().unwrap().is_empty(), "nothing is said to the provider yet");
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_skip_consent_beats_the_providers_setting() {
    for (wished, set, forced) in [
        (None, None, true),
        (None, Some(true), false),
        (None, Some(false), true),
        (Some(true), None, false),
        (Some(true), Some(false), false),
        (Some(false), Some(true), true),
    ] {
        let at = Provider { skip_consent: set, ..provider() };
        let (commits, asked) = (Commits::default(), Asked::default());
        let wish = StartFlowRequest { skip_consent: wished, ..request(OWN_PAGE) };
        starting(at, &commits, &asked).run(&caller(), wish).await.ok().unwrap();
        let asked = asked.lock().unwrap();
        assert_eq!(asked[0].1, forced, "wished {wished:?}, set {set:?}");
        assert!(asked[0].0.is_some(), "PKCE is never skipped");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_is_not_allowed_starts_nothing() {
    let (commits, asked) = (Commits::default(), Asked::default());
    let starting = starting(provider(), &commits, &asked);
    for (uri, malformed) in
        [("https://evil.example/cb", false), ("//evil", true), ("", true), ("javascript:x", true)]
    {
        let started = starting.run(&caller(), request(Some(uri))).await;
        let is_expected = match started {
            Err(StartFlowError::RedirectUri(_)) => malformed,
            Err(StartFlowError::RedirectNotAllowed) => !malformed,
            _ => false,
        };
        assert!(is_expected, "{uri}");
    }
    assert_eq!(commits.count(), 0);
}
