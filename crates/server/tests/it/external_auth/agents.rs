//! Agents: machines whose tokens read the access tokens of one account.

use reqwest::{Method, StatusCode};

use super::client::LinkClient;
use super::world::{LinkWorld, MEMBER, PROVIDER};
use crate::callers::{answer, client};
use crate::stores::{StoreKind, on_either_store};
use crate::waiting::what_was_read_before_is_too_old;

on_either_store!(an_agent_reads_access_tokens_and_nothing_else);

async fn an_agent_reads_access_tokens_and_nothing_else(store: StoreKind) {
    let world = LinkWorld::on(store).await;
    let id = world.member.authorize_unattended(&world.provider).await;
    let secret = world.installation.agent_token(MEMBER);
    let agent = world.installation.caller(&secret);
    let links = LinkClient::at(&world.installation.base_url, &secret);

    let token = links.lent(&format!("id={PROVIDER}&match=")).await;
    assert_eq!(agent.lent(&id, "").await, token);
    let read = agent.post(&format!("/authorizedProviders/{id}/token/")).await;
    assert_eq!((read.0, read.1["accessToken"].as_str()), (StatusCode::CREATED, Some(token.as_str())));
    let own = client().get(format!("{}/v1/login/token", world.installation.base_url)).bearer_auth(&secret);
    assert_eq!(answer(own).await.0, StatusCode::OK);

    for path in ["/providers/", "/authorizedProviders/", "/jobs/"] {
        assert_eq!(agent.get(path).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    for (method, path) in [
        (Method::GET, String::new()),
        (Method::GET, format!("/{PROVIDER}")),
        (Method::DELETE, format!("/{PROVIDER}")),
        (Method::GET, format!("/{PROVIDER}/device")),
    ] {
        let (status, body) = answer(links.request(method.clone(), &format!("external-auth{path}"))).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}: {body}");
    }
    let delete = agent.delete(&format!("/authorizedProviders/{id}/")).await;
    assert_eq!(delete.0, StatusCode::FORBIDDEN, "{}", delete.1);
    assert_eq!(world.authorizations().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_reads_nothing_once_its_token_is_revoked() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    world.member.authorize_unattended(&world.provider).await;
    let query = format!("id={PROVIDER}&match=");
    world.agent.lent(&query).await;
    let list = world.installation.run(&["token", "list", "--account", MEMBER]);
    let agents = list["tokens"].as_array().unwrap().iter().filter(|token| token["kind"] == "agent");
    for token in agents {
        world.installation.run(&["token", "revoke", token["id"].as_str().unwrap()]);
    }
    what_was_read_before_is_too_old().await;
    assert_eq!(world.agent.access(&query).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(world.links.get("external-auth").await.0, StatusCode::OK, "the member's own goes on");
}
