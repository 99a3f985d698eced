//! Coming back from the provider, at whichever address of the callback.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;
use url::Url;

use super::{LINKED, START, assert_says};
use crate::browser::{Browser, way_back};
use crate::service::Service;

/// The way back from the provider to another address of the callback.
fn way_back_to(address: &str, provider_page: &Url, query: &str) -> String {
    let common = way_back(provider_page, query);
    format!("{address}?{}", common.split_once('?').unwrap().1)
}

#[actix_web::test]
async fn every_address_of_the_callback_finishes_a_flow() {
    let service = Service::start().await;
    let id = service.register().await;
    let mut browser = Browser::of_member(&service).await;
    for name in ["example", &id] {
        for address in [
            format!("/external-auth/{name}/callback"),
            format!("/gitauth/{name}/callback"),
            format!("/callback/{name}"),
        ] {
            let provider_page = browser.start(START).await;
            let back = browser.get(&way_back_to(&address, &provider_page, "code=c")).await;
            assert_eq!(
                (back.status, back.header(LOCATION)),
                (StatusCode::SEE_OTHER, LINKED),
                "{address}: {back:?}"
            );
            assert!(browser.cookies_named("grantkeeper_flow_").is_empty(), "{address}");
            let replay = browser.get(&way_back_to(&address, &provider_page, "code=c")).await;
            assert_eq!(replay.status, StatusCode::BAD_REQUEST, "{address}");
        }
    }
    assert_eq!(service.provider.calls(Call::Exchange), 6);
}

#[actix_web::test]
async fn whoever_is_not_signed_in_any_more_does_so_before_anything_is_linked() {
    let service = Service::start().await;
    let id = service.register().await;
    for (address, back) in [
        (
            "/external-auth/example/callback".to_owned(),
            "/sign-in?return_to=%2Fexternal%2Dauth%2Fexample".to_owned(),
        ),
        (
            format!("/callback/{id}"),
            format!("/sign-in?return_to=%2Fexternal%2Dauth%2F{}", id.replace('-', "%2D")),
        ),
    ] {
        let mut browser = Browser::of_member(&service).await;
        let provider_page = browser.start(START).await;
        let before = service.provider.calls(Call::Exchange);
        browser.cookies.retain(|cookie| cookie.name().starts_with("grantkeeper_flow_"));
        let way_back = way_back_to(&address, &provider_page, "code=c");
        let nobody = browser.get(&way_back).await;
        assert_eq!((nobody.status, nobody.header(LOCATION)), (StatusCode::SEE_OTHER, &*back), "{nobody:?}");
        assert_eq!(service.provider.calls(Call::Exchange), before, "the code is not used");
        assert_eq!(browser.get(&back).await.status, StatusCode::OK, "it is a way back");
        browser.sign_in(&service.member, "/external-auth").await;
        assert_eq!(browser.get(&way_back).await.header(LOCATION), LINKED, "the flow was not spoilt");
    }
    let state_of_nobody = Browser::new(&service).get(&format!("{START}?code=c&state=unknown")).await;
    assert_eq!(state_of_nobody.status, StatusCode::BAD_REQUEST, "nobody signs in for nothing");
}

#[actix_web::test]
async fn of_two_accounts_in_one_browser_only_the_one_that_started_a_flow_finishes_it() {
    let service = Service::start().await;
    let id = service.register().await;
    let mut browser = Browser::of_member(&service).await;
    let provider_page = browser.start(START).await;
    browser.sign_in(&service.colleague, "/external-auth").await;
    let unknown = browser.get(&format!("{START}?code=c&state=unknown")).await;
    for address in [START, &format!("/callback/{id}")] {
        let refused = browser.get(&way_back_to(address, &provider_page, "code=c")).await;
        assert_eq!((refused.status, &refused.body), (StatusCode::BAD_REQUEST, &unknown.body), "{address}");
    }
    assert_eq!(service.provider.calls(Call::Exchange), 0);
    browser.sign_in(&service.member, "/external-auth").await;
    assert_eq!(browser.get(&way_back_to(START, &provider_page, "code=c")).await.header(LOCATION), LINKED);
    assert_eq!(service.links_of(&service.member).await, 1);
    assert_eq!(service.links_of(&service.colleague).await, 0);
}

