//! What a machine gets that acts for a person: a workspace that clones.

use reqwest::StatusCode;

use crate::demo::walk::World;
use crate::failure::Failure;

/// The remote, in the query of a URL.
const REMOTE: &str = "https%3A%2F%2Fgithub.com%2Facme%2Fapp.git";

/// An agent gets the credentials for a git remote of GitHub, where the member is linked, and opens nothing else.
pub(in crate::demo) async fn read_by_agent(world: &World<'_>) -> Result<(), Failure> {
    world
        .narrator
        .step("For machines: a workspace asks for the credentials of the git remote it is to clone");
    let path = format!("/api/v2/workspaceagents/me/external-auth?match={REMOTE}");
    let lent = world.agent.get(&path).await?.expect(StatusCode::OK)?;
    lent.tell(world.narrator, &["/type", "/username", "/token_extra/scope"]);
    world.narrator.note(
        "The agent’s token reads the member’s access tokens, and nothing else: `token create --agent`.",
    );
    let refused = world.agent.get("providers/").await?.expect(StatusCode::FORBIDDEN)?;
    refused.tell(world.narrator, &["/message"]);
    Ok(())
}
