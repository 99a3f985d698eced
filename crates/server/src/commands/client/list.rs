//! `external-auth list`.

use std::fmt;

use clap::Args;
use grantkeeper_client::links::{Link, LinkProvider, Links};
use grantkeeper_client::shown;
use serde::Serialize;

use super::signed_in;
use crate::failure::Failure;
use crate::report::write_table;

/// List the providers, and which of them the caller's account is linked to.
#[derive(Debug, Args)]
pub(crate) struct LinkList {}

#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    providers: Vec<ListedProvider>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedProvider {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// Whether a code can be typed on another device.
    device_flow: bool,
    state: LinkStatus,
    /// Why the link is of no use, or was not checked; left out where there is nothing to tell.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum LinkStatus {
    /// Good for a token.
    Linked,
    /// It was, and has to be linked anew.
    Broken,
    NotLinked,
}

impl fmt::Display for LinkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linked => "linked",
            Self::Broken => "link again",
            Self::NotLinked => "not linked",
        })
    }
}

impl Listed {
    fn of(Links { providers, links }: &Links) -> Self {
        let listed = providers.iter().map(|provider| {
            ListedProvider::of(provider, links.iter().find(|link| link.provider_id == provider.id))
        });
        Self { providers: listed.collect() }
    }
}

impl ListedProvider {
    fn of(provider: &LinkProvider, link: Option<&Link>) -> Self {
        let state = match link {
            None => LinkStatus::NotLinked,
            Some(link) if link.authenticated => LinkStatus::Linked,
            Some(_) => LinkStatus::Broken,
        };
        Self {
            id: provider.id.clone(),
            name: provider.display_name.clone(),
            kind: provider.kind.clone(),
            device_flow: provider.device,
            state,
            reason: link.map(|link| link.validate_error.clone()).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.providers.is_empty() {
            return f
                .write_str("there are no providers: an administrator of your organization registers them");
        }
        let row = |provider: &ListedProvider| {
            let ListedProvider { id, name, kind, device_flow: _, state, reason } = provider;
            let told = if reason.is_empty() { state.to_string() } else { format!("{state}: {reason}") };
            [shown(id), shown(name), shown(kind), shown(&told)]
        };
        let rows: Vec<_> = self.providers.iter().map(row).collect();
        write_table(f, ["ID", "NAME", "TYPE", "STATE"], &rows)
    }
}

impl LinkList {
    pub(super) async fn run(&self) -> Result<Listed, Failure> {
        Ok(Listed::of(&signed_in::service()?.links().await?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed() -> Listed {
        let provider = |id: &str| json!({ "id": id, "type": "github", "device": id == "hub", "display_name": format!("The {id}") });
        let link = |id: &str, authenticated: bool, why: &str| json!({ "provider_id": id, "authenticated": authenticated, "validate_error": why });
        let links = json!({
            "providers": [provider("hub"), provider("lab"), provider("box")],
            "links": [link("lab", false, "The provider has refused it [revoked]."), link("hub", true, "")],
        });
        Listed::of(&serde_json::from_value(links).expect("a list"))
    }

    #[test]
    fn every_provider_is_a_row() {
        let table = listed().to_string();
        let rows: Vec<_> = table.lines().collect();
        assert_eq!(rows[0], "ID   NAME     TYPE    STATE");
        assert_eq!(rows[1], "hub  The hub  github  linked");
        assert_eq!(rows[2], "lab  The lab  github  link again: The provider has refused it [revoked].");
        assert_eq!(rows[3], "box  The box  github  not linked");
    }

    #[test]
    fn machines_read_the_same() {
        let json = serde_json::to_value(listed()).expect("it is plain");
        let hub = json!({ "id": "hub", "name": "The hub", "type": "github", "deviceFlow": true, "state": "linked" });
        assert_eq!(json["providers"][0], hub);
        assert_eq!(json["providers"][1]["state"], "broken");
        assert_eq!(json["providers"][1]["reason"], "The provider has refused it [revoked].");
        assert_eq!(json["providers"][2]["state"], "notLinked");
    }
}