#[actix_web::test]
async fn of_the_flows_that_a_browser_shows_the_newest_sixteen_are_looked_at() {
    let service = Service::start().await;
    let id = service.register().await;
    let cookies = |first: &'static str, count: u32| {
        (0..count).map(move |number| {
            let name = format!("grantkeeper_flow_{first}-ffff-7fff-8fff-{number:012}");
            actix_web::cookie::Cookie::new(name, "other")
        })
    };
    for address in [START, &format!("/callback/{id}")] {
        for (older, newer, is_found) in [(400, 15, true), (0, 16, false), (0, 400, false)] {
            let mut browser = Browser::of_member(&service).await;
            let provider_page = browser.start(START).await;
            browser.cookies.extend(cookies("00000000", older));
            browser.cookies.extend(cookies("ffffffff", newer));
            let nonsense =
                |number| actix_web::cookie::Cookie::new(format!("grantkeeper_flow_z{number}"), "x");
            browser.cookies.extend((0..400).map(nonsense));
            let back = browser.get(&way_back_to(address, &provider_page, "code=c")).await;
            let expected = if is_found { StatusCode::SEE_OTHER } else { StatusCode::BAD_REQUEST };
            assert_eq!(back.status, expected, "{address} {older} {newer}: {back:?}");
        }
    }
}

#[actix_web::test]
async fn the_cookie_of_a_flow_that_is_over_goes_whatever_ended_it() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    let provider_page = browser.start(START).await;
    service.clock.advance(std::time::Duration::from_secs(11 * 60));
    let expired = browser.get(&way_back_to(START, &provider_page, "code=c")).await;
    assert_eq!(expired.status, StatusCode::BAD_REQUEST, "{expired:?}");
    assert!(browser.cookies_named("grantkeeper_flow_").is_empty());
    assert_eq!(service.provider.calls(Call::Exchange), 0);
}

#[actix_web::test]
async fn signing_out_takes_what_was_under_way_in_the_browser_along() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    let mut browser = Browser::of_member(&service).await;
    let page = browser.get("/external-auth/example").await;
    browser.press(&page, "/external-auth/example/device").await;
    for _ in 0..20 {
        browser.start(START).await;
    }
    let kept = actix_web::cookie::Cookie::new("theme", "dark");
    browser.cookies.push(kept.clone());
    assert_eq!(browser.cookies_named("grantkeeper_").len(), 21);
    let token = crate::browser::form_token(&browser.get("/external-auth").await);
    let signed_out = browser.post("/sign-out", &[("form_token", &token)]).await;
    assert_eq!((signed_out.status, signed_out.header(LOCATION)), (StatusCode::SEE_OTHER, "/sign-in"));
    assert_eq!(browser.cookies, [kept]);
}

#[actix_web::test]
async fn a_flow_that_fails_tells_why_and_offers_to_start_again() {
    let service = Service::start().await;
    let id = service.register().await;
    for address in
        ["/external-auth/example/callback", "/gitauth/example/callback", &format!("/callback/{id}")]
    {
        for (failure, query, sentence) in [
            (
                None,
                "error=access_denied",
                "The account was not linked: you said no at the provider, or the provider does not let you (access_denied).",
            ),
            (None, "error=%3Cb%3E", "The account was not linked (unlisted_error)."),
            (
                Some(UpstreamError::Unavailable { reason: "timeout", retry_after: None }),
                "code=c",
                "The account was not linked: the provider has not answered in time (timeout).",
            ),
        ] {
            let mut browser = Browser::of_member(&service).await;
            let provider_page = browser.start(START).await;
            if let Some(failure) = failure {
                service.provider.fail_next(Call::Exchange, failure);
            }
            let back = browser.get(&way_back_to(address, &provider_page, query)).await;
            let end = back.header(LOCATION).to_owned();
            assert!(end.starts_with("/connect/") && end.ends_with("/done"), "{back:?}");
            assert!(browser.cookies_named("grantkeeper_flow_").is_empty(), "{address} {query}");
            let page = browser.get(&end).await;
            assert_says(&page, &["Not linked", sentence, "Start again"]);
            assert!(page.body.contains(&format!("href=\"/external-auth/{id}\"")), "{}", page.body);
        }
    }
    assert_eq!(service.links_of(&service.member).await, 0);
}

