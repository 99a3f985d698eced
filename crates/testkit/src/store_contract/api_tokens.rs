//! Rules of API tokens.

use std::sync::Arc;

use grantkeeper_domain::Store;
use grantkeeper_domain::accounts::{Account, ApiToken, TokenPurpose};
use grantkeeper_domain::ids::ApiTokenId;

use super::tenant::{Tenant, commit, expect_states, insert, minutes, of_mixed_age, update};
use crate::entities::{FRESH, START, account, hash};
use grantkeeper_domain::Change;

/// Every field of a token is kept.
pub async fn api_tokens_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let opener = tenant.api_token();
    insert(store, opener.clone()).await;
    let states = |base: ApiToken| {
        let opened_at_a_provider = TokenPurpose::Session { opened_with: base.id };
        [
            base.clone(),
            ApiToken { purpose: TokenPurpose::Agent, ..base.clone() },
            ApiToken { purpose: opened_at_a_provider, ..base.clone() },
            ApiToken { purpose: TokenPurpose::Session { opened_with: opener.id }, ..base.clone() },
            ApiToken { expires_at: Some(minutes(1)), ..base.clone() },
            ApiToken { last_used_at: Some(minutes(2)), ..base.clone() },
            ApiToken { revoked_at: Some(minutes(3)), ..base.clone() },
            ApiToken { hash: hash(), created_at: minutes(4), ..base },
        ]
    };
    expect_states(store, states(tenant.api_token())).await;
    expect_states(store, states(tenant.api_token()).into_iter().rev()).await;
}

/// Revoked and expired ones too, and those of a suspended account: judging is not the store's business.
pub async fn a_token_is_found_by_its_hash_with_its_account(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let other = Tenant::settle(store).await;
    insert(store, other.api_token()).await;
    let token =
        ApiToken { expires_at: Some(minutes(-5)), revoked_at: Some(minutes(-9)), ..tenant.api_token() };
    insert(store, token.clone()).await;
    let found = store.token_by_hash(&token.hash).await.expect("a read");
    assert_eq!(found, Some((token.clone(), tenant.account.clone())));
    let suspended = Account { suspended_at: Some(minutes(1)), ..tenant.account };
    update(store, suspended.clone()).await;
    let found = store.token_by_hash(&token.hash).await.expect("a read");
    assert_eq!(found, Some((token, Account { version: suspended.version.next(), ..suspended })));
    assert_eq!(store.token_by_hash(&hash()).await.expect("a read"), None);
    assert_eq!(store.token(ApiTokenId::generate(&FRESH, START)).await.expect("a read"), None);
}

/// "Of every purpose, oldest first": sessions and agents', revoked and expired ones too, and nobody else's.
pub async fn tokens_of_an_account_are_listed_oldest_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let neighbour = account(&tenant.organization);
    let others = crate::entities::api_token(&neighbour);
    commit(store, [Change::insert(neighbour), Change::insert(others)]).await;
    let opener = tenant.api_token();
    let session =
        ApiToken { purpose: TokenPurpose::Session { opened_with: opener.id }, ..tenant.api_token() };
    let revoked = ApiToken { revoked_at: Some(START), ..tenant.api_token() };
    let agents =
        ApiToken { purpose: TokenPurpose::Agent, expires_at: Some(minutes(-1)), ..tenant.api_token() };
    let rows = [opener.clone(), session, revoked, agents];
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    // The token that opened a session has to be there first.
    let (opener, rest): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.id == opener.id);
    for row in opener.into_iter().chain(rest) {
        insert(store, row).await;
    }
    let listed = store.tokens_of(tenant.account.id).await.expect("a read");
    assert_eq!(listed.into_iter().map(|row| row.id).collect::<Vec<_>>(), oldest_first);
}

/// Those that expired *before* that time, and how many.
pub async fn only_expired_tokens_are_purged(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let expiring = |at| ApiToken { expires_at: at, revoked_at: Some(minutes(-500)), ..tenant.api_token() };
    let gone = [expiring(Some(minutes(1))), expiring(Some(minutes(9)))];
    let kept = [expiring(Some(minutes(10))), expiring(Some(minutes(11))), expiring(None)];
    for row in gone.iter().chain(&kept) {
        insert(store, row.clone()).await;
    }
    assert_eq!(store.purge_expired_tokens(minutes(10)).await.expect("a purge"), 2);
    for row in gone {
        assert_eq!(store.token(row.id).await.expect("a read"), None);
    }
    for row in kept {
        assert_eq!(store.token(row.id).await.expect("a read"), Some(row));
    }
    assert_eq!(store.purge_expired_tokens(minutes(10)).await.expect("a purge"), 0);
}
