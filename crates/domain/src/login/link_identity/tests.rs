use super::*;
use crate::accounts::{Account, DeletionStore as _, Role};
use crate::audit::AuditOutcome;
use crate::fixtures::{organization, uuid};
use crate::login::NewAccounts;
use crate::login::fixtures::{Installation, identity};

const ISSUER: &str = "https://provider.example";

/// An installation where nobody gets an account by themselves, and one that an operator has made.
async fn ground() -> (Installation, Account) {
    let at = Installation::with(|login| login.providers[0].new_accounts = NewAccounts::Nobody).await;
    let created = at.cases.create_account.run(organization().id, "ada@example.com", Role::Admin).await;
    (at, created.unwrap())
}

#[tokio::test(start_paused = true)]
async fn whoever_was_linked_signs_in_as_that_account() {
    let (at, account) = ground().await;
    at.idp.knows("ada", identity("1815", "ada", "ada@elsewhere.example", None));
    let started = at.start().await;
    at.approve(&started, "ada").await;
    assert_eq!(at.told(&started).await, "not allowed: not_invited");

    let linked = at.cases.link_identity.run(account.id, ISSUER, "1815").await.unwrap();
    assert_eq!(at.sign_in("ada").await.token.account_id, account.id);
    assert_eq!(at.cases.link_identity.of(account.id).await.unwrap(), [linked]);
    assert_eq!(at.audited(AuditAction::IdentityLinked).await, [(AuditOutcome::Done, None)]);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_no_longer_linked_does_not_sign_in_and_may_be_linked_to_another_account() {
    let (at, account) = ground().await;
    at.idp.knows("ada", identity("1815", "ada", "ada@elsewhere.example", None));
    let link = &at.cases.link_identity;
    let linked = link.run(account.id, ISSUER, "1815").await.unwrap();
    assert_eq!(link.undo(account.id, ISSUER, "1815").await.unwrap(), linked);
    assert_eq!(at.audited(AuditAction::IdentityUnlinked).await, [(AuditOutcome::Done, None)]);
    let started = at.start().await;
    at.approve(&started, "ada").await;
    assert_eq!(at.told(&started).await, "not allowed: not_invited");
    assert!(matches!(link.undo(account.id, ISSUER, "1815").await, Err(LinkIdentityError::NotLinked)));
    let other = at.cases.create_account.run(organization().id, "mo@example.com", Role::Member).await.unwrap();
    assert!(link.run(other.id, ISSUER, "1815").await.is_ok());
    assert!(matches!(link.undo(account.id, ISSUER, "1815").await, Err(LinkIdentityError::NotLinked)));
}

#[tokio::test(start_paused = true)]
async fn an_identity_signs_in_as_one_account_of_an_organization() {
    let (at, account) = ground().await;
    let other = at.cases.create_account.run(organization().id, "mo@example.com", Role::Member).await.unwrap();
    let link = &at.cases.link_identity;
    link.run(account.id, ISSUER, "1815").await.unwrap();
    for again in [account.id, other.id] {
        assert!(matches!(link.run(again, ISSUER, "1815").await, Err(LinkIdentityError::Taken)));
    }
    // Somebody else, at this provider or another one.
    link.run(account.id, ISSUER, "1816").await.unwrap();
    link.run(other.id, "https://another.example", "1815").await.unwrap();
    let subjects = link.of(account.id).await.unwrap().into_iter().map(|identity| identity.subject);
    assert_eq!(subjects.collect::<Vec<_>>(), ["1815", "1816"]);
}

#[tokio::test(start_paused = true)]
async fn half_an_identity_and_an_account_that_is_not_in_use_are_refused() {
    let (at, account) = ground().await;
    let link = &at.cases.link_identity;
    for (issuer, subject) in [("", "1815"), (ISSUER, "")] {
        assert!(matches!(link.run(account.id, issuer, subject).await, Err(LinkIdentityError::Empty)));
    }
    let nobody = AccountId::from_uuid(uuid(404));
    assert!(matches!(link.run(nobody, ISSUER, "1815").await, Err(LinkIdentityError::AccountNotFound)));
    at.cases.delete_account.run(account.id).await.unwrap();
    assert!(matches!(link.run(account.id, ISSUER, "1815").await, Err(LinkIdentityError::AccountNotFound)));
}

#[tokio::test(start_paused = true)]
async fn an_account_takes_its_identities_along_when_it_goes() {
    let (at, account) = ground().await;
    at.cases.link_identity.run(account.id, ISSUER, "1815").await.unwrap();
    at.store.remove_belongings(account.id).await.unwrap();
    assert!(at.cases.link_identity.of(account.id).await.unwrap().is_empty());
    let other = at.cases.create_account.run(organization().id, "mo@example.com", Role::Member).await.unwrap();
    at.cases.link_identity.run(other.id, ISSUER, "1815").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_links_nothing() {
    let (at, account) = ground().await;
    let known = &at.cases.link_identity;
    let linking = LinkIdentity {
        accounts: Arc::clone(&known.accounts),
        logins: Arc::clone(&known.logins),
        store: at.store_away_at(&[0]),
        clock: Arc::clone(&known.clock),
        random: Arc::clone(&known.random),
    };
    let linked = linking.run(account.id, ISSUER, "1815").await;
    assert!(matches!(linked, Err(LinkIdentityError::Store(StoreError::Unavailable(_)))));
}
