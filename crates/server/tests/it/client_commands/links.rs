//! Links and their tokens at a terminal.

use reqwest::StatusCode;
use serde_json::json;

use super::person::Person;
use crate::external_auth::world::{LinkWorld, PROVIDER};
use crate::simulated::owner;
use crate::stores::StoreKind;

impl LinkWorld {
    /// The member at a terminal.
    fn member_at_a_terminal(&self) -> Person {
        Person::calling(&self.installation.base_url, &self.member.token)
    }

    async fn set_device_flow(&self, on: bool) {
        let path = format!("/providers/{}/", self.provider);
        let (status, patched) = self.admin.patch_json(&path, &json!({ "deviceFlow": on })).await;
        assert_eq!(status, StatusCode::OK, "{patched}");
    }

    fn page(&self) -> String {
        format!("{}/external-auth/{PROVIDER}", self.installation.base_url)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_printed_or_where_to_link() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    let person = world.member_at_a_terminal();
    let access_token = ["external-auth", "access-token", PROVIDER];
    let said = person.runs(&access_token, "").await;
    assert_eq!(
        (said.status, said.stdout.trim_end(), said.stderr.as_str()),
        (Some(1), world.page().as_str(), "")
    );
    let said = person.runs(&[&access_token[..], &["--json"]].concat(), "").await;
    assert_eq!(
        (said.status, said.stdout.trim_end()),
        (Some(1), json!({ "url": world.page() }).to_string().as_str())
    );

    world.member.authorize_unattended(&world.provider).await;
    let said = person.runs(&access_token, "").await;
    assert_eq!((said.status, said.stderr.as_str()), (Some(0), ""));
    let token = said.stdout.strip_suffix('\n').unwrap();
    assert!(owner(&world.upstream, token).await.is_some(), "it is a token and nothing else");
    let whole = person.json(&access_token, "").await;
    assert_eq!((&whole["accessToken"], &whole["username"]), (&json!(token), &json!(token)));
    let scope = person.runs(&[&access_token[..], &["--extra", "scope"]].concat(), "").await;
    assert_eq!(scope.status, Some(0), "{scope:?}");
    assert_eq!(scope.stdout.trim_end(), whole["tokenExtra"]["scope"]);
    let refused = person.refused(&[&access_token[..], &["--extra", "no.such"]].concat()).await;
    assert!(refused.contains("no.such") && refused.contains("scope"), "{refused}");
    let unknown = person.refused(&["external-auth", "access-token", "no-such"]).await;
    assert!(unknown.contains("no-such: no such provider"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_needs_nothing_but_its_environment() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    world.member.authorize_unattended(&world.provider).await;
    let secret = world.installation.agent_token(crate::external_auth::world::MEMBER);
    let mut machine = Person::calling(&world.installation.base_url, &secret);
    machine.set("HOME", "");
    let said = machine.runs(&["external-auth", "access-token", PROVIDER], "").await;
    assert_eq!(said.status, Some(0), "{said:?}");
    let refused = machine.refused(&["external-auth", "unlink", PROVIDER]).await;
    assert!(refused.contains("only reads access tokens"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_links_by_a_code_where_the_provider_takes_one() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    let person = world.member_at_a_terminal();
    let link = ["external-auth", "link", PROVIDER];
    let mut started = person.starts(&link);
    assert!(started.shows().await.starts_with(world.upstream.url()));
    assert!(!started.shows().await.is_empty(), "the code");
    let (status, said) = started.ends().await;
    assert!(status.success() && said.starts_with("linked to"), "{said}");
    world.only_link().await;
    let again = person.json(&link, "").await;
    assert_eq!((&again["alreadyLinked"], again["user"].is_string()), (&json!(true), true), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_links_on_a_page_where_the_provider_takes_no_code() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    world.set_device_flow(false).await;
    let person = world.member_at_a_terminal();
    let mut started = person.starts(&["external-auth", "link", PROVIDER, "--json"]);
    assert_eq!(started.shows().await, world.page());
    world.member.authorize_unattended(&world.provider).await;
    let (status, said) = started.ends().await;
    assert!(status.success() && said.contains("\"alreadyLinked\":false"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_listed_and_removed() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    let person = world.member_at_a_terminal();
    let state = async || person.json(&["external-auth", "list"], "").await["providers"][0]["state"].clone();
    assert_eq!(state().await, "notLinked");
    world.member.authorize_unattended(&world.provider).await;
    assert_eq!(state().await, "linked");
    let token = world.agent.lent(&format!("id={PROVIDER}&match=")).await;
    let table = person.runs(&["external-auth", "list"], "").await.stdout;
    let row = table.lines().nth(1).unwrap();
    assert!(table.starts_with("ID ") && row.starts_with(PROVIDER) && row.ends_with("linked"), "{table}");

    let gone = person.json(&["external-auth", "unlink", PROVIDER], "").await;
    assert_eq!(gone, json!({ "provider": PROVIDER, "tokenRevoked": true }));
    assert_eq!(owner(&world.upstream, &token).await, None, "the provider has revoked it");
    assert_eq!(state().await, "notLinked");
    assert!(person.refused(&["external-auth", "unlink", PROVIDER]).await.contains("external-auth list"));
}
