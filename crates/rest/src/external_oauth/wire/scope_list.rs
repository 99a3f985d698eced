//! Scopes on the wire.

use std::borrow::Borrow;

use grantkeeper_domain::authorizations::Scopes;
use serde::{Serialize, Serializer};

/// Scopes as a list, in their canonical order.
pub(super) struct ScopeList<S>(pub(super) S);

impl<B: Borrow<Scopes>> Serialize for ScopeList<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.borrow().iter())
    }
}
