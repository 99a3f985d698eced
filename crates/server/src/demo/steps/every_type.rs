//! The main job at every provider in the cloud, each of them played by its documented behaviour.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::demo::browser::Browser;
use crate::demo::narrator::shortened;
use crate::demo::walk::World;
use crate::failure::Failure;

/// The types, and how their makers write them.
const TYPES: [(&str, &str); 6] = [
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("bitbucket", "Bitbucket"),
    ("google", "Google"),
    ("box", "Box"),
    ("microsoft", "Microsoft"),
];

/// Registers each, has the member authorize, and hands out a token. Returns the slug of the provider of the type `github`,
/// whose device flow is switched on.
pub(in crate::demo) async fn every_type(world: &World<'_>) -> Result<String, Failure> {
    world.narrator.step("Every provider: the same at GitHub, GitLab, Bitbucket, Google, Box and Microsoft");
    world
        .narrator
        .note("Each is played by its documented behaviour: its paths, its errors, its kind of tokens.");
    let mut github = None;
    for (kind, name) in TYPES {
        let provider = register(world, kind, name).await?;
        let user = link(world, provider["id"].as_str().unwrap_or_default()).await?;
        world.narrator.note(format_args!("{name:<10} {user}, {}", revocation(&provider)));
        github = github.or_else(|| provider["slug"].as_str().map(str::to_owned));
    }
    github.ok_or_else(|| Failure::of("the provider has no slug"))
}

async fn register(world: &World<'_>, kind: &str, name: &str) -> Result<Value, Failure> {
    let body = json!({
        "type": kind,
        "name": name,
        "clientId": format!("demo-{kind}"),
        "clientSecret": "any-secret-will-do-at-this-provider",
        "deviceFlow": kind == "github",
    });
    let answer = world.admin.quietly(Method::POST, "providers/", Some(body)).await?;
    Ok(answer.expect(StatusCode::CREATED)?.body)
}

/// Authorizes, and says who the user is and which token was handed out.
async fn link(world: &World<'_>, provider: &str) -> Result<String, Failure> {
    let path = format!("providers/{provider}/authorize/");
    let started = world.member.quietly(Method::POST, &path, None).await?.expect(StatusCode::OK)?;
    let mut browser = Browser::new(world.http.clone(), world.member_types(), None);
    let end = browser.say_yes_from(started.text("/redirectUrl")?).await?;

    let list =
        world.member.quietly(Method::GET, "authorizedProviders/", None).await?.expect(StatusCode::OK)?;
    let entries = list.body["data"].as_array().cloned().unwrap_or_default();
    let found = entries.iter().find(|entry| entry["provider"]["id"] == provider);
    let id = found.and_then(|entry| entry["id"].as_str());
    let id =
        id.ok_or_else(|| Failure::of(format!("no authorization came of it: the last page said “{end}”")))?;

    let path = format!("authorizedProviders/{id}/token/");
    let lent = world.member.quietly(Method::POST, &path, None).await?.expect(StatusCode::CREATED)?;
    let path = format!("authorizedProviders/{id}/userinfo/");
    let user = world.member.quietly(Method::GET, &path, None).await?.expect(StatusCode::OK)?;
    Ok(format!(
        "{} ({}), token {}",
        user.text("/name")?,
        user.text("/sub")?,
        shortened(lent.text("/accessToken")?)
    ))
}

/// What happens to the tokens when the authorization is deleted.
fn revocation(provider: &Value) -> String {
    match (provider["revocationScope"].as_str(), provider["metadata"]["settingsUrl"].as_str()) {
        (Some(scope), _) => format!("revocation ends the {scope}"),
        (None, Some(by_hand)) => format!("no revocation: by hand at {by_hand}"),
        (None, None) => "no revocation".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deletion_does_upstream_is_said_in_words() {
        assert_eq!(revocation(&json!({"revocationScope": "pair"})), "revocation ends the pair");
        let by_hand = json!({"metadata": {"settingsUrl": "https://idp.example/apps"}});
        assert_eq!(revocation(&by_hand), "no revocation: by hand at https://idp.example/apps");
        assert_eq!(revocation(&json!({})), "no revocation");
    }
}
