//! Handing out an access token.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;

use crate::demo::walk::World;
use crate::failure::Failure;

/// An access token that was handed out.
pub(in crate::demo) struct LentToken {
    pub(in crate::demo) access_token: String,
    pub(in crate::demo) expires_at: DateTime<Utc>,
}

/// The member gets the access token, and shows that the provider takes it.
pub(in crate::demo) async fn lend(world: &World<'_>, authorization: &str) -> Result<LentToken, Failure> {
    world.narrator.step("Access token: the member asks for one, as often as they like");
    let answer = world.member.post(&format!("authorizedProviders/{authorization}/token/"), None).await?;
    let answer = answer.expect(StatusCode::CREATED)?;
    answer.tell(world.narrator, &["/accessToken", "/expiresAt"]);
    let lent = LentToken {
        access_token: answer.text("/accessToken")?.to_owned(),
        expires_at: answer.text("/expiresAt")?.parse()?,
    };
    let judgement = world.provider.judges(&lent.access_token).await?;
    world.provider.tell_judgement(&lent.access_token, judgement);
    if judgement != StatusCode::OK {
        return Err(Failure::of("the provider does not take the access token that it has just issued"));
    }
    Ok(lent)
}
