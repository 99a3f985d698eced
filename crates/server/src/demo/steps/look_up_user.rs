//! Asking the provider who the user is.

use reqwest::StatusCode;

use crate::demo::walk::World;
use crate::failure::Failure;

/// The member asks whose account it is.
pub(in crate::demo) async fn look_up_user(world: &World<'_>, authorization: &str) -> Result<(), Failure> {
    world.narrator.step("User info: whose account is it?");
    let answer = world.member.get(&format!("authorizedProviders/{authorization}/userinfo/")).await?;
    let answer = answer.expect(StatusCode::OK)?;
    answer.tell(world.narrator, &["/sub", "/name", "/email"]);
    Ok(())
}
