//! What is written as it is displayed.

use std::fmt::Display;

use serde::{Serialize, Serializer};

/// An id, or a URL, as a text: written straight into the answer.
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
