//! Organizations, accounts, the API tokens they call with, and the browser sessions of the pages.

mod account;
mod api_token;
mod authenticate_caller;
mod closing;
mod create_account;
mod create_organization;
mod delete_account;
mod delete_organization;
mod issue_api_token;
mod list_api_tokens;
mod open_session;
mod organization;
mod ports;
mod remove_tombstones;
mod revoke_api_token;
mod set_redirect_uris;
mod standing;
mod suspend_account;

pub use account::{Account, Email, EmailError, Role};
pub use api_token::{ApiToken, ApiTokenSecret, TokenPurpose};
pub use authenticate_caller::{AuthenticateCaller, AuthenticateError, Caller, Forbidden};
pub(crate) use closing::close_accounts;
pub use create_account::{CreateAccount, CreateAccountError};
pub use create_organization::{CreateOrganization, CreateOrganizationError};
pub use delete_account::{DeleteAccount, DeleteAccountError};
pub use delete_organization::{DeleteOrganization, DeleteOrganizationError};
pub use issue_api_token::{IssueApiToken, IssueApiTokenError, IssuedToken, TokenReach};
pub use list_api_tokens::ListApiTokens;
pub use open_session::{OpenSession, OpenSessionError, SESSION_LIFETIME};
pub use organization::{NameError, Organization, OrganizationName};
pub use ports::*;
pub use remove_tombstones::RemoveTombstones;
pub use revoke_api_token::{RevokeApiToken, RevokeApiTokenError};
pub use set_redirect_uris::{SetRedirectUris, SetRedirectUrisError};
pub use standing::Standing;
pub use suspend_account::{SuspendAccount, SuspendAccountError};
