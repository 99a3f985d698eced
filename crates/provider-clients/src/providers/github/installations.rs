//! Where a person has installed a GitHub App (<https://docs.github.com/en/rest/apps/installations>).

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::providers::{
    Installation, InstallationAccount, ListInstallations, ProviderConnection, ProviderEndpoints,
    UpstreamError,
};
use serde_json::Value;
use url::Url;

use super::HEADERS;
use super::deployment::{at_api, install_page};
use super::new_token::{asked_again, refuses_token};
use crate::failure::unavailable;
use crate::http::{GuardedClient, link_to};
use crate::resources::ProtectedResources;

/// Reads them through every page.
pub(super) struct AppInstallations {
    pub(super) http: Arc<GuardedClient>,
}

#[async_trait]
impl ListInstallations for AppInstallations {
    fn install_page(&self, endpoints: &ProviderEndpoints, app_slug: &str) -> Option<Url> {
        install_page(endpoints, app_slug)
    }

    async fn installations(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
    ) -> Result<Vec<Installation>, UpstreamError> {
        let endpoints = &connection.client.endpoints;
        let mut first = at_api(endpoints, "/user/installations").ok_or(UpstreamError::NotSupported)?;
        first.set_query(Some("per_page=100"));
        let resources = ProtectedResources { http: &self.http, access_token, headers: HEADERS };
        let pages = asked_again(&self.http, refuses_token, || {
            resources
                .pages_if_allowed(&first, |answer, _| link_to(&answer.headers, "next").map(str::to_owned))
        })
        .await?;
        // The tokens of OAuth apps may not see it: they are not installed anywhere.
        let pages = pages.ok_or(UpstreamError::NotSupported)?;
        let pages: Option<Vec<Vec<Installation>>> = pages.iter().map(of_page).collect();
        Ok(pages.ok_or_else(|| unavailable("unreadable_answer"))?.concat())
    }
}

fn of_page(page: &Value) -> Option<Vec<Installation>> {
    let listed = page.get("installations")?.as_array()?;
    Some(listed.iter().filter_map(readable).collect())
}

/// One that makes no sense does not hide the others.
fn readable(document: &Value) -> Option<Installation> {
    let installation = installation(document);
    if installation.is_none() {
        let id = document.get("id").and_then(Value::as_i64);
        tracing::warn!(id, "GitHub lists an installation that cannot be read");
    }
    installation
}

fn installation(document: &Value) -> Option<Installation> {
    let account = document.get("account").filter(|account| !account.is_null());
    Some(Installation {
        id: document.get("id")?.as_i64()?,
        account: match account {
            Some(account) => Some(self::account(account)?),
            None => None,
        },
        configure_url: url(document, "html_url"),
        suspended: document.get("suspended_at").is_some_and(|at| !at.is_null()),
    })
}

/// A person or an organization has a login; an enterprise has a slug in its place.
fn account(document: &Value) -> Option<InstallationAccount> {
    let text = |name| document.get(name).and_then(Value::as_str);
    Some(InstallationAccount {
        id: document.get("id")?.as_i64()?,
        login: text("login").or_else(|| text("slug"))?.to_owned(),
        avatar_url: url(document, "avatar_url"),
        profile_url: url(document, "html_url"),
    })
}

/// An address that a browser may be sent to.
fn url(document: &Value, name: &str) -> Option<Url> {
    let url = Url::parse(document.get(name)?.as_str()?).ok()?;
    matches!(url.scheme(), "https" | "http").then_some(url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page() -> Value {
        serde_json::from_str(include_str!("../../../tests/fixtures/users/github_user_installations.json"))
            .unwrap()
    }

    #[test]
    fn a_page_is_read_whole() {
        let expected = Installation {
            id: 5_518_034,
            account: Some(InstallationAccount {
                id: 77_120_045,
                login: "tidewater-labs".into(),
                avatar_url: Url::parse("https://avatars.githubusercontent.com/u/77120045?v=4").ok(),
                profile_url: Url::parse("https://github.com/tidewater-labs").ok(),
            }),
            configure_url: Url::parse(
                "https://github.com/organizations/tidewater-labs/settings/installations/5518034",
            )
            .ok(),
            suspended: false,
        };
        assert_eq!(of_page(&page()), Some(vec![expected]));
        assert_eq!(of_page(&json!({"total_count": 0, "installations": []})), Some(vec![]));
    }

    #[test]
    fn a_suspended_one_is_told() {
        let mut page = page();
        page["installations"][0]["suspended_at"] = json!("2026-09-01T00:00:00Z");
        assert!(of_page(&page).unwrap()[0].suspended);
    }

    #[test]
    fn what_is_no_list_has_no_installations() {
        for page in [json!([]), json!({}), json!({"installations": {}})] {
            assert_eq!(of_page(&page), None, "{page}");
        }
    }

    #[test]
    fn an_installation_may_be_nobody_s() {
        for nobody in [json!({"id": 1}), json!({"id": 1, "account": null})] {
            assert_eq!(installation(&nobody).unwrap().account, None, "{nobody}");
        }
    }

    #[test]
    fn one_that_cannot_be_read_is_left_out() {
        let account = json!({"id": 2, "slug": "tidewater"});
        let page = json!({"installations": [
            {"account": account}, {"id": 1, "account": {"id": 2}}, 7, {"id": 3, "account": account},
        ]});
        let ids: Vec<_> = of_page(&page).unwrap().iter().map(|installation| installation.id).collect();
        assert_eq!(ids, [3]);
    }
}
