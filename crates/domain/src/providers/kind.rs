//! The types of providers.

/// The type of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProviderKind {
    /// github.com, ghe.com and GitHub Enterprise Server.
    Github,
    /// gitlab.com and self-managed.
    Gitlab,
    /// Bitbucket Cloud and Data Center.
    Bitbucket,
    /// Google.
    Google,
    /// Box.
    Box,
    /// Microsoft Entra ID and personal accounts.
    Microsoft,
    /// Any OpenID Connect provider, by its issuer.
    Oidc,
    /// The built-in simulated provider, where the operator has switched it on.
    Test,
}

impl ProviderKind {
    /// Every type.
    pub const ALL: [Self; 8] = [
        Self::Github,
        Self::Gitlab,
        Self::Bitbucket,
        Self::Google,
        Self::Box,
        Self::Microsoft,
        Self::Oidc,
        Self::Test,
    ];

    /// As the APIs and the stores name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Bitbucket => "bitbucket",
            Self::Google => "google",
            Self::Box => "box",
            Self::Microsoft => "microsoft",
            Self::Oidc => "oidc",
            Self::Test => "test",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
