//! What somebody has who signed in.

use crate::demo::api_client::Answer;
use crate::demo::walk::World;
use crate::failure::Failure;

/// Somebody who signed in.
pub(in crate::demo) struct SignedIn {
    pub(in crate::demo) account: String,
    pub(in crate::demo) token: String,
}

impl SignedIn {
    /// Reads and tells the answer that a client waits for.
    pub(super) fn read(world: &World<'_>, answer: &Answer) -> Result<Self, Failure> {
        answer.tell(world.narrator, &["/data/accountId", "/data/expiresAt", "/secret/value"]);
        Ok(Self {
            account: answer.text("/data/accountId")?.to_owned(),
            token: answer.text("/secret/value")?.to_owned(),
        })
    }
}
