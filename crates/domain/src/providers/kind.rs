//! The types of providers.

macro_rules! provider_kinds {
    ($($(#[$doc:meta])+ $kind:ident = $name:literal;)+) => {
        /// The type of a provider.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ProviderKind {
            $($(#[$doc])+ $kind),+
        }

        impl ProviderKind {
            /// Every type.
            pub const ALL: [Self; [$(Self::$kind),+].len()] = [$(Self::$kind),+];

            /// As the APIs and the stores name it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name),+
                }
            }
        }
    };
}

provider_kinds! {
    /// github.com, ghe.com and GitHub Enterprise Server.
    Github = "github";
    /// gitlab.com and self-managed.
    Gitlab = "gitlab";
    /// Bitbucket Cloud and Data Center.
    Bitbucket = "bitbucket";
    /// Google.
    Google = "google";
    /// Box.
    Box = "box";
    /// Microsoft Entra ID and personal accounts.
    Microsoft = "microsoft";
    /// Any OpenID Connect provider, by its issuer.
    Oidc = "oidc";
    /// The built-in simulated provider, where the operator has switched it on.
    Test = "test";
}

impl ProviderKind {
    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
