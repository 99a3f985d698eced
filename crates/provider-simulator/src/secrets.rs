//! Every secret that went through the simulator, so that a test can search logs and files for them.

use std::collections::HashSet;

/// The secrets in the order in which they were issued or received. No `Debug`, for the obvious reason.
#[derive(Default)]
pub(crate) struct IssuedSecrets {
    in_order: Vec<String>,
    known: HashSet<String>,
}

impl IssuedSecrets {
    /// Remembers a secret, once.
    pub(crate) fn note(&mut self, secret: &str) {
        if !secret.is_empty() && self.known.insert(secret.to_owned()) {
            self.in_order.push(secret.to_owned());
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[String] {
        &self.in_order
    }
}
