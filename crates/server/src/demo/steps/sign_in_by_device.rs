//! Signing in by device code: a program in a terminal gets an API token.

use reqwest::StatusCode;
use serde_json::Value;

use super::SignedIn;
use crate::demo::browser::Browser;
use crate::demo::page::Typed;
use crate::demo::walk::World;
use crate::failure::Failure;

/// Somebody who has no account yet signs in at GitHub with the code that their terminal shows (RFC 8628).
pub(in crate::demo) async fn sign_in_by_device(world: &World<'_>) -> Result<SignedIn, Failure> {
    world
        .narrator
        .step("Sign in by device code: a newcomer at a terminal has a GitHub account, and none here");
    let newcomer = world.newcomer(None);
    let begun = newcomer.post("/login/oauth2/device/start", None).await?.expect(StatusCode::OK)?;
    begun.tell(world.narrator, &["/url", "/userCode", "/expires", "/encodedSession"]);
    let typed = Typed { text: begun.text("/userCode")?, ..Typed::default() };
    let mut browser = Browser::new(world.http.clone(), typed, Some(world.narrator));
    browser.say_yes_from(begun.text("/url")?).await?;
    let session = Value::String(begun.text("/encodedSession")?.to_owned());
    let answer = newcomer.post("/login/oauth2/device/complete", Some(session)).await?;
    SignedIn::read(world, &answer.expect(StatusCode::OK)?)
}
