//! Made-up people.

use grantkeeper_domain::Version;
use grantkeeper_domain::accounts::{
    Account, ApiToken, ApiTokenSecret, Email, Organization, OrganizationName, Role, Standing, TokenPurpose,
};
use grantkeeper_domain::authorizations::{RedirectAllowList, UserInfo};
use grantkeeper_domain::ids::{AccountId, ApiTokenId, OrganizationId};
use serde_json::json;

use super::seeded_at;
use crate::failure::Failure;
use crate::sequence::Sequence;

/// The one organization.
pub(super) fn organization(random: &Sequence) -> Result<Organization, Failure> {
    Ok(Organization {
        id: OrganizationId::generate(random, seeded_at()),
        name: OrganizationName::parse("Benchmark")?,
        redirect_uris: RedirectAllowList::default(),
        standing: Standing::Active,
        created_at: seeded_at(),
        version: Version::FIRST,
    })
}

/// The account of that number, with its API token.
pub(super) fn account(
    number: u64,
    organization: OrganizationId,
    random: &Sequence,
) -> Result<(Account, ApiToken, ApiTokenSecret), Failure> {
    let account = Account {
        id: AccountId::generate(random, seeded_at()),
        organization_id: organization,
        email: Email::parse(&format!("person{number}@example.com"))?,
        role: Role::Member,
        standing: Standing::Active,
        suspended_at: None,
        created_at: seeded_at(),
        version: Version::FIRST,
    };
    let secret = ApiTokenSecret::generate(random);
    let token = ApiToken {
        id: ApiTokenId::generate(random, seeded_at()),
        account_id: account.id,
        organization_id: organization,
        hash: secret.hash(),
        purpose: TokenPurpose::Api,
        created_at: seeded_at(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: Version::FIRST,
    };
    Ok((account, token, secret))
}

/// Who the provider says somebody is.
pub(super) fn user(number: u64, subject: &str) -> UserInfo {
    let (name, email) = (format!("Person {number}"), format!("person{number}@example.com"));
    UserInfo {
        sub: subject.to_owned(),
        name: Some(name.clone()),
        email: Some(email.clone()),
        email_verified: Some(true),
        locale: Some("en".to_owned()),
        raw: json!({ "sub": subject, "name": name, "email": email, "email_verified": true, "locale": "en" }),
        ..UserInfo::default()
    }
}
