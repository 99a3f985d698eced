//! Registering providers.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::demo::walk::World;
use crate::failure::Failure;

/// The ids of the registered providers.
pub(in crate::demo) struct Providers {
    /// Of the type `test`.
    pub(in crate::demo) test: String,
    /// Of the type `oidc`.
    pub(in crate::demo) oidc: String,
}

/// An administrator registers one provider of each type; both are the simulated one.
pub(in crate::demo) async fn register(world: &World<'_>) -> Result<Providers, Failure> {
    world.narrator.step("Register: an administrator brings in two OAuth clients");
    let test = provider(world, test_provider()).await?;
    world.narrator.note("The second finds its endpoints by OpenID discovery, as any OpenID provider would.");
    let oidc = provider(world, oidc_provider(&world.scene.simulator_url)).await?;
    Ok(Providers { test, oidc })
}

/// Registers one, and returns its id.
pub(super) async fn provider(world: &World<'_>, body: Value) -> Result<String, Failure> {
    let answer = world.admin.post("providers/", Some(body)).await?.expect(StatusCode::CREATED)?;
    answer
        .tell(world.narrator, &["/id", "/slug", "/status", "/scopes", "/callbackUrl", "/supportsRevocation"]);
    Ok(answer.text("/id")?.to_owned())
}

pub(super) fn test_provider() -> Value {
    json!({
        "type": "test",
        "name": "Simulated provider",
        "clientId": "demo",
        "clientSecret": "any-secret-will-do-at-this-provider",
    })
}

fn oidc_provider(issuer: &str) -> Value {
    json!({
        "type": "oidc",
        "name": "OpenID provider",
        "host": issuer,
        "clientId": "demo-oidc",
        "clientSecret": "any-secret-will-do-at-this-provider",
    })
}
