//! Refreshing: many callers, one call of the provider.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};

use super::LentToken;
use crate::demo::narrator::shortened;
use crate::demo::walk::World;
use crate::failure::Failure;

/// How many ask at once.
const CALLERS: usize = 50;
/// From here on tokens live as long as they usually do, in seconds.
const AN_HOUR: u32 = 3_600;

/// Many callers ask for the expired token at once. Returns the fresh access token, which all of them got.
pub(in crate::demo) async fn refresh(
    world: &World<'_>,
    authorization: &str,
    expired: &LentToken,
) -> Result<String, Failure> {
    world.narrator.step("Refresh: 50 callers ask at once, and the provider is asked once");
    world.provider.set_access_token_lifetime(AN_HOUR).await?;
    let before = world.provider.refreshes().await?;
    let path = format!("authorizedProviders/{authorization}/token/");
    world
        .narrator
        .asked("member", format_args!("POST /api/v2/externalOAuth/{path}, {CALLERS} times at once"));
    let calls = (0..CALLERS).map(|_| world.member.quietly(Method::POST, &path, None));
    let mut tokens = BTreeSet::new();
    for answer in join_all(calls).await {
        tokens.insert(answer?.expect(StatusCode::CREATED)?.text("/accessToken")?.to_owned());
    }
    let upstream = world.provider.refreshes().await? - before;
    let told = tokens.iter().map(|token| shortened(token)).collect::<Vec<_>>().join(", ");
    let fields = [
        ("answers", CALLERS.to_string()),
        ("different access tokens", format!("{} ({told})", tokens.len())),
        ("refreshes at the provider, by its own count", upstream.to_string()),
    ];
    world.narrator.answered(StatusCode::CREATED, &fields);
    match (tokens.pop_first(), tokens.is_empty(), upstream) {
        (Some(fresh), true, 1) if fresh != expired.access_token => Ok(fresh),
        _ => Err(Failure::of("there should have been one refresh, and one fresh token for all")),
    }
}
