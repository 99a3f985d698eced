//! The operator's keys: one seals, all open.

use crate::{MasterKey, MasterKeyId};

/// The master keys of this process. The first seals; all of them open, so that what an earlier key sealed stays
/// readable after a new one took its place.
pub struct KeyRing {
    first: MasterKey,
    others: Vec<MasterKey>,
}

impl KeyRing {
    /// A ring of one key.
    pub fn new(first: MasterKey) -> Self {
        Self { first, others: Vec::new() }
    }

    /// Adds a key that only opens.
    #[must_use]
    pub fn and_opens_with(mut self, key: MasterKey) -> Self {
        self.others.push(key);
        self
    }

    /// The ids of all keys, the one that seals first.
    pub fn ids(&self) -> Vec<MasterKeyId> {
        self.keys().map(MasterKey::id).collect()
    }

    pub(crate) fn first(&self) -> &MasterKey {
        &self.first
    }

    pub(crate) fn get(&self, id: MasterKeyId) -> Option<&MasterKey> {
        self.keys().find(|key| key.id() == id)
    }

    fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.first).chain(&self.others)
    }
}
