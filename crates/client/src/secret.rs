//! Secrets in memory.

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A token or a password. It is wiped when dropped, and has no `Debug`, `Display`, `Serialize` or `Clone`, so that it cannot
/// end in a log by accident:
///
/// ```compile_fail
/// let secret = grantkeeper_client::Secret::new("s".to_owned());
/// println!("{secret:?}");
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a secret.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// A second one of the same, for whoever keeps one and gives one away. It is no `Clone`, so that nobody does so unseen.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// The secret itself; whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
