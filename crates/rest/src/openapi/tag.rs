//! The groups of operations.

/// What an operation is about; the groups that it is listed in.
#[derive(Clone, Copy)]
pub(crate) enum Tag {
    Providers,
    Authorizations,
    Jobs,
    Links,
    Login,
    Service,
}

impl Tag {
    pub(super) const ALL: [Self; 6] =
        [Self::Providers, Self::Authorizations, Self::Jobs, Self::Links, Self::Login, Self::Service];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Providers => "Providers",
            Self::Authorizations => "Authorizations",
            Self::Jobs => "Jobs",
            Self::Links => "Links",
            Self::Login => "Login",
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
            Self::Login => {
                "Signing in with a provider, and one's own API tokens. Failures are 400 with `errors`, or 401, 403, 404, \
                 409 and 500 with `error`, and never anything else: a path that is not there is 404, and a method that a \
                 path does not take is 400, with `Allow`."
            }
            Self::Service => "The service itself; open to all.",
        }
    }
}
