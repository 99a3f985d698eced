//! Rules of the journal of refreshes: what is known of a request whose holder does not live any more.

use std::sync::Arc;

use grantkeeper_domain::authorizations::Authorization;
use grantkeeper_domain::tokens::{NextRefresh, RefreshLease, RequestEnd, TakenLease, UnansweredRequest};
use grantkeeper_domain::{Change, Store, Version};

use super::leases::{end, follow, give_back, settled, sign, take, try_take};
use super::tenant::{Refusal, Tenant, commit, minutes, refusal, refusal_of_all, stored};
use crate::entities::{START, account, audit_entry, organization};

fn asked(by: &RefreshLease, at: i64) -> UnansweredRequest {
    UnansweredRequest { fence: by.fence, asked_at: minutes(at), given_up: false }
}

fn ended(lease: &RefreshLease, request: RequestEnd) -> Change {
    end(lease, request, NextRefresh::Unchanged)
}

/// "Where the journal is empty the request is written down with it": whoever follows hears of it.
pub async fn a_request_is_written_down_with_the_lease(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = take(store, settled(store, &tenant).await.id, "one", 3).await;
    assert_eq!(first.unanswered, None);
    let second = follow(store, &first, "two", 9).await;
    assert_eq!(second.unanswered, Some(asked(&first, 3)));
}

/// A lease alone never replaces an entry; "in the place of whatever the journal has" is for who asks.
pub async fn an_unanswered_request_stays_until_another_one_is_made(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = take(store, settled(store, &tenant).await.id, "one", 1).await;
    let second = follow(store, &first, "two", 2).await;
    let third = follow(store, &second, "three", 3).await;
    assert_eq!(third.unanswered, Some(asked(&first, 1)));
    assert!(store.note_request(&third, minutes(4)).await.expect("an answer"));
    let fourth = follow(store, &third, "four", 5).await;
    assert_eq!(fourth.unanswered, Some(asked(&third, 4)));
    // Again, by whoever has the lease: one who asks twice has asked at the later time.
    assert!(store.note_request(&fourth, minutes(6)).await.expect("an answer"));
    assert!(store.note_request(&fourth, minutes(7)).await.expect("an answer"));
    assert!(!store.note_request(&third, minutes(8)).await.expect("an answer"));
    assert_eq!(follow(store, &fourth, "five", 9).await.unanswered, Some(asked(&fourth, 7)));
}

/// "The journal is empty again", and the lease is free.
pub async fn an_answered_request_leaves_the_journal(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = take(store, settled(store, &tenant).await.id, "one", 0).await;
    let second = follow(store, &first, "two", 1).await;
    assert!(store.note_request(&second, minutes(2)).await.expect("an answer"));
    commit(store, [ended(&second, RequestEnd::Answered)]).await;
    let third = take(store, second.authorization_id, "three", 3).await;
    assert_eq!(third.unanswered, None);
    assert_eq!(follow(store, &third, "four", 4).await.unanswered, Some(asked(&third, 3)));
}

/// "Its entry stays, as given up", and the lease is free.
pub async fn a_lost_request_stays_as_given_up(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = take(store, settled(store, &tenant).await.id, "one", 0).await;
    commit(store, [ended(&first, RequestEnd::Lost)]).await;
    let given_up = UnansweredRequest { fence: first.fence, asked_at: START, given_up: true };
    for holder in ["two", "three"] {
        let next = take(store, first.authorization_id, holder, 1).await;
        assert_eq!(next.unanswered, Some(given_up));
        give_back(store, &next).await;
    }
    // What is asked anew has not been given up, and leaves no trace of it.
    let next = take(store, first.authorization_id, "four", 2).await;
    assert!(store.note_request(&next, minutes(3)).await.expect("an answer"));
    let last = follow(store, &next, "five", 4).await;
    assert_eq!(last.unanswered, Some(asked(&next, 3)));
    commit(store, [ended(&next, RequestEnd::Lost)]).await;
    commit(store, [ended(&next, RequestEnd::Answered)]).await;
    give_back(store, &last).await;
    let after = take(store, first.authorization_id, "six", 5).await;
    assert_eq!(after.unanswered, None);
    assert_eq!(follow(store, &after, "seven", 6).await.unanswered, Some(asked(&after, 5)));
}

/// "Its entry is taken out, an older one stays."
pub async fn a_moot_request_leaves_no_entry(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = take(store, settled(store, &tenant).await.id, "one", 0).await;
    give_back(store, &first).await;
    let second = take(store, first.authorization_id, "two", 1).await;
    assert_eq!(second.unanswered, None);
    let third = follow(store, &second, "three", 2).await;
    give_back(store, &third).await;
    let fourth = take(store, first.authorization_id, "four", 3).await;
    assert_eq!(fourth.unanswered, Some(asked(&second, 1)));
}

/// "It was not made, or nothing depends on its answer": its successor has no say in that.
pub async fn an_overtaken_holder_takes_its_moot_request_out(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let first = take(store, settled(store, &tenant).await.id, "one", 0).await;
    let second = follow(store, &first, "two", 1).await;
    give_back(store, &first).await;
    let third = follow(store, &second, "three", 2).await;
    assert_eq!(third.unanswered, None);
}

