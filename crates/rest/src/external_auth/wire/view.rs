//! A link to one provider on the wire.

use grantkeeper_domain::links::{AppInstallations, LinkView};
use grantkeeper_domain::providers::{Installation, Provider};
use serde::Serialize;
use utoipa::ToSchema;

use super::user::WireUser;
use crate::external_auth::description::values;

/// A user's link to one provider, or that there is none.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkView)]
#[expect(clippy::struct_excessive_bools, reason = "these are the members that published clients read")]
pub(in super::super) struct WireView<'a> {
    /// Whether there is a token that the provider takes, as far as anybody knows: only a definite answer makes it false.
    authenticated: bool,
    /// Whether users may link it by device code (RFC 8628).
    device: bool,
    /// The name of the provider, for people.
    display_name: &'a str,
    /// Who the user is there; null where the link does not hold.
    #[schema(required = true)]
    user: Option<WireUser<'a>>,
    /// Whether the provider's app has to be installed.
    app_installable: bool,
    /// Where the app is installed, as far as the user can reach it: suspended installations too.
    installations: Vec<WireInstallation<'a>>,
    /// Where a person installs the app; empty where there is none.
    app_install_url: &'a str,
    /// Whether unlinking revokes the tokens at the provider.
    supports_revocation: bool,
}

/// An installation of an app.
#[derive(Serialize, ToSchema)]
#[schema(as = AppInstallation)]
struct WireInstallation<'a> {
    #[schema(schema_with = values::foreign_id)]
    id: i64,
    /// Where it is installed: an organization or a person.
    account: WireUser<'a>,
    /// Where a person changes or removes it; empty where the provider does not tell.
    configure_url: &'a str,
}

impl<'a> WireView<'a> {
    pub(in super::super) fn of(
        view: &'a LinkView,
        provider: &'a Provider,
        supports_revocation: bool,
    ) -> Self {
        let app = view.app.as_ref();
        let installations = app.map_or(&[][..], |app: &AppInstallations| &app.installations);
        Self {
            authenticated: view.authenticated,
            device: provider.device_flow,
            display_name: &provider.name,
            user: view.user.as_ref().map(WireUser::of),
            app_installable: app.is_some(),
            installations: installations.iter().map(WireInstallation::of).collect(),
            app_install_url: app.map_or("", |app| app.install_page.as_str()),
            supports_revocation,
        }
    }
}

impl<'a> WireInstallation<'a> {
    fn of(installation: &'a Installation) -> Self {
        Self {
            id: installation.id,
            account: installation.account.as_ref().map(WireUser::of_account).unwrap_or_default(),
            configure_url: installation.configure_url.as_ref().map_or("", url::Url::as_str),
        }
    }
}
