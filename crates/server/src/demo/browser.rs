//! A person at a browser: it follows redirects, keeps cookies and posts forms; the person signs in with their API
//! token, types codes, and says yes.

use reqwest::header::{
    ACCEPT, CONTENT_TYPE, COOKIE, HeaderName, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE,
};
use reqwest::{Method, Response, StatusCode};
use url::{Url, form_urlencoded};

use super::cookies::CookieJar;
use super::narrator::Narrator;
use super::page::{Form, Page, Typed};
use crate::failure::Failure;

/// No way through the pages is longer.
const MOST_STEPS: usize = 20;

/// What a browser wants to see.
const PAGES: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// How forms travel.
const FORM: &str = "application/x-www-form-urlencoded";

/// A browser, and who sits at it.
pub(super) struct Browser<'a> {
    http: reqwest::Client,
    cookies: CookieJar,
    typed: Typed<'a>,
    /// Hears of every page; `None`: nobody does.
    narrator: Option<&'a Narrator>,
}

/// Where the browser goes next.
struct Visit {
    method: Method,
    url: Url,
    form: Option<PostedForm>,
}

/// A form on its way.
struct PostedForm {
    pairs: Vec<(String, String)>,
    origin: String,
}

impl Visit {
    fn get(url: Url) -> Self {
        Self { method: Method::GET, url, form: None }
    }

    fn posted(url: Url, pairs: Vec<(String, String)>, origin: String) -> Self {
        Self { method: Method::POST, url, form: Some(PostedForm { pairs, origin }) }
    }
}

impl<'a> Browser<'a> {
    pub(super) fn new(http: reqwest::Client, typed: Typed<'a>, narrator: Option<&'a Narrator>) -> Self {
        Self { http, cookies: CookieJar::default(), typed, narrator }
    }

    /// Opens a link and goes on until a page asks for nothing more; returns that page's title.
    pub(super) async fn say_yes_from(&mut self, link: &str) -> Result<String, Failure> {
        let mut visit = Visit::get(Url::parse(link)?);
        for _ in 0..MOST_STEPS {
            let url = visit.url.clone();
            let answer = self.go(visit).await?;
            let status = answer.status();
            if status.is_redirection() {
                visit = Visit::get(url.join(header(&answer, &LOCATION).unwrap_or_default())?);
                continue;
            }
            let origin = origin_of_forms(&url, header(&answer, &REFERRER_POLICY));
            let page = Page::read(&answer.text().await?);
            if let Some(next) = page.onward.as_ref().filter(|_| status == StatusCode::OK) {
                visit = Visit::get(url.join(next)?);
                self.tell(|narrator| tell_onward(narrator, &visit.url));
                continue;
            }
            let title = &page.title;
            match page.form() {
                Some(form) if status == StatusCode::OK => {
                    visit = Visit::posted(url.join(&form.action)?, form.filled_in(self.typed), origin);
                    self.tell(|narrator| tell_press(narrator, title, form));
                }
                None if status == StatusCode::OK => {
                    self.tell(|narrator| narrator.seen(format_args!("the page says “{title}”")));
                    return Ok(page.title);
                }
                _ => {
                    return Err(Failure::of(format!("the page at {} says {status}: {title}", place(&url))));
                }
            }
        }
        Err(Failure::of("the pages lead around in circles"))
    }

    async fn go(&mut self, visit: Visit) -> Result<Response, Failure> {
        let Visit { method, url, form } = visit;
        self.tell(|narrator| narrator.asked("browser", format_args!("{method} {}", place(&url))));
        let site = url.origin().ascii_serialization();
        let mut request = self.http.request(method.clone(), url.clone()).header(ACCEPT, PAGES);
        if let Some(cookies) = self.cookies.header(&site, url.path()) {
            request = request.header(COOKIE, cookies);
        }
        if let Some(PostedForm { pairs, origin }) = form {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            request = request.header(ORIGIN, origin).header(CONTENT_TYPE, FORM).body(body);
        }
        let answer = request.send().await?;
        let cookies = answer.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies.for_each(|cookie| self.cookies.take(&site, cookie));
        self.tell(|narrator| tell_answer(narrator, &url, &answer));
        Ok(answer)
    }

    fn tell(&self, what: impl FnOnce(&Narrator)) {
        if let Some(narrator) = self.narrator {
            what(narrator);
        }
    }
}

/// What a browser says where a form comes from; a page that wants no referrer is not named (Fetch standard, "append a
/// request `Origin` header").
fn origin_of_forms(page: &Url, referrer_policy: Option<&str>) -> String {
    if referrer_policy == Some("no-referrer") {
        "null".to_owned()
    } else {
        page.origin().ascii_serialization()
    }
}

fn tell_press(narrator: &Narrator, title: &str, form: &Form) {
    narrator.seen(format_args!("on the page “{title}” the person {} “{}”", form.doing(), form.yes()));
}

/// Addresses are told without what follows the question mark: codes and states.
fn tell_answer(narrator: &Narrator, url: &Url, answer: &Response) {
    match header(answer, &LOCATION).and_then(|next| url.join(next).ok()) {
        Some(next) => narrator.answered(format_args!("{} to {}", answer.status(), told(&next)), &[]),
        None => narrator.answered(answer.status(), &[]),
    }
}

fn tell_onward(narrator: &Narrator, next: &Url) {
    narrator.seen(format_args!("the page leads on to {}", told(next)));
}

/// An address, and what is sent along.
fn told(url: &Url) -> String {
    let sent = url.query_pairs().map(|(name, _)| name.into_owned()).collect::<Vec<_>>().join(", ");
    let with = if sent.is_empty() { String::new() } else { format!(" with {sent}") };
    format!("{}{with}", place(url))
}

fn header<'r>(answer: &'r Response, name: &HeaderName) -> Option<&'r str> {
    answer.headers().get(name)?.to_str().ok()
}

/// An address without its query.
fn place(url: &Url) -> String {
    let mut place = url.clone();
    place.set_query(None);
    place.set_fragment(None);
    place.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_referrer_is_not_named() {
        let page = Url::parse("https://auth.example/sign-in").expect("a URL");
        assert_eq!(origin_of_forms(&page, Some("no-referrer")), "null");
        assert_eq!(origin_of_forms(&page, Some("same-origin")), "https://auth.example");
        assert_eq!(origin_of_forms(&page, None), "https://auth.example");
    }

    #[test]
    fn codes_and_states_are_not_told() {
        let url = Url::parse("http://127.0.0.1:1/callback/p?code=secret&state=secret#secret").expect("a URL");
        assert_eq!(place(&url), "http://127.0.0.1:1/callback/p");
    }
}
