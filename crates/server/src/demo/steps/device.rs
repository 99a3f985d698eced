//! Authorizing by device code, for a terminal without a browser.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::demo::patience::until;
use crate::demo::walk::World;
use crate::failure::Failure;

/// The site of the simulator that plays GitHub.
const SITE: &str = "github";

/// Links the member's account by device code (RFC 8628).
pub(in crate::demo) async fn device(world: &World<'_>, provider: &str) -> Result<(), Failure> {
    world.narrator.step("Device code: a terminal without a browser, at GitHub");
    world.provider.set_device_interval(SITE, 1).await?;
    let path = format!("/api/v2/external-auth/{provider}/device");
    let begun = world.member.get(&path).await?.expect(StatusCode::OK)?;
    begun.tell(world.narrator, &["/user_code", "/verification_uri", "/device_code", "/interval"]);
    world.provider.approve_device(begun.text("/user_code")?).await?;
    let body = json!({ "device_code": begun.text("/device_code")? });
    world.narrator.asked("member", format_args!("POST {path}, until the person has agreed"));
    let linked = until("the person has agreed", async || {
        let answer = world.member.quietly(Method::POST, &path, Some(body.clone())).await?;
        match answer.body["detail"].as_str() {
            Some("authorization_pending" | "slow_down") => Ok(None),
            _ => answer.expect(StatusCode::NO_CONTENT).map(Some),
        }
    })
    .await?;
    world.narrator.answered(linked.status, &[]);
    Ok(())
}
