use super::*;
use crate::authorizations::{Authorization, GrantState, MockAuthorizationStore};
use crate::fixtures::{START, caller, provider, unavailable};
use crate::links::fixtures::{expired, insert, installation, link, linked, provider_no, seconds};
use crate::login::fixtures::{Installation, bad_moment};
use crate::providers::{Provider, ProviderStatus, RevocationScope};
use crate::{Change, UnitOfWork as _};

async fn list(at: &Installation) -> Vec<CheckedLink> {
    at.cases.list_links.run(&caller()).await.unwrap().links
}

/// The one link: whether it holds, and why not.
async fn listed(at: &Installation) -> (bool, Option<String>) {
    let [link] = <[_; 1]>::try_from(list(at).await).expect("one link");
    (link.authenticated, link.failure)
}

fn limited() -> UpstreamError {
    UpstreamError::RateLimited { retry_after: Some(seconds(60)) }
}

const TOKENS: [&str; 20] = [
    "t00", "t01", "t02", "t03", "t04", "t05", "t06", "t07", "t08", "t09", "t10", "t11", "t12", "t13", "t14",
    "t15", "t16", "t17", "t18", "t19",
];

/// Twenty providers, with a link at each.
async fn twenty() -> Installation {
    let at = installation().await;
    for (number, token) in (0..).zip(TOKENS) {
        let provider = provider_no(number);
        insert(&at, provider.clone()).await;
        insert(&at, link(&provider, token)).await;
    }
    at
}

fn elapsed(at: &Installation) -> Duration {
    (at.clock.now() - START).to_std().unwrap()
}

