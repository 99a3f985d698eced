//! The groups of operations.

/// What an operation is about; the groups that it is listed in.
#[derive(Clone, Copy)]
pub(crate) enum Tag {
    Providers,
    Authorizations,
    Jobs,
    Links,
    Service,
}

impl Tag {
    pub(super) const ALL: [Self; 5] =
        [Self::Providers, Self::Authorizations, Self::Jobs, Self::Links, Self::Service];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Providers => "Providers",
            Self::Authorizations => "Authorizations",
            Self::Jobs => "Jobs",
            Self::Links => "Links",
            Self::Service => "Service",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Providers => {
                "The OAuth clients that the organization holds at its providers, and the flows in which \
                 users authorize them."
            }
            Self::Authorizations => {
                "What users have authorized: access tokens are handed out from here. A caller sees their \
                 own, and nobody else's."
            }
            Self::Jobs => "Work that goes on in the background, and its reports; for administrators.",
            Self::Links => {
                "A user's links to providers, for the dashboards, command lines and agents of developer \
                 environments. A provider is named by its slug or its id, members are in snake_case, and errors have \
                 a body of their own."
            }
            Self::Service => "The service itself; open to all.",
        }
    }
}
