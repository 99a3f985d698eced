//! A person at a browser, who signs in with an API token and says yes.

use std::collections::BTreeMap;

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use url::Url;

use crate::callers::client;

pub(crate) struct Browser {
    http: Client,
    /// The public URL of the service, which its pages think they are at.
    site: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn at(site: &str) -> Self {
        Self { http: client(), site: site.to_owned(), cookies: BTreeMap::new() }
    }

    /// Signs in and confirms the flow that a link begins; returns the provider's page.
    pub(crate) async fn say_yes(&mut self, link: &str, token: &str) -> String {
        let flow = Url::parse(link).unwrap().path().to_owned();
        let signed_in = self.post("/sign-in", &[("token", token), ("return_to", &flow)]).await;
        assert_eq!(signed_in.headers()["location"], *flow);
        let page = self.get(link).send().await.unwrap().text().await.unwrap();
        let (_, form_token) = page.split_once("name=\"form_token\" value=\"").unwrap();
        let form_token = form_token.split('"').next().unwrap();
        let confirmed = self.post(&flow, &[("decision", "yes"), ("form_token", form_token)]).await;
        confirmed.headers()["location"].to_str().unwrap().to_owned()
    }

    /// A visit with all cookies.
    pub(crate) fn get(&self, url: &str) -> RequestBuilder {
        self.with_cookies(self.http.get(url))
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(format!("{}{path}", self.site)).header("origin", &self.site).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = self.with_cookies(request).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        for cookie in answer.headers().get_all("set-cookie") {
            let (cookie, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    fn with_cookies(&self, request: RequestBuilder) -> RequestBuilder {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.header("cookie", cookies.join("; "))
    }
}
