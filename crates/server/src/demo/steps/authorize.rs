//! Authorizing: from the member's wish over the person's consent to the provider's callback.

use reqwest::StatusCode;
use serde_json::Value;

use crate::demo::browser::Browser;
use crate::demo::walk::World;
use crate::failure::Failure;

/// How long the access token of the walk lives, in seconds: long enough to be seen valid, short enough to be waited for.
const A_MOMENT: u32 = 2;

/// Authorizes at a provider whose access tokens live for a moment only. Returns the id of the authorization.
pub(in crate::demo) async fn authorize_for_a_moment(
    world: &World<'_>,
    provider: &str,
) -> Result<String, Failure> {
    world.narrator.step("Authorize, consent, callback: the member links an account at the provider");
    world.provider.set_access_token_lifetime(A_MOMENT).await?;
    if world.scene.auto_consent {
        world.narrator.note("Nobody is asked, on neither side: --auto-consent.");
    }
    authorize(world, provider, Telling::EveryPage).await
}

/// How much of the way through the pages is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// All of it.
    EveryPage,
    /// Only where it ends: the rest was told before.
    TheEnd,
}

/// Authorizes, and returns the id of the authorization.
pub(super) async fn authorize(
    world: &World<'_>,
    provider: &str,
    telling: Telling,
) -> Result<String, Failure> {
    let started = world.member.post(&format!("providers/{provider}/authorize/"), None).await?;
    let started = started.expect(StatusCode::OK)?;
    started.tell(world.narrator, &["/redirectUrl", "/state"]);
    let every_page = (telling == Telling::EveryPage).then_some(world.narrator);
    let mut browser = Browser::new(world.http.clone(), world.member_types(), every_page);
    let end = browser.say_yes_from(started.text("/redirectUrl")?).await?;
    if telling == Telling::TheEnd {
        world
            .narrator
            .seen(format_args!("the browser goes the same way as before; the last page says “{end}”"));
    }

    let list = world.member.get("authorizedProviders/").await?.expect(StatusCode::OK)?;
    let at_provider =
        |entry: &&Value| entry.pointer("/provider/id").and_then(Value::as_str) == Some(provider);
    let found = list.body["data"].as_array().and_then(|entries| entries.iter().find(at_provider));
    let found = found
        .ok_or_else(|| Failure::of(format!("no authorization came of it: the last page said “{end}”")))?;
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let fields = [
        ("id", text("id")),
        ("status", text("status")),
        ("grantedScopes", found["grantedScopes"].to_string()),
        ("accessTokenExpiresAt", text("accessTokenExpiresAt")),
    ];
    world.narrator.answered(list.status, &fields);
    Ok(text("id"))
}