#[actix_web::test]
async fn a_no_takes_the_cookie_of_an_earlier_yes_away() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    let flow = browser.get(START).await.header(LOCATION).to_owned();
    browser.say_yes(&flow).await;
    assert_eq!(browser.cookies_named("grantkeeper_flow_").len(), 1);
    let token = crate::browser::form_token(&browser.get(&flow).await);
    let answer = browser.post(&flow, &[("decision", "no"), ("form_token", &token)]).await;
    assert_eq!(answer.header(LOCATION), format!("{flow}/done"));
    assert!(browser.cookies_named("grantkeeper_flow_").is_empty());
}

#[actix_web::test]
async fn parallel_flows_in_one_browser_do_not_clobber_each_other() {
    let service = Service::start().await;
    service.register().await;
    service.register_named("Other").await;
    let mut browser = Browser::of_member(&service).await;
    let pages = [
        ("example", "/account", browser.start(&format!("{START}?redirect=/account")).await),
        (
            "other",
            "/external-auth",
            browser.start("/external-auth/other/callback?redirect=/external-auth").await,
        ),
        ("example", LINKED, browser.start(START).await),
    ];
    assert_eq!(browser.cookies_named("grantkeeper_flow_").len(), 3);
    for (left, (slug, return_to, provider_page)) in pages.into_iter().enumerate().rev() {
        let address = format!("/external-auth/{slug}/callback");
        let back = browser.get(&way_back_to(&address, &provider_page, "code=c")).await;
        assert_eq!(back.header(LOCATION), return_to, "{back:?}");
        assert_eq!(browser.cookies_named("grantkeeper_flow_").len(), left, "one goes, the others stay");
    }
    assert_eq!(service.links_of(&service.member).await, 2);
}

#[actix_web::test]
async fn what_belongs_to_no_flow_of_this_browser_gets_one_answer() {
    let service = Service::start().await;
    let id = service.register().await;
    service.register_named("Other").await;
    let mut browser = Browser::of_member(&service).await;
    let provider_page = browser.start(START).await;
    let mut answers = Vec::new();
    for address in
        ["/external-auth/other/callback", "/external-auth/unknown/callback", "/gitauth/%3Cb%3E/callback"]
    {
        answers.push(browser.get(&way_back_to(address, &provider_page, "code=c")).await);
    }
    for query in [
        "code=c",
        "error=access_denied",
        "state=x",
        "code=c&state=unknown",
        "code=c&state=x&code=c",
        "error=",
    ] {
        answers.push(browser.get(&format!("{START}?{query}")).await);
    }
    let mut other_browser = Browser::of_member(&service).await;
    let back = way_back_to(START, &provider_page, "code=c");
    answers.push(other_browser.get(&back).await);
    // The cookie has the name of the flow, and not its worth.
    let name = browser.cookies_named("grantkeeper_flow_")[0].to_owned();
    other_browser.cookies.push(actix_web::cookie::Cookie::new(name, "guess"));
    answers.push(other_browser.get(&back).await);
    answers.push(
        other_browser.get(&way_back_to(&format!("/gitauth/{id}/callback"), &provider_page, "code=c")).await,
    );
    let bodies: Vec<_> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
            &answer.body
        })
        .collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "nothing can be learned from the page");
    assert_eq!(service.provider.calls(Call::Exchange), 0);
    assert_eq!(browser.get(&back).await.header(LOCATION), LINKED, "and the flow goes on where it belongs");
}

#[actix_web::test]
async fn the_cookie_of_a_flow_is_shown_at_every_address_of_the_callback() {
    for (service, name) in [
        (Service::start().await, "grantkeeper_flow_"),
        (Service::start().await.reached_at("https://auth.example"), "__Host-grantkeeper_flow_"),
    ] {
        service.register().await;
        let mut browser = Browser::new(&service);
        let form = [("token", service.member.as_str()), ("return_to", "/external-auth")];
        browser.send(actix_web::test::TestRequest::post().uri("/sign-in").set_form(form)).await;
        browser.start(START).await;
        let [flow] = browser.cookies_named(name)[..] else { panic!("one cookie: {:?}", browser.cookies) };
        let cookie = browser.cookies.iter().find(|cookie| cookie.name() == flow).unwrap();
        assert_eq!(
            (cookie.path(), cookie.http_only(), cookie.domain()),
            (Some("/"), Some(true), None),
            "{cookie}"
        );
        assert_eq!(cookie.same_site(), Some(actix_web::cookie::SameSite::Lax));
        assert_eq!(cookie.secure().unwrap_or(false), name.starts_with("__Host-"), "{cookie}");
    }
}
