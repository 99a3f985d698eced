//! Revoking: the authorization goes here at once, and its tokens at the provider right after.

use reqwest::StatusCode;

use crate::demo::patience::until;
use crate::demo::walk::World;
use crate::failure::Failure;

/// The member takes the authorization back; its access token dies at the provider.
pub(in crate::demo) async fn revoke(
    world: &World<'_>,
    authorization: &str,
    access_token: &str,
) -> Result<(), Failure> {
    world.narrator.step("Revoke: the member takes the authorization back");
    let path = format!("authorizedProviders/{authorization}/");
    let answer = world.member.delete(&path).await?.expect(StatusCode::NO_CONTENT)?;
    answer.tell(world.narrator, &[]);
    let gone = world.member.get(&path).await?.expect(StatusCode::NOT_FOUND)?;
    gone.tell(world.narrator, &["/message"]);
    world.narrator.note("The tokens are revoked at the provider in the background.");
    let judgement = until("the provider has revoked the token", async || {
        let judgement = world.provider.judges(access_token).await?;
        Ok((judgement == StatusCode::UNAUTHORIZED).then_some(judgement))
    })
    .await?;
    world.provider.tell_judgement(access_token, judgement);
    Ok(())
}
