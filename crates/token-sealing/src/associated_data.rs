//! What a ciphertext is bound to (RFC 5116, 2.1): it opens only together with the same associated data.
//!
//! Every field has a fixed width but the last, so no two different lists of fields read the same. The purpose comes
//! first, so that nothing sealed for one purpose opens for another.

use grantkeeper_domain::ids::{DataKeyId, OrganizationId};
use grantkeeper_domain::sealing::SecretPlace;

use crate::MasterKeyId;
use crate::envelope::VERSION;

#[derive(Clone, Copy)]
enum Purpose {
    Secret = 1,
    DataKey = 2,
    Canary = 3,
}

/// Of a secret: where it rests, and the key that seals it.
pub(crate) fn of_secret(place: SecretPlace, key: DataKeyId) -> Vec<u8> {
    bound(
        Purpose::Secret,
        &[
            place.organization_id.as_uuid().as_bytes(),
            place.row.as_bytes(),
            key.as_uuid().as_bytes(),
            place.column.as_str().as_bytes(),
        ],
    )
}

/// Of a data key: whose it is, its id, and the key that wraps it.
pub(crate) fn of_data_key(organization: OrganizationId, key: DataKeyId, wrapped_by: MasterKeyId) -> Vec<u8> {
    bound(
        Purpose::DataKey,
        &[organization.as_uuid().as_bytes(), key.as_uuid().as_bytes(), wrapped_by.as_bytes()],
    )
}

/// Of the canary: the key it stands for.
pub(crate) fn of_canary(sealed_by: MasterKeyId) -> Vec<u8> {
    bound(Purpose::Canary, &[sealed_by.as_bytes()])
}

fn bound(purpose: Purpose, fields: &[&[u8]]) -> Vec<u8> {
    // Long enough for any secret's place.
    let mut data = Vec::with_capacity(96);
    data.extend_from_slice(&[VERSION, purpose as u8]);
    for field in fields {
        data.extend_from_slice(field);
    }
    data
}
