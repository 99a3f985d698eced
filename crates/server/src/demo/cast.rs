//! Who takes part: two organizations, so that one can be a stranger to the other, and their accounts.

use grantkeeper_domain::UseCases;
use grantkeeper_domain::accounts::{CreateOrganizationError, Role, TokenReach};
use grantkeeper_domain::ids::{AccountId, OrganizationId};

use crate::failure::Failure;

/// The organization that the walk happens in.
pub(super) const ORGANIZATION: &str = "Demo";
/// The other one.
pub(super) const OTHER_ORGANIZATION: &str = "Elsewhere";
/// Registers providers.
pub(super) const ADMIN: &str = "admin@demo.example";
/// Authorizes and uses tokens.
pub(super) const MEMBER: &str = "member@demo.example";
/// An administrator who must see nothing of all this.
pub(super) const STRANGER: &str = "admin@elsewhere.example";

/// The API tokens of those who take part.
pub(super) struct Cast {
    pub(super) admin: String,
    pub(super) member: String,
    /// Of a machine that acts for the member.
    pub(super) agent: String,
    pub(super) stranger: String,
}

impl Cast {
    /// Makes organizations, accounts and tokens: what an operator does with `org create`, `account create` and
    /// `token create`.
    pub(super) async fn assemble(use_cases: &UseCases) -> Result<Self, Failure> {
        let home = organization(use_cases, ORGANIZATION).await?;
        let elsewhere = organization(use_cases, OTHER_ORGANIZATION).await?;
        let admin = account(use_cases, home, ADMIN, Role::Admin).await?;
        let member = account(use_cases, home, MEMBER, Role::Member).await?;
        let stranger = account(use_cases, elsewhere, STRANGER, Role::Admin).await?;
        Ok(Self {
            admin: token(use_cases, admin, TokenReach::Account).await?,
            member: token(use_cases, member, TokenReach::Account).await?,
            agent: token(use_cases, member, TokenReach::Agent).await?,
            stranger: token(use_cases, stranger, TokenReach::Account).await?,
        })
    }
}

async fn organization(use_cases: &UseCases, name: &str) -> Result<OrganizationId, Failure> {
    match use_cases.create_organization.run(name).await {
        Ok(organization) => Ok(organization.id),
        Err(error @ CreateOrganizationError::NameTaken) => {
            Err(Failure::from(error).in_context(format_args!("the demo wants a new database; {name}")))
        }
        Err(error) => Err(error.into()),
    }
}

async fn account(
    use_cases: &UseCases,
    organization: OrganizationId,
    email: &str,
    role: Role,
) -> Result<AccountId, Failure> {
    Ok(use_cases.create_account.run(organization, email, role).await?.id)
}

async fn token(use_cases: &UseCases, account: AccountId, reach: TokenReach) -> Result<String, Failure> {
    let issued = use_cases.issue_api_token.run(account, reach, None).await?;
    Ok(issued.secret.expose().to_owned())
}
