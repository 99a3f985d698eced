//! What the token of a sign-in opens, and signing out.

use reqwest::StatusCode;

use super::SignedIn;
use crate::demo::walk::World;
use crate::failure::Failure;

/// Who tells of the token that they call with, and takes it back.
const OWN_TOKEN: &str = "/v1/login/token";

/// The newcomer uses another API with the token, signs out, and the token opens nothing any more.
pub(in crate::demo) async fn sign_out(world: &World<'_>, signed_in: &SignedIn) -> Result<(), Failure> {
    world.narrator.step("Use it, and sign out: the token opens the other APIs until it is taken back");
    let newcomer = world.newcomer(Some(&signed_in.token));
    let providers = newcomer.get("providers/").await?.expect(StatusCode::OK)?;
    let names = providers.body["data"].as_array().into_iter().flatten();
    let names: Vec<_> = names.filter_map(|provider| provider["name"].as_str()).collect();
    world.narrator.answered(providers.status, &[("data", names.join(", "))]);
    newcomer.delete(OWN_TOKEN).await?.expect(StatusCode::NO_CONTENT)?.tell(world.narrator, &[]);
    let refused = newcomer.get(OWN_TOKEN).await?.expect(StatusCode::UNAUTHORIZED)?;
    refused.tell(world.narrator, &["/error"]);
    Ok(())
}
