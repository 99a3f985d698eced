//! Letting the access token expire.

use std::time::Duration;

use chrono::TimeDelta;
use grantkeeper_domain::services::Clock as _;
use reqwest::StatusCode;

use super::LentToken;
use crate::adapters::SystemClock;
use crate::demo::walk::World;
use crate::failure::Failure;

/// The provider counts whole seconds: a little later it is sure.
const TO_BE_SURE: TimeDelta = TimeDelta::milliseconds(200);

/// Waits until the token has expired, and shows that it has.
pub(in crate::demo) async fn expire(world: &World<'_>, token: &LentToken) -> Result<(), Failure> {
    world.narrator.step("Expire: access tokens do");
    let wait = token.expires_at - SystemClock.now() + TO_BE_SURE;
    let wait = wait.to_std().unwrap_or(Duration::ZERO);
    world.narrator.note(format_args!(
        "waiting {:.1} s, until {}",
        wait.as_secs_f64(),
        token.expires_at.to_rfc3339()
    ));
    SystemClock.sleep(wait).await;
    let judgement = world.provider.judges(&token.access_token).await?;
    world.provider.tell_judgement(&token.access_token, judgement);
    if judgement == StatusCode::UNAUTHORIZED {
        Ok(())
    } else {
        Err(Failure::of("the provider still takes the access token, though its time is over"))
    }
}
