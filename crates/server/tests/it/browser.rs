//! A person at a browser, with cookies and no eyes: they sign in with an API token, or come back from a provider, and say yes.

use std::collections::BTreeMap;

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use url::Url;

use crate::callers::client;
use crate::form::Form;
use crate::waiting::eventually;

pub(crate) struct Browser {
    http: Client,
    /// The public URL of the service, which its pages think they are at.
    site: String,
    cookies: BTreeMap<String, String>,
}

/// What a browser got.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    /// Where it is sent.
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn at(site: &str) -> Self {
        Self { http: client(), site: site.to_owned(), cookies: BTreeMap::new() }
    }

    /// Signs in and confirms the flow that a link begins; returns the provider's page.
    pub(crate) async fn say_yes(&mut self, link: &str, token: &str) -> String {
        let flow = Url::parse(link).unwrap().path().to_owned();
        self.sign_in(token, &flow).await;
        let page = self.visit(link).await.body;
        self.press(&flow, &page, "yes").await.leads_on()
    }

    /// Signs in with an API token, and is led on to a page of ours.
    pub(crate) async fn sign_in(&mut self, token: &str, page: &str) {
        let sign_in = [("token", token), ("return_to", page)];
        let sign_in = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(sign_in).finish();
        assert_eq!(self.post("/sign-in", sign_in).await.leads_on(), page);
    }

    /// What a cookie is worth, which has to be there.
    pub(crate) fn cookie(&self, name: &str) -> String {
        self.cookies.get(name).unwrap_or_else(|| panic!("no cookie {name}")).clone()
    }

    /// Comes back from a provider to a login; returns the path of its page, and what is on it once the provider has answered.
    pub(crate) async fn come_back(&mut self, location: &str) -> (String, String) {
        let called_back = self.visit(location).await;
        assert_eq!(called_back.status, StatusCode::FOUND, "{}", called_back.body);
        assert_eq!(called_back.body, "{}");
        let path = called_back.leads_on();
        assert!(path.starts_with("/login/") && !path.contains('?'), "{path} tells nothing");
        let url = format!("{}{path}", self.site);
        let page = eventually("the provider to answer", async || {
            let seen = self.visit(&url).await;
            (!seen.body.contains("http-equiv=\"refresh\"")).then_some(seen)
        })
        .await;
        (path, page.body)
    }

    /// Presses a button on a page of ours.
    pub(crate) async fn press(&mut self, path: &str, page: &str, button: &str) -> Seen {
        self.post(path, Form::on(page, button).body()).await
    }

    /// A visit with all cookies.
    pub(crate) fn get(&self, url: &str) -> RequestBuilder {
        self.with_cookies(self.http.get(url))
    }

    /// The same as browsers do it; what is set in the answer is kept.
    pub(crate) async fn visit(&mut self, url: &str) -> Seen {
        let request = self.get(url).header("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        self.keep(request.send().await.unwrap()).await
    }

    /// What the cookies are worth that it shows.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.cookies.values().map(String::as_str).filter(|value| !value.is_empty())
    }

    async fn post(&mut self, path: &str, form: String) -> Seen {
        let request = self.http.post(format!("{}{path}", self.site)).header("origin", &self.site).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = self.with_cookies(request).send().await.unwrap();
        self.keep(answer).await
    }

    async fn keep(&mut self, answer: Response) -> Seen {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let (cookie, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = answer.headers().get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
        Seen { status: answer.status(), location, body: answer.text().await.unwrap() }
    }

    fn with_cookies(&self, request: RequestBuilder) -> RequestBuilder {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.header("cookie", cookies.join("; "))
    }
}

impl Seen {
    /// Where a redirect leads, or a page that is left at once.
    pub(crate) fn leads_on(&self) -> String {
        let refreshes_to = || {
            let (_, rest) = self.body.split_once("content=\"0;url=")?;
            Some(rest.split('"').next()?.replace("&#38;", "&"))
        };
        let next = self.location.clone().or_else(refreshes_to);
        next.unwrap_or_else(|| panic!("{}: {}", self.status, self.body))
    }
}
