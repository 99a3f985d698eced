//! The rules of the storage ports under contention: what must be atomic, tried by many at once.
//!
//! [`store_race_tests!`](crate::store_race_tests) makes a `#[test]` of every rule, each with a store of its own.
//! A race is run in several rounds, since a single one may miss the bad moment.
#![expect(clippy::missing_panics_doc, reason = "a rule panics when a store breaks it, and for nothing else")]

mod arena;
mod claims;
mod commits;
mod leases;
mod uniqueness;
mod uses;

/// The one list of all races, as in [`each_store_rule!`](crate::each_store_rule).
#[doc(hidden)]
#[macro_export]
macro_rules! each_store_race {
    ($do:path, $($context:tt)*) => {
        $do! { { $($context)* }
            claims: one_of_many_uses_up_a_flow, one_of_many_polls_a_device_flow, one_of_many_moves_a_login_on, one_of_many_claims_a_job, many_jobs_are_claimed_once_each, one_of_many_takes_over_a_lapsed_job, a_claim_and_a_commit_do_not_pass_each_other, many_revocations_are_claimed_once_each, a_revocation_that_is_waited_for_is_claimed_once;
            commits: one_of_many_updates_a_row, one_of_many_deletes_a_row, no_update_is_lost, no_authorization_outlives_its_provider, every_audit_entry_of_many_is_kept;
            leases: one_of_many_takes_a_lease, one_of_many_follows_a_silent_holder, a_sign_of_life_and_a_successor_do_not_pass_each_other, one_of_many_ends_a_request, many_due_refreshes_are_claimed_once_each, a_claim_and_a_lease_do_not_pass_each_other;
            uniqueness: one_of_many_inserts_a_unique_value, one_of_many_frees_and_takes_a_slug, many_first_data_keys_are_one, many_canaries_are_one;
            uses: many_write_down_the_same_uses, uses_and_schedules_do_not_wait_for_each_other;
        }
    };
}

each_store_race!(reexport_rules,);

/// One `#[test]` for every race of [`store_races`](crate::store_races); takes what
/// [`store_contract_tests!`](crate::store_contract_tests) takes.
#[macro_export]
macro_rules! store_race_tests {
    ($make_store:expr $(,)?) => {
        $crate::each_store_race!($crate::rule_tests, store_races($make_store));
    };
}
