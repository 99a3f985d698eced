//! What is left behind: one live authorization for each type of provider.

use super::authorize::{Telling, authorize};
use super::register::{provider, test_provider};
use crate::demo::walk::World;
use crate::failure::Failure;

/// What can be tried after the walk.
pub(in crate::demo) struct LeftBehind {
    /// The authorization at the provider of the type `test`.
    pub(in crate::demo) test: String,
    /// The authorization at the provider of the type `oidc`.
    pub(in crate::demo) oidc: String,
    /// The provider of the type `oidc`.
    pub(in crate::demo) oidc_provider: String,
}

/// Registers the deleted provider anew and has the member authorize at both.
pub(in crate::demo) async fn leave(world: &World<'_>, oidc: String) -> Result<LeftBehind, Failure> {
    world
        .narrator
        .step("Something to play with: the member authorizes at one provider of each remaining type");
    let test = provider(world, test_provider()).await?;
    Ok(LeftBehind {
        test: authorize(world, &test, Telling::TheEnd).await?,
        oidc: authorize(world, &oidc, Telling::TheEnd).await?,
        oidc_provider: oidc,
    })
}
