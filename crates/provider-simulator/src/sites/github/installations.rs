//! The installations of a GitHub App that a user can reach, in pages.

use serde_json::{Value, json};

use crate::params::Params;
use crate::state::{Access, Provider};

/// Installations on a page when nothing is said ("List app installations accessible to the user access token").
const PER_PAGE: u32 = 30;

/// The most on a page.
const MOST_PER_PAGE: u32 = 100;

/// The id of the first one; the others follow it.
const FIRST_ID: u32 = 5_518_034;

/// A page of a list.
pub(super) struct ListPage {
    /// 1 is the first.
    pub(super) number: u32,
    pub(super) per_page: u32,
}

impl ListPage {
    /// The page that a request asks for.
    pub(super) fn from_params(params: &Params) -> Self {
        let number = |name| params.get(name).and_then(|text| text.parse::<u32>().ok());
        Self {
            number: number("page").unwrap_or(1).max(1),
            per_page: number("per_page").unwrap_or(PER_PAGE).clamp(1, MOST_PER_PAGE),
        }
    }

    /// Which positions of a list of this length are on it.
    fn positions(&self, length: u32) -> std::ops::Range<u32> {
        let start = (self.number - 1).saturating_mul(self.per_page).min(length);
        start..start.saturating_add(self.per_page).min(length)
    }

    /// The `Link` header (RFC 8288), if there is more than this page.
    pub(super) fn links(&self, url: &str, length: u32) -> Option<String> {
        let last = length.div_ceil(self.per_page).max(1);
        let link = |number: u32, rel: &str| {
            format!("<{url}?per_page={}&page={number}>; rel=\"{rel}\"", self.per_page)
        };
        let before = (self.number > 1).then(|| [link(self.number - 1, "prev"), link(1, "first")]);
        let after = (self.number < last).then(|| [link(self.number + 1, "next"), link(last, "last")]);
        let links: Vec<String> = before.into_iter().chain(after).flatten().collect();
        (!links.is_empty()).then(|| links.join(", "))
    }
}

/// `GET /user/installations`.
pub(super) fn list(provider: &Provider, access: &Access, page: &ListPage) -> Value {
    let length = provider.settings.installations;
    let shown: Vec<Value> =
        page.positions(length).map(|position| installation(provider, access, position)).collect();
    json!({ "total_count": length, "installations": shown })
}

/// Whether the user can reach an installation.
pub(super) fn reaches(provider: &Provider, id: u32) -> bool {
    id.checked_sub(FIRST_ID).is_some_and(|position| position < provider.settings.installations)
}

/// `GET /user/installations/{id}/repositories`.
pub(super) fn repositories(provider: &Provider, id: u32) -> Value {
    let login = organization(id.saturating_sub(FIRST_ID));
    let full_name = format!("{login}/handbook");
    json!({
        "total_count": 1,
        "repository_selection": "selected",
        "repositories": [{
            "id": 1_296_269,
            "name": "handbook",
            "full_name": full_name,
            "private": true,
            "html_url": format!("{}/{full_name}", provider.place.web_name),
            "url": format!("{}/repos/{full_name}", provider.place.api_name),
            "default_branch": "main",
        }],
    })
}

fn organization(position: u32) -> String {
    format!("example-org-{}", position + 1)
}

fn installation(provider: &Provider, access: &Access, position: u32) -> Value {
    let (web, api) = (&provider.place.web_name, &provider.place.api_name);
    let (id, account_id, login) = (FIRST_ID + position, 77_120_045 + position, organization(position));
    json!({
        "id": id,
        "client_id": access.client_id,
        "account": {
            "login": login,
            "id": account_id,
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{account_id}?v=4"),
            "html_url": format!("{web}/{login}"),
            "type": "Organization",
        },
        "repository_selection": "selected",
        "access_tokens_url": format!("{api}/app/installations/{id}/access_tokens"),
        "repositories_url": format!("{api}/installation/repositories"),
        "html_url": format!("{web}/organizations/{login}/settings/installations/{id}"),
        "app_id": 910_233,
        "app_slug": "broker-demo",
        "target_id": account_id,
        "target_type": "Organization",
        "permissions": {"contents": "read", "metadata": "read"},
        "events": ["push"],
        "created_at": "2026-05-11T08:00:00Z",
        "updated_at": "2026-07-02T10:30:00Z",
        "single_file_name": null,
        "has_multiple_single_files": false,
        "single_file_paths": [],
        "suspended_by": null,
        "suspended_at": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_the_list_once_and_link_to_each_other() {
        let page = |number| ListPage { number, per_page: 2 };
        assert_eq!(page(1).positions(5), 0..2);
        assert_eq!(page(3).positions(5), 4..5);
        assert!(page(4).positions(5).is_empty() && page(u32::MAX).positions(5).is_empty());
        let links = page(2).links("http://a/b", 5).expect("links");
        assert_eq!(
            links,
            "<http://a/b?per_page=2&page=1>; rel=\"prev\", <http://a/b?per_page=2&page=1>; rel=\"first\", \
             <http://a/b?per_page=2&page=3>; rel=\"next\", <http://a/b?per_page=2&page=3>; rel=\"last\""
        );
        assert_eq!(page(1).links("http://a/b", 2), None);
    }

    #[test]
    fn a_page_has_thirty_unless_told_and_a_hundred_at_most() {
        let page = |query: &[u8]| ListPage::from_params(&Params::parse(query));
        assert_eq!((page(b"").number, page(b"").per_page), (1, 30));
        assert_eq!(page(b"per_page=1000").per_page, 100);
        assert_eq!((page(b"page=0&per_page=0").number, page(b"page=0&per_page=0").per_page), (1, 1));
    }
}
