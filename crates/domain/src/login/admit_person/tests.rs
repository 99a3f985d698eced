use super::*;
use crate::accounts::Organization;
use crate::audit::AuditOutcome;
use crate::fixtures::{organization, uuid};
use crate::login::fixtures::{Installation, identity, settings};
use crate::providers::Identity;

fn listed(email_domains: &[&str], tenants: &[&str]) -> NewAccounts {
    let owned = |list: &[&str]| list.iter().map(|&item| item.to_owned()).collect();
    NewAccounts::Listed { email_domains: owned(email_domains), tenants: owned(tenants) }
}

/// Whether somebody with this address gets in where `golem.cloud` is listed.
fn is_admitted(email: &str, email_verified: Option<bool>) -> bool {
    listed(&["golem.cloud"], &[]).admit(&identity("1", "ada", email, email_verified).into())
}

fn of_issuer(issuer: &str) -> Person {
    Identity { issuer: issuer.to_owned(), ..identity("1", "ada", "ada@golem.cloud", None) }.into()
}

#[tokio::test(start_paused = true)]
async fn a_renamed_login_keeps_its_account() {
    let at = Installation::new().await;
    at.idp.knows("ada", identity("1815", "ada", "ada@example.com", Some(true)));
    let before = at.sign_in("ada").await.token.account_id;
    at.idp.knows("ada", identity("1815", "lovelace", "lovelace@elsewhere.example", Some(true)));
    assert_eq!(at.sign_in("ada").await.token.account_id, before);
    let [account] = <[_; 1]>::try_from(at.accounts().await).unwrap();
    assert_eq!(account.email.as_str(), "ada@example.com", "a label is no key, and stays");
}

#[tokio::test(start_paused = true)]
async fn a_recycled_login_gets_a_new_account() {
    let at = Installation::new().await;
    at.idp.knows("ada", identity("1815", "ada", "ada@example.com", Some(true)));
    let before = at.sign_in("ada").await.token.account_id;
    // Another person has the name and the address now.
    at.idp.knows("ada", identity("2026", "ada", "ada@example.com", Some(true)));
    let after = at.sign_in("ada").await.token.account_id;
    assert_ne!(after, before);
    let accounts = at.accounts().await;
    let newcomer = accounts.iter().find(|account| account.id == after).unwrap();
    assert_eq!(newcomer.email.as_str(), format!("{after}@github.invalid"));
}

#[tokio::test(start_paused = true)]
async fn one_subject_of_two_issuers_is_two_people() {
    let at = Installation::new().await;
    at.idp.knows("here", identity("1815", "ada", "ada@example.com", Some(true)));
    let elsewhere = Identity {
        issuer: "https://another.example".to_owned(),
        ..identity("1815", "ada", "ada@example.com", Some(true))
    };
    at.idp.knows("there", elsewhere);
    let (here, there) = (at.sign_in("here").await, at.sign_in("there").await);
    assert_ne!(here.token.account_id, there.token.account_id);
}

