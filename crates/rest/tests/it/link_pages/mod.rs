//! The pages of links: what is linked, linking by the web and by a code, and unlinking.

mod callback;
mod device;
mod list;
mod manners;
mod start;
mod unlink;
mod view;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::test::TestRequest;
use serde_json::json;
use url::Url;

use crate::browser::{Browser, form_token, way_back};
use crate::service::{Answer, Service, new_provider};

/// The page of the provider that [`Service::register`] registers.
const PAGE: &str = "/external-auth/example";
/// Where a flow at it starts.
const START: &str = "/external-auth/example/callback";
/// Where it comes back to, unless somebody wants something else.
const LINKED: &str = "/external-auth/example?redirected=true";

impl Service {
    /// Registers a provider under that name; returns its id.
    async fn register_named(&self, name: &str) -> String {
        let mut new = new_provider();
        new["name"] = json!(name);
        self.call(&self.admin, "POST", "/providers/", Some(new)).await.text("id")
    }

    /// Pauses a provider.
    async fn pause(&self, id: &str) {
        let paused = Some(json!({ "status": "inactive" }));
        let answer = self.call(&self.admin, "PATCH", &format!("/providers/{id}/"), paused).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    /// How many accounts somebody has linked.
    async fn links_of(&self, token: &str) -> usize {
        self.get(token, "/authorizedProviders/").await.json()["data"].as_array().unwrap().len()
    }
}

impl<'s> Browser<'s> {
    /// A browser at which the member is signed in.
    async fn of_member(service: &'s Service) -> Self {
        let mut browser = Self::new(service);
        browser.sign_in(&service.member, "/external-auth").await;
        browser
    }

    /// Follows a link; `site` is where that stands, in the browser's words.
    async fn follow(&mut self, path: &str, site: &str) -> Answer {
        self.send(TestRequest::get().uri(path).insert_header(("sec-fetch-site", site))).await
    }

    /// Presses the button of a page that leads there.
    async fn press(&mut self, page: &Answer, action: &str) -> Answer {
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        assert!(page.body.contains(&format!("method=\"post\" action=\"{action}\"")), "{action} in {page:?}");
        self.post(action, &[("form_token", &form_token(page))]).await
    }

    /// Starts a flow by a button of ours; returns the provider's page.
    async fn start(&mut self, path: &str) -> Url {
        let started = self.follow(path, "same-origin").await;
        assert_eq!(started.status, StatusCode::SEE_OTHER, "{started:?}");
        Url::parse(started.header(LOCATION)).unwrap()
    }

    /// Links an account at the provider `example`.
    async fn link(&mut self) {
        let provider_page = self.start(START).await;
        let back = self.get(&way_back(&provider_page, "code=c")).await;
        assert_eq!((back.status, back.header(LOCATION)), (StatusCode::SEE_OTHER, LINKED), "{back:?}");
    }

    /// The cookies whose names begin so.
    fn cookies_named(&self, beginning: &str) -> Vec<&str> {
        self.cookies
            .iter()
            .map(actix_web::cookie::Cookie::name)
            .filter(|name| name.starts_with(beginning))
            .collect()
    }
}

/// What a page says, without its tags and with one space between any two words.
fn text(page: &Answer) -> String {
    let (_, body) = page.body.split_once("<main>").unwrap();
    let words = body.split('<').map(|tag| tag.split_once('>').map_or(tag, |(_, text)| text));
    words.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Fails unless a page says all of that.
fn assert_says(page: &Answer, sentences: &[&str]) {
    let text = text(page);
    for sentence in sentences {
        assert!(text.contains(sentence), "{sentence} in {text}");
    }
}

/// Fails if a page says, or holds, any of that.
fn assert_lacks(page: &Answer, unwanted: &[&str]) {
    for unwanted in unwanted {
        assert!(!page.body.contains(unwanted), "{unwanted} in {}", page.body);
    }
}
