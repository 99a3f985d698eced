//! What became of authorizations, in the reports of the jobs that deleted them.

use serde::Serialize;

use crate::revocations::Revocation;

/// What became of one authorization's tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    authorization_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    attempts: u32,
}

/// Which authorizations, as a JSON list.
pub(super) fn authorization_ids(receipts: &[Revocation]) -> String {
    let ids: Vec<String> = receipts.iter().map(|one| one.authorization_id.to_string()).collect();
    json(&ids)
}

/// What became of each, as a JSON list.
pub(super) fn outcomes(receipts: &[Revocation]) -> String {
    json(&receipts.iter().map(receipt).collect::<Vec<_>>())
}

fn receipt(revocation: &Revocation) -> Receipt {
    Receipt {
        authorization_id: revocation.authorization_id.to_string(),
        status: revocation.status.as_str(),
        reason: revocation.last_error.clone(),
        attempts: revocation.attempts,
    }
}

fn json(list: &impl Serialize) -> String {
    serde_json::to_string(list).expect("lists of strings and numbers always serialize")
}