#[tokio::test(start_paused = true)]
async fn an_email_never_links_to_an_account_that_exists() {
    for email_verified in [Some(true), Some(false), None] {
        let at = Installation::new().await;
        let known =
            at.cases.create_account.run(organization().id, "ada@example.com", Role::Admin).await.unwrap();
        at.idp.knows("mallory", identity("666", "mallory", "ada@EXAMPLE.com", email_verified));
        let issued = at.sign_in("mallory").await;
        assert_ne!(issued.token.account_id, known.id, "{email_verified:?}");
        let accounts = at.accounts().await;
        let newcomer = accounts.iter().find(|account| account.id != known.id).unwrap();
        assert_eq!(newcomer.email.as_str(), format!("{}@github.invalid", newcomer.id));
        assert_eq!((newcomer.role, newcomer.standing), (Role::Member, Standing::Active));
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_taken_in_another_organization_is_still_a_label() {
    let at = Installation::new().await;
    let other = crate::accounts::OrganizationName::parse("Another").unwrap();
    let other = Organization { id: OrganizationId::from_uuid(uuid(8)), name: other, ..organization() };
    crate::UnitOfWork::commit(&*at.store, vec![Change::insert(other.clone())]).await.unwrap();
    at.cases.create_account.run(other.id, "ada@example.com", Role::Member).await.unwrap();
    at.sign_in("ada").await;
    assert_eq!(at.accounts().await[0].email.as_str(), "ada@example.com");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_nobody_has_verified_or_that_is_none_is_no_label() {
    for (email, email_verified) in
        [("ada@example.com", None), ("ada@example.com", Some(false)), ("ada", Some(true))]
    {
        let at = Installation::new().await;
        at.idp.knows("ada", identity("1815", "ada", email, email_verified));
        at.sign_in("ada").await;
        let account = at.accounts().await.remove(0);
        assert_eq!(account.email.as_str(), format!("{}@github.invalid", account.id), "{email}");
    }
}

#[test]
fn an_address_that_is_not_verified_does_not_satisfy_a_domain_list() {
    assert!(is_admitted("ada@golem.cloud", Some(true)));
    assert!(!is_admitted("ada@golem.cloud", Some(false)));
    assert!(!is_admitted("ada@golem.cloud", None));
}

#[test]
fn a_domain_is_compared_exactly() {
    assert!(is_admitted("ada@GOLEM.cloud", Some(true)), "domains have no case (RFC 5321, 2.4)");
    for email in [
        "ada@golem.cloud.evil.example",
        "ada@evil-golem.cloud",
        "ada@sub.golem.cloud",
        "ada@golem.cloud.",
        "golem.cloud",
        "ada@golem.cloud@evil.example",
        "ada@evil.example@golem.cloud",
        "\"ada@golem.cloud\"@evil.example",
        "ada@golem.cloud\u{0}",
        "ada@golem.cl\u{043e}ud",
        "@golem.cloud",
    ] {
        assert!(!is_admitted(email, Some(true)), "{email:?}");
    }
}

#[test]
fn a_tenant_is_a_whole_part_of_the_issuers_path() {
    let tenant = "8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f";
    let rules = listed(&["golem.cloud"], &[tenant]);
    assert!(rules.admit(&of_issuer(&format!("https://login.microsoftonline.com/{tenant}/v2.0"))));
    for issuer in [
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0".to_owned(),
        format!("https://{tenant}.evil.example/common/v2.0"),
        format!("https://evil.example/x{tenant}/v2.0"),
        "https://login.microsoftonline.com".to_owned(),
    ] {
        assert!(!rules.admit(&of_issuer(&issuer)), "{issuer}");
    }
}

#[test]
fn empty_lists_name_nobody() {
    let person = identity("1", "ada", "ada@golem.cloud", Some(true)).into();
    assert!(!listed(&[], &[]).admit(&person));
    assert!(!NewAccounts::Nobody.admit(&person) && !NewAccounts::default().admit(&person));
    assert!(NewAccounts::Anyone.admit(&person));
    assert!(!listed(&[], &[""]).admit(&of_issuer("https://provider.example")));
}

#[tokio::test(start_paused = true)]
async fn whoever_has_an_account_gets_in_whatever_the_lists_say() {
    let at = Installation::new().await;
    let known = at.sign_in("ada").await.token.account_id;
    let later = at.other_process(|login| login.providers[0].new_accounts = NewAccounts::Nobody);
    assert_eq!(later.sign_in("ada").await.token.account_id, known);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_and_their_identity_are_made_together_and_are_on_record() {
    let at = Installation::new().await;
    at.sign_in("ada").await;
    let account = at.accounts().await.remove(0);
    let identities = at.store.identities_of(account.id).await.unwrap();
    assert_eq!(identities[0].subject, "ada");
    for action in [AuditAction::AccountCreated, AuditAction::IdentityLinked] {
        assert_eq!(at.audited(action).await, [(AuditOutcome::Done, None)]);
    }
    at.sign_in("ada").await;
    assert_eq!(at.audited(AuditAction::AccountCreated).await.len(), 1, "not at the second sign-in");
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_is_being_deleted_takes_no_newcomer() {
    let at = Installation::new().await;
    let started = at.start().await;
    let mut browser = crate::login::fixtures::Browser::default();
    let callback = crate::login::fixtures::with_code(&started.url, "ada");
    let id = browser.back(&at, callback).await.unwrap();
    // The deletion has run while the page was open: nobody would come to close another account.
    let known = at.store.organization(organization().id).await.unwrap().unwrap();
    at.update(Organization { standing: Standing::Deleting, ..known }).await;
    browser.says(&at, id, true).await.unwrap();
    assert_eq!(at.told(&started).await, "not allowed: account_closed");
    assert!(at.accounts().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_suspended_or_being_deleted_lets_nobody_in() {
    for closed in [
        |account: Account| Account { standing: Standing::Deleting, ..account },
        |account: Account| Account { suspended_at: Some(crate::fixtures::START), ..account },
    ] {
        let at = Installation::new().await;
        at.sign_in("ada").await;
        at.update(closed(at.accounts().await.remove(0))).await;
        let person = identity("ada", "ada", "ada@example.com", Some(true)).into();
        let rules = &settings().providers[0];
        let admit = &at.cases.sign_in_with_token.admit;
        let admitted = admit.run(organization().id, rules, &person).await;
        assert!(matches!(admitted, Err(LoginError::NotAllowed { reason: LoginError::CLOSED })));
    }
}
