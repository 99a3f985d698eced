//! Signing in with a browser: a program opens it, and polls for its API token.

use reqwest::{Method, StatusCode};

use super::SignedIn;
use crate::demo::browser::Browser;
use crate::demo::page::Typed;
use crate::demo::patience::until;
use crate::demo::stage::LOGIN_PROVIDER;
use crate::demo::walk::World;
use crate::failure::Failure;

/// The same person signs in with a browser, and comes to the account that they have by now.
pub(in crate::demo) async fn sign_in_by_browser(
    world: &World<'_>,
    before: &SignedIn,
) -> Result<SignedIn, Failure> {
    world
        .narrator
        .step("Sign in with a browser: a program opens it, and polls until the person has said yes");
    let newcomer = world.newcomer(None);
    let path = format!("/v1/login/oauth2/web/authorize?provider={LOGIN_PROVIDER}&match-code=shown");
    let started = newcomer.get(&path).await?.expect(StatusCode::OK)?;
    started.tell(world.narrator, &["/url", "/state", "/matchCode"]);
    let poll = format!("/v1/login/oauth2/web/poll?state={}", started.text("/state")?);
    world
        .narrator
        .asked("newcomer", "GET /v1/login/oauth2/web/poll with the state, before anybody said anything");
    let pending = newcomer.quietly(Method::GET, &poll, None).await?.expect(StatusCode::ACCEPTED)?;
    pending.tell(world.narrator, &[]);

    if !world.scene.auto_consent {
        world.narrator.note(
            "Before the token is let go, a page of ours shows who asks, and the match code to compare.",
        );
    }
    let mut browser = Browser::new(world.http.clone(), Typed::default(), Some(world.narrator));
    browser.say_yes_from(started.text("/url")?).await?;
    world.narrator.asked("newcomer", "GET /v1/login/oauth2/web/poll with the state");
    let answer = until("the person has signed in", async || {
        let answer = newcomer.quietly(Method::GET, &poll, None).await?;
        match answer.status {
            StatusCode::ACCEPTED => Ok(None),
            _ => answer.expect(StatusCode::OK).map(Some),
        }
    })
    .await?;
    let signed_in = SignedIn::read(world, &answer)?;
    if signed_in.account != before.account || signed_in.token == before.token {
        return Err(Failure::of("the same person should have come to the same account, with another token"));
    }
    world
        .narrator
        .note("It is the same account as before: whoever has one is known by their id at the provider.");
    Ok(signed_in)
}
