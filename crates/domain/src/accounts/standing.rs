//! Where organizations and accounts stand.

/// Whether an organization or an account is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// In use.
    Active,
    /// It is being deleted, and nothing leads back: nobody gets in as it, and nothing new comes to belong to it.
    Deleting,
}

impl Standing {
    /// As commands and stores name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleting => "deleting",
        }
    }

    /// The standing of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Deleting].into_iter().find(|standing| standing.as_str() == name)
    }
}
