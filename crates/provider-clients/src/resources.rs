//! What an access token opens: documents of a provider's own API (RFC 6749, 7; RFC 6750).

use chrono::{DateTime, Utc};
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::UpstreamError;
use reqwest::header::WWW_AUTHENTICATE;
use serde_json::Value;
use url::Url;

use crate::failure::unavailable;
use crate::http::{Answer, Call, GuardedClient};

/// A provider's API as one access token sees it.
pub(crate) struct ProtectedResources<'a> {
    pub(crate) http: &'a GuardedClient,
    pub(crate) access_token: &'a Secret,
    /// Headers that the API wants to see, by names in lower case.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// No list goes on for longer than this many pages: it may never end.
const MOST_PAGES: usize = 100;

impl ProtectedResources<'_> {
    /// An answer that is a success.
    pub(crate) async fn answer(&self, url: &Url) -> Result<Answer, UpstreamError> {
        self.answer_if_allowed(url).await?.ok_or_else(|| unavailable("unknown_error"))
    }

    /// A document.
    pub(crate) async fn document(&self, url: &Url) -> Result<Value, UpstreamError> {
        read(&self.answer(url).await?)
    }

    /// A document; `None`: this token may not see it, for lack of a scope or a permission, or the provider does not have
    /// it.
    pub(crate) async fn document_if_allowed(&self, url: &Url) -> Result<Option<Value>, UpstreamError> {
        let answer = self.answer_if_allowed(url).await?;
        answer.as_ref().map(read).transpose()
    }

    /// The documents of all pages of a list, of which there is one at least. `next` finds where an answer says the next
    /// page is. `None`: this token may not see the list, or the provider does not have it.
    pub(crate) async fn pages_if_allowed(
        &self,
        first: &Url,
        next: impl Fn(&Answer, &Value) -> Option<String> + Send,
    ) -> Result<Option<Vec<Value>>, UpstreamError> {
        let Some(mut answer) = self.answer_if_allowed(first).await? else { return Ok(None) };
        let mut pages = Vec::new();
        loop {
            let page = read(&answer)?;
            let following = next(&answer, &page);
            pages.push(page);
            match following {
                None => return Ok(Some(pages)),
                Some(_) if pages.len() == MOST_PAGES => return Err(unavailable("too_many_pages")),
                Some(following) => answer = self.answer(&following_page(first, &following)?).await?,
            }
        }
    }

    async fn answer_if_allowed(&self, url: &Url) -> Result<Option<Answer>, UpstreamError> {
        let answer = self.get(url).await?;
        match answer.status.as_u16() {
            403 | 404 => Ok(None),
            _ if answer.status.is_success() => Ok(Some(answer)),
            _ => Err(unavailable("unknown_error")),
        }
    }

    async fn get(&self, url: &Url) -> Result<Answer, UpstreamError> {
        let call = Call::get_json(url);
        let call = self.headers.iter().fold(call, |call, (name, value)| call.header(*name, value));
        let answer = self.http.send(call.bearer(self.access_token)?).await?;
        match refusal(&answer, self.http.now()) {
            Some(refusal) => Err(refusal),
            None => Ok(answer),
        }
    }
}

/// What a profile can do without: a document that cannot be had counts as one that is not there, since it must not cost
/// anybody their grant. Only a refused token is told, which says something about more than the document.
pub(crate) fn dispensable(
    url: &Url,
    found: Result<Option<Value>, UpstreamError>,
) -> Result<Option<Value>, UpstreamError> {
    match found {
        Err(error) if error != UpstreamError::TokenRefused => {
            let host = url.host_str().unwrap_or_default();
            tracing::warn!(host, reason = error.reason(), "a part of a profile cannot be read");
            Ok(None)
        }
        found => found,
    }
}

fn read(answer: &Answer) -> Result<Value, UpstreamError> {
    serde_json::from_slice(&answer.body).map_err(|_| unavailable("unreadable_answer"))
}

/// The next page of a list is on the same server and at the same path: a token goes nowhere else because an answer says
/// so.
fn following_page(first: &Url, following: &str) -> Result<Url, UpstreamError> {
    let url = first.join(following).map_err(|_| unavailable("unreadable_answer"))?;
    if url.origin() == first.origin() && url.path() == first.path() && url.username().is_empty() {
        return Ok(url);
    }
    Err(unavailable("next_page_elsewhere"))
}

/// The failure that is told whatever was asked for: the token is no good, or it is a bad moment.
pub(crate) fn refusal(answer: &Answer, now: DateTime<Utc>) -> Option<UpstreamError> {
    if refuses_token(answer) { Some(UpstreamError::TokenRefused) } else { answer.trouble(now) }
}

/// 401, or another status that names the reason (RFC 6750, 3.1).
fn refuses_token(answer: &Answer) -> bool {
    let challenges = answer.headers.get_all(WWW_AUTHENTICATE).iter();
    let invalid =
        |value: &str| value.contains("error=\"invalid_token\"") || value.contains("error=invalid_token");
    answer.status == 401
        || (answer.status.is_client_error()
            && challenges.filter_map(|value| value.to_str().ok()).any(invalid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_where_it_began() {
        let first = Url::parse("https://api.example/v3/user/installations?per_page=100").unwrap();
        for following in [
            "https://api.example/v3/user/installations?per_page=100&page=2",
            "?page=2",
            "installations?after=x",
        ] {
            let url = following_page(&first, following).unwrap();
            assert_eq!((url.host_str(), url.path()), (first.host_str(), first.path()), "{following}");
        }
        for elsewhere in [
            "https://evil.example/v3/user/installations?page=2",
            "https://api.example:8443/v3/user/installations",
            "http://api.example/v3/user/installations",
            "https://api.example/v3/user",
            "/user/installations",
            "//evil.example/v3/user/installations",
            "https://x@api.example/v3/user/installations",
        ] {
            assert_eq!(following_page(&first, elsewhere), Err(unavailable("next_page_elsewhere")));
        }
        assert_eq!(following_page(&first, "https://["), Err(unavailable("unreadable_answer")));
    }
}
