//! How to unit-test code that calls the domain: over the mocks of its ports, which the feature `mock` exports.
//!
//! ```text
//! cargo test -p grantkeeper-domain --example mocked_test --features mock
//! cargo run  -p grantkeeper-domain --example mocked_test --features mock
//! ```
//!
//! [`sign_up`] stands for code of your own. Its tests say what the ports will be asked and what they answer; a call that
//! nobody expected, or an expected one that does not come, fails them. No store, no provider, no clock is needed.

use std::sync::Arc;

use grantkeeper_domain::accounts::{
    Account, CreateAccount, CreateAccountError, CreateOrganization, CreateOrganizationError, Role,
};

/// Code of your own: signs up a customer as an organization with one administrator.
struct SignUp {
    organizations: CreateOrganization,
    accounts: CreateAccount,
}

/// What the customer is told when it does not work.
#[derive(Debug, PartialEq)]
enum SignUpError {
    NameTaken,
    AddressWrong,
    TryAgain,
}

impl SignUp {
    async fn run(&self, company: &str, email: &str) -> Result<Account, SignUpError> {
        let organization = self.organizations.run(company).await.map_err(|error| match error {
            CreateOrganizationError::NameTaken => SignUpError::NameTaken,
            CreateOrganizationError::Name(_) | CreateOrganizationError::Store(_) => SignUpError::TryAgain,
        })?;
        self.accounts.run(organization.id, email, Role::Admin).await.map_err(|error| match error {
            CreateAccountError::Email(_) => SignUpError::AddressWrong,
            CreateAccountError::OrganizationNotFound
            | CreateAccountError::OrganizationDeleting
            | CreateAccountError::EmailTaken
            | CreateAccountError::Store(_) => SignUpError::TryAgain,
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut store = mocks::unit_of_work();
    store.expect_commit().times(2).returning(|_| Ok(()));
    let account = mocks::sign_up(store).run("Observatory", "ada@example.com").await;
    println!("Signed up over mocks: {:?}", account.map(|account| account.email.as_str().to_owned()));
    println!("Now run its tests: cargo test -p grantkeeper-domain --example mocked_test --features mock");
}

/// The ports as every test here has them.
mod mocks {
    use chrono::DateTime;
    use grantkeeper_domain::accounts::{MockAccountStore, Organization, OrganizationName, Standing};
    use grantkeeper_domain::authorizations::RedirectAllowList;
    use grantkeeper_domain::services::{MockClock, MockRandom};
    use grantkeeper_domain::{MockUnitOfWork, Version};

    use super::{Arc, CreateAccount, CreateOrganization, SignUp};

    pub(super) fn unit_of_work() -> MockUnitOfWork {
        MockUnitOfWork::new()
    }

    pub(super) fn sign_up(store: MockUnitOfWork) -> SignUp {
        let (store, clock, random) = (Arc::new(store), Arc::new(clock()), Arc::new(random()));
        let organizations =
            CreateOrganization { store: store.clone(), clock: clock.clone(), random: random.clone() };
        let accounts = CreateAccount { accounts: Arc::new(any_organization()), store, clock, random };
        SignUp { organizations, accounts }
    }

    /// Stands still.
    fn clock() -> MockClock {
        let mut clock = MockClock::new();
        clock.expect_now().return_const(DateTime::UNIX_EPOCH);
        clock
    }

    fn random() -> MockRandom {
        let mut random = MockRandom::new();
        random.expect_fill().returning(|bytes| bytes.fill(7));
        random
    }

    /// Has whatever organization it is asked for.
    fn any_organization() -> MockAccountStore {
        let mut accounts = MockAccountStore::new();
        accounts.expect_organization().returning(|id| {
            Ok(OrganizationName::parse("Observatory").ok().map(|name| Organization {
                id,
                name,
                redirect_uris: RedirectAllowList::default(),
                standing: Standing::Active,
                created_at: DateTime::UNIX_EPOCH,
                version: Version::FIRST,
            }))
        });
        accounts
    }
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::{Change, CommitError, Row, StoreError, Unique};
    use mockall::Sequence;

    use super::*;

    #[tokio::test]
    async fn the_organization_comes_first_and_then_its_administrator() {
        let mut order = Sequence::new();
        let mut store = mocks::unit_of_work();
        store
            .expect_commit()
            .withf(|changes| matches!(changes[0], Change::Insert(Row::Organization(_))))
            .times(1)
            .in_sequence(&mut order)
            .returning(|_| Ok(()));
        store
            .expect_commit()
            .withf(|changes| match &changes[0] {
                Change::Insert(Row::Account(account)) => account.role == Role::Admin,
                _ => false,
            })
            .times(1)
            .in_sequence(&mut order)
            .returning(|_| Ok(()));
        let account = mocks::sign_up(store).run("Observatory", "ada@example.com").await.unwrap();
        assert_eq!(account.email.as_str(), "ada@example.com");
    }

    #[tokio::test]
    async fn a_name_that_is_taken_is_told_and_nothing_else_is_tried() {
        let mut store = mocks::unit_of_work();
        let taken = || Err(CommitError::Duplicate(Unique::OrganizationName));
        store.expect_commit().times(1).returning(move |_| taken());
        let signed_up = mocks::sign_up(store).run("Observatory", "ada@example.com").await;
        assert_eq!(signed_up.err(), Some(SignUpError::NameTaken));
    }

    #[tokio::test]
    async fn a_wrong_address_makes_no_account() {
        let mut store = mocks::unit_of_work();
        store.expect_commit().times(1).returning(|_| Ok(()));
        let signed_up = mocks::sign_up(store).run("Observatory", "not an address").await;
        assert_eq!(signed_up.err(), Some(SignUpError::AddressWrong));
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_worth_another_try() {
        let mut store = mocks::unit_of_work();
        store.expect_commit().returning(|_| Err(StoreError::Unavailable("away".into()).into()));
        let signed_up = mocks::sign_up(store).run("Observatory", "ada@example.com").await;
        assert_eq!(signed_up.err(), Some(SignUpError::TryAgain));
    }
}