#[tokio::test(start_paused = true)]
async fn expired_but_refreshable_links_count_as_authenticated_in_the_list_and_in_the_single_view_alike() {
    for seen in ["in the list first", "in the view first"] {
        let at = expired("ada").await;
        at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
        let view = async || at.cases.view_link.run(&caller(), &provider()).await.unwrap().authenticated;
        let list = async || listed(&at).await.0;
        let both = if seen == "in the list first" {
            [list().await, view().await]
        } else {
            [view().await, list().await]
        };
        assert_eq!(both, [true, true], "{seen}");
        assert_eq!(at.idp.script().refreshed, 1, "{seen}");
        let [link] = <[_; 1]>::try_from(at.cases.list_links.run(&caller()).await.unwrap().links).unwrap();
        assert_eq!(link.link.authorization.last_refreshed_at, Some(START), "{seen}: as it is after that");
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_cannot_be_refreshed_just_now_is_as_it_was_in_list_and_view_alike() {
    let at = expired("ada").await;
    assert_eq!(listed(&at).await, (true, Some("connection_failed".to_owned())));
    let view = at.cases.view_link.run(&caller(), &provider()).await.unwrap();
    assert_eq!((view.authenticated, view.failure), (true, Some("connection_failed".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn providers_stand_beside_links_in_their_order_whichever_answers_first() {
    let at = twenty().await;
    at.idp.script().slow.extend([("t03", seconds(1)), ("t00", seconds(1))]);
    let Links { providers, links } = at.cases.list_links.run(&caller()).await.unwrap();
    let listed: Vec<_> = providers.iter().map(|view| view.provider.id).collect();
    let numbered: Vec<_> = (0..20).map(|number| provider_no(number).id).collect();
    assert_eq!(listed.iter().filter(|id| **id != provider().id).copied().collect::<Vec<_>>(), numbered);
    assert_eq!(links.iter().map(|link| link.link.provider.id).collect::<Vec<_>>(), numbered);
}

#[tokio::test(start_paused = true)]
async fn what_each_provider_can_do_is_told_as_it_is() {
    for can in [true, false] {
        let at = installation().await;
        {
            let mut script = at.idp.script();
            script.validates = can;
            script.refreshes = can.then(Default::default);
            script.revokes = can.then_some(RevocationScope::Token);
        }
        let Links { providers, .. } = at.cases.list_links.run(&caller()).await.unwrap();
        let told = (providers[0].validates, providers[0].refreshes, providers[0].revocation_scope.is_some());
        assert_eq!(told, (can, can, can));
        let view = at.cases.view_provider.run(&caller(), provider().id).await.unwrap();
        assert_eq!(view, providers[0], "in both views alike");
    }
}

#[tokio::test(start_paused = true)]
async fn the_list_checks_links_in_parallel_eight_at_once() {
    let at = twenty().await;
    at.idp.script().slow = TOKENS.map(|token| (token, seconds(1))).into();
    assert!(list(&at).await.iter().all(|link| link.authenticated && link.failure.is_none()));
    assert_eq!(elapsed(&at), seconds(3), "twenty of a second each");
}

#[tokio::test(start_paused = true)]
async fn each_link_is_checked_within_two_seconds() {
    let at = linked("ada").await;
    at.idp.script().slow.insert("ada", seconds(3600));
    assert_eq!(listed(&at).await, (true, Some("timeout".to_owned())));
    assert_eq!(elapsed(&at), seconds(2));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_takes_longer_than_two_seconds_is_kept_though_the_list_does_not_wait() {
    let at = expired("ada").await;
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    at.idp.script().takes = seconds(3);
    assert_eq!(listed(&at).await, (true, Some("timeout".to_owned())));
    assert_eq!(elapsed(&at), seconds(2));
    at.sleep(2).await;
    assert_eq!(listed(&at).await, (true, None));
    assert_eq!(at.idp.script().refreshed, 1);
}

#[tokio::test(start_paused = true)]
async fn the_list_never_fails_because_one_provider_is_down_and_says_why() {
    let at = twenty().await;
    // Never answer, and in every eight one.
    at.idp.script().slow.extend([("t00", seconds(3600)), ("t08", seconds(3600)), ("t16", seconds(3600))]);
    at.idp.script().refuses.insert("t05", bad_moment());
    let links = list(&at).await;
    assert_eq!(links.len(), 20);
    for (token, link) in TOKENS.iter().zip(&links) {
        let why = match *token {
            "t00" | "t08" | "t16" => Some("timeout"),
            "t05" => Some("connection_failed"),
            _ => None,
        };
        assert_eq!((link.authenticated, link.failure.as_deref()), (true, why), "{token}");
    }
    assert_eq!(elapsed(&at), seconds(2), "nor is it slow because of them");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_neither_revoked_nor_valid_and_the_link_keeps_its_last_known_state() {
    let at = installation().await;
    insert(&at, Authorization { refresh_token: None, ..link(&provider(), "ada") }).await;
    let both = async |answer: Option<UpstreamError>| {
        at.idp.script().refuses = answer.map(|answer| ("ada", answer)).into_iter().collect();
        let view = at.cases.view_link.run(&caller(), &provider()).await.unwrap();
        let list = listed(&at).await;
        assert_eq!((view.authenticated, view.failure), list, "alike");
        list
    };
    assert_eq!(both(Some(limited())).await, (true, Some("rate_limited".to_owned())));
    assert_eq!(both(Some(UpstreamError::TokenRefused)).await, (false, Some("invalid_token".to_owned())));
    assert_eq!(both(Some(limited())).await, (false, Some("rate_limited".to_owned())));
    assert_eq!(both(None).await, (true, None), "until the provider says something else");
    assert_eq!(both(Some(limited())).await, (true, Some("rate_limited".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_the_view_has_found_out_the_list_knows() {
    let at = installation().await;
    insert(&at, Authorization { refresh_token: None, ..link(&provider(), "ada") }).await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.cases.view_link.run(&caller(), &provider()).await.unwrap();
    at.idp.script().refuses.insert("ada", limited());
    assert_eq!(listed(&at).await, (false, Some("rate_limited".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_dead_grant_tells_its_reason() {
    let at = installation().await;
    let grant = GrantState::Dead { reason: "invalid_grant".to_owned() };
    insert(&at, Authorization { grant, ..link(&provider(), "ada") }).await;
    assert_eq!(listed(&at).await, (false, Some("invalid_grant".to_owned())));
    assert!(at.idp.script().validated.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_dies_at_the_refresh_is_told_at_once() {
    let at = expired("ada").await;
    let refused = UpstreamError::GrantRefused { code: "invalid_grant".to_owned() };
    at.idp.script().refreshes.as_mut().unwrap().push_back(Err(refused));
    assert_eq!(listed(&at).await, (false, Some("invalid_grant".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn at_a_provider_that_is_paused_a_link_is_as_it_was_known() {
    for (row, expected) in [
        (link(&provider(), "ada"), (true, Some("provider_not_active".to_owned()))),
        (
            Authorization { refresh_token: None, expires_at: Some(START), ..link(&provider(), "ada") },
            (false, Some("no_refresh_token".to_owned())),
        ),
    ] {
        let at = installation().await;
        insert(&at, row).await;
        at.update(Provider { status: ProviderStatus::Inactive, ..provider() }).await;
        assert_eq!(listed(&at).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn links_of_removed_providers_are_gone_from_the_list() {
    let at = linked("ada").await;
    at.update(Provider { status: ProviderStatus::Deleting, ..provider() }).await;
    let Links { providers, links } = at.cases.list_links.run(&caller()).await.unwrap();
    assert!(providers.is_empty() && links.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_deleted_meanwhile_is_not_listed() {
    let at = twenty().await;
    at.idp.script().slow = TOKENS.map(|token| (token, seconds(1))).into();
    let deleting = async {
        at.clock.sleep(Duration::from_millis(500)).await;
        // One of those whose turn has not come.
        let last = link(&provider_no(19), "t19");
        at.store.commit(vec![Change::delete(last)]).await.unwrap();
    };
    let (links, ()) = tokio::join!(list(&at), deleting);
    assert_eq!(links.len(), 19);
    assert!(links.iter().all(|link| link.link.provider.id != provider_no(19).id));
}

#[tokio::test(start_paused = true)]
async fn what_others_have_linked_is_not_listed() {
    let at = linked("ada").await;
    let other =
        Caller { account_id: crate::ids::AccountId::from_uuid(crate::fixtures::uuid(99)), ..caller() };
    let Links { providers, links } = at.cases.list_links.run(&other).await.unwrap();
    assert_eq!((providers.len(), links.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_lists_nothing() {
    let at = linked("ada").await;
    let known = &at.cases.list_links;
    let mut away = MockAuthorizationStore::new();
    away.expect_authorizations_of().returning(|_| Err(unavailable()));
    let listing = ListLinks {
        authorizations: Arc::new(away),
        providers: Arc::clone(&known.providers),
        check: Arc::clone(&known.check),
        clock: Arc::clone(&known.clock),
    };
    assert!(matches!(listing.run(&caller()).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_that_cannot_be_replaced_just_now_leaves_the_link_as_it_was_and_costs_nothing_more() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    for _ in 0..5 {
        assert_eq!(listed(&at).await, (true, Some("connection_failed".to_owned())));
        at.sleep(11).await;
    }
    {
        let script = at.idp.script();
        assert_eq!((script.validated.len(), script.refreshed), (1, 1));
    }
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    at.sleep(5).await;
    assert_eq!(listed(&at).await, (true, None));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_slower_than_the_list_is_not_begun_by_each_list() {
    let at = linked("ada").await;
    at.idp.script().refuses.insert("ada", UpstreamError::TokenRefused);
    at.idp.script().refreshes.as_mut().unwrap().push_back(Ok("bea"));
    at.idp.script().takes = seconds(20);
    assert_eq!(listed(&at).await, (true, Some("timeout".to_owned())));
    for _ in 0..3 {
        assert_eq!(listed(&at).await, (true, Some("slow".to_owned())));
    }
    let script = at.idp.script();
    assert_eq!((script.validated.len(), script.refreshed), (1, 1));
}
