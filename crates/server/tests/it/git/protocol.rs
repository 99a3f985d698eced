//! What the helper says to git, line by line.

use reqwest::StatusCode;
use serde_json::json;

use crate::client_commands::person::Person;
use crate::external_auth::world::{LinkWorld, MEMBER, PROVIDER};
use crate::stores::StoreKind;

const DESCRIPTION: &str = "capability[]=authtype\nprotocol=https\nhost=git.example\nwwwauth[]=Basic\n\n";

async fn member_of_git_example() -> (LinkWorld, Person) {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    let path = format!("/providers/{}/", world.provider);
    let (status, patched) = world.admin.patch_json(&path, &json!({ "gitHosts": ["git.example"] })).await;
    assert_eq!(status, StatusCode::OK, "{patched}");
    let secret = world.installation.agent_token(MEMBER);
    let person = Person::calling(&world.installation.base_url, &secret);
    (world, person)
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_with_the_time_when_they_are_no_longer_good() {
    let (world, person) = member_of_git_example().await;
    world.member.authorize_unattended(&world.provider).await;
    let token = world.agent.lent(&format!("id={PROVIDER}&match=")).await;
    let said = person.runs(&["git-credential", "get"], DESCRIPTION).await;
    assert_eq!((said.status, said.stderr.as_str()), (Some(0), ""), "{said:?}");
    let lines: Vec<_> = said.stdout.lines().collect();
    assert_eq!(lines[..2], [format!("username={token}"), "password=".to_owned()]);
    let expiry = lines[2].strip_prefix("password_expiry_utc=").unwrap();
    assert!(expiry.parse::<u64>().is_ok(), "{expiry}");
    assert_eq!(lines.len(), 3);
    // As git ends a description that it has no more to say to.
    let by_url = "url=https://git.example/acme/app.git";
    assert_eq!(person.runs(&["git-credential", "get"], by_url).await.stdout, said.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_link_git_is_told_to_give_up() {
    let (world, person) = member_of_git_example().await;
    let said = person.runs(&["git-credential", "get"], DESCRIPTION).await;
    assert_eq!((said.status, said.stdout.as_str()), (Some(0), "quit=1\n"), "{said:?}");
    let page = format!("{}/external-auth/{PROVIDER}", world.installation.base_url);
    assert!(said.stderr.contains(&page) && said.stderr.contains("git.example"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_what_is_not_ours() {
    let (world, person) = member_of_git_example().await;
    world.member.authorize_unattended(&world.provider).await;
    for (operation, description) in [
        ("store", "protocol=https\nhost=git.example\nusername=ada\npassword=secret\n\n"),
        ("erase", "protocol=https\nhost=git.example\nusername=ada\npassword=secret\n\n"),
        ("an-operation-of-later-versions", DESCRIPTION),
        ("get", "protocol=https\nhost=another.example\n\n"),
        ("get", "protocol=http\nhost=git.example\n\n"),
        ("get", "protocol=ftp\nhost=git.example\n\n"),
        ("get", "protocol=https\nhost=git.example@another.example\n\n"),
        ("get", "\n"),
    ] {
        let said = person.runs(&["git-credential", operation], description).await;
        let said = (said.status, said.stdout.as_str(), said.stderr.as_str());
        assert_eq!(said, (Some(0), "", ""), "{operation} {description:?}");
    }
    assert!(!world.agent.lent(&format!("id={PROVIDER}&match=")).await.is_empty(), "erase has erased nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_providers_of_one_place_are_named() {
    let (world, person) = member_of_git_example().await;
    let another = json!({
        "name": "Another", "type": "oidc", "host": world.upstream.url(), "clientId": "any", "clientSecret": "secret",
        "gitHosts": ["git.example"],
    });
    let (status, another) = world.admin.post_json("/providers/", &another).await;
    assert_eq!(status, StatusCode::CREATED, "{another}");
    let said = person.runs(&["git-credential", "get"], DESCRIPTION).await;
    assert_eq!((said.status, said.stdout.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.stderr.contains(PROVIDER) && said.stderr.contains("another"), "{said:?}");
}

#[tokio::test]
async fn lines_that_are_none_are_refused() {
    let person = Person::calling("http://127.0.0.1:1", "token");
    for description in ["host\n\n", "protocol=https\nhost=a\rb\n\n", "url=https://a/%0ahost=b\n\n"] {
        let said = person.runs(&["git-credential", "get"], description).await;
        assert_eq!((said.status, said.stdout.as_str()), (Some(1), ""), "{said:?}");
        assert!(said.stderr.starts_with("error: grantkeeper: git has sent"), "{said:?}");
    }
}