/// "What was asked with a refresh token that has been replaced has no bearing on the new one", and its answer none either.
/// The lease stays with whoever has it.
pub async fn forgotten_requests_are_never_ended(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = settled(store, &tenant).await;
    let forget = || Change::ForgetRequests(row.id);
    let first = take(store, row.id, "one", 0).await;
    let stray = Change::insert(account(&organization()));
    assert_eq!(refusal_of_all(store, vec![forget(), stray]).await, Refusal::Unexpected);
    let second = follow(store, &first, "two", 1).await;
    assert_eq!(second.unanswered, Some(asked(&first, 0)));
    commit(store, [forget()]).await;
    commit(store, [forget()]).await;
    for request in [RequestEnd::Answered, RequestEnd::Lost] {
        for lease in [&first, &second] {
            assert_eq!(refusal(store, ended(lease, request)).await, Refusal::Conflict);
        }
    }
    let third = follow(store, &second, "three", 2).await;
    assert_eq!(third.unanswered, None);
    commit(store, [ended(&third, RequestEnd::Lost), forget()]).await;
    assert_eq!(take(store, row.id, "four", 3).await.unanswered, None);
    commit(store, [Change::delete(row.clone()), forget()]).await;
}

/// As long as nobody has asked since, its answer is the last word; the lease stays with whoever has it.
pub async fn an_overtaken_holder_still_ends_its_request(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    for request in [RequestEnd::Lost, RequestEnd::Answered] {
        let first = take(store, settled(store, &tenant).await.id, "one", 0).await;
        let second = follow(store, &first, "two", 1).await;
        commit(store, [ended(&first, request)]).await;
        let held = TakenLease::Held(sign(&second, 0));
        assert_eq!(try_take(store, first.authorization_id, "three", None, 2).await, held);
        let third = follow(store, &second, "three", 3).await;
        let entry = UnansweredRequest { fence: first.fence, asked_at: START, given_up: true };
        assert_eq!(third.unanswered, (request == RequestEnd::Lost).then_some(entry));
        if request == RequestEnd::Answered {
            // It was answered: there is nothing that could be answered once more.
            let again = ended(&first, RequestEnd::Answered);
            assert_eq!(refusal(store, again).await, Refusal::Conflict);
        }
    }
}

/// "A conflict where the request is not moot and the journal no longer has it: somebody else has asked since", and of the
/// commit nothing is left.
pub async fn an_overtaken_holder_ends_nothing_once_another_has_asked(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = settled(store, &tenant).await;
    let first = take(store, row.id, "one", 0).await;
    let second = follow(store, &first, "two", 1).await;
    assert!(store.note_request(&second, minutes(2)).await.expect("an answer"));
    for request in [RequestEnd::Answered, RequestEnd::Lost] {
        let changes = vec![
            Change::update(Authorization { last_failure: Some("late".to_owned()), ..row.clone() }),
            end(&first, request, NextRefresh::At(START)),
            Change::Audit(audit_entry(&tenant.organization, START)),
        ];
        assert_eq!(refusal_of_all(store, changes).await, Refusal::Conflict);
    }
    // Who has asked nobody has nothing to say of the journal, nor of the lease.
    commit(store, [end(&first, RequestEnd::Moot, NextRefresh::At(START))]).await;
    assert_eq!(stored(store, &row.clone().into()).await, Some(row.into()));
    assert_eq!(store.newest_entries(tenant.organization.id, 10).await.expect("a read"), []);
    assert_eq!(follow(store, &second, "three", 3).await.unanswered, Some(asked(&second, 2)));
}

/// A refresh ends in the commit of its row: where that is a conflict, lease and journal are what they were.
pub async fn a_refresh_ends_together_with_its_row(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = settled(store, &tenant).await;
    let lease = take(store, row.id, "one", 0).await;
    let refreshed = |version| Authorization { version, last_refreshed_at: Some(minutes(1)), ..row.clone() };
    for request in [RequestEnd::Moot, RequestEnd::Answered, RequestEnd::Lost] {
        let ended = end(&lease, request, NextRefresh::At(START));
        let changes = vec![ended, Change::update(refreshed(Version::FIRST.next()))];
        assert_eq!(refusal_of_all(store, changes).await, Refusal::Conflict);
        let held = TakenLease::Held(sign(&lease, 0));
        assert_eq!(try_take(store, row.id, "two", None, 1).await, held);
    }
    let done = ended(&lease, RequestEnd::Answered);
    commit(store, [Change::update(refreshed(Version::FIRST)), done]).await;
    let expected = refreshed(Version::FIRST.next());
    assert_eq!(stored(store, &row.clone().into()).await, Some(expected.into()));
    assert_eq!(take(store, row.id, "two", 2).await.unanswered, None);
}

/// "Nothing where the authorization is gone."
pub async fn ending_the_refresh_of_nothing_is_fine(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let row = settled(store, &tenant).await;
    let lease = take(store, row.id, "one", 0).await;
    commit(store, [Change::delete(row.clone())]).await;
    for request in [RequestEnd::Moot, RequestEnd::Answered, RequestEnd::Lost] {
        commit(store, [end(&lease, request, NextRefresh::At(START))]).await;
    }
    assert_eq!(try_take(store, row.id, "two", None, 1).await, TakenLease::Gone);
}
