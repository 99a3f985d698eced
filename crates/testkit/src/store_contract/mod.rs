//! The rules of the storage ports, one function each: what their docs promise, checked on whatever store.
//!
//! [`store_contract_tests!`](crate::store_contract_tests) makes a `#[test]` of every rule. Each gets a store of its own,
//! because some ports reach across organizations (claims, purges, the canary).
#![expect(clippy::missing_panics_doc, reason = "a rule panics when a store breaks it, and for nothing else")]

mod accounts;
mod api_tokens;
mod atomicity;
mod audit;
mod authorizations;
mod data_keys;
mod deletions;
mod device_flows;
mod due_refreshes;
mod flows;
mod job_claims;
mod jobs;
mod journal;
pub(crate) mod leases;
mod logins;
mod providers;
mod receipts;
mod references;
mod revocations;
pub(crate) mod tenant;
mod uniqueness;
mod use_up;
mod uses;
mod versions;

/// The one list of all rules. A rule that is missing here is not reachable, and the compiler says so.
#[doc(hidden)]
#[macro_export]
macro_rules! each_store_rule {
    ($do:path, $($context:tt)*) => {
        $do! { { $($context)* }
            accounts: a_store_is_ready, organizations_come_back_whole, an_organization_is_found_by_its_exact_name,
                organizations_are_listed_oldest_first, accounts_come_back_whole,
                accounts_are_found_by_their_exact_email_oldest_first,
                accounts_of_an_organization_are_listed_oldest_first;
            deletions: some_authorizations_of_an_account_come_with_their_providers,
                exchanges_of_an_account_are_counted, what_belongs_to_an_account_goes_and_nothing_else,
                the_remains_of_an_organization_go_and_nothing_else, an_organization_goes_after_its_remains;
            api_tokens: api_tokens_come_back_whole, a_token_is_found_by_its_hash_with_its_account,
                tokens_of_an_account_are_listed_oldest_first, only_expired_tokens_are_purged;
            atomicity: a_commit_of_nothing_is_fine, all_changes_of_a_commit_land_together,
                a_conflict_at_the_end_leaves_nothing, a_duplicate_at_the_end_leaves_nothing,
                an_unknown_reference_at_the_end_leaves_nothing, changes_apply_in_their_order;
            audit: audit_entries_come_back_whole, the_newest_entries_come_first,
                the_audit_log_of_another_organization_is_not_shown, the_tally_counts_by_action_and_outcome,
                an_audit_entry_is_written_once;
            authorizations: authorizations_come_back_whole, an_authorization_comes_with_its_provider,
                an_authorization_of_another_organization_is_not_there,
                authorizations_of_an_account_are_listed_oldest_first,
                an_authorization_is_found_by_its_exact_identity, authorizations_at_a_provider_come_page_by_page,
                the_newest_authorizations_are_found, authorizations_of_one_moment_come_by_their_ids;
            data_keys: a_data_key_comes_back_whole, the_first_data_key_stays,
                each_organization_has_its_own_data_key, the_first_canary_stays;
            device_flows: device_flows_come_back_whole, a_device_flow_is_found_by_its_handle,
                a_device_flow_is_claimed_once, polls_under_way_are_counted,
                unattended_device_flows_are_those_that_nobody_polls,
                unattended_device_flows_come_longest_overdue_first,
                of_the_device_flows_that_an_account_has_left_the_newest_come, only_expired_device_flows_are_purged;
            due_refreshes: a_refresh_is_due_when_it_was_said, due_refreshes_are_claimed_longest_due_first,
                a_claimed_refresh_comes_with_its_rows, a_claimed_refresh_knows_the_journal,
                a_claimed_refresh_is_looked_after, a_refresh_that_somebody_holds_is_watched,
                the_end_of_a_refresh_says_when_the_next_is_due, an_overtaken_holder_schedules_with_its_answer_alone,
                a_deleted_authorization_is_not_due, a_refresh_is_scheduled_with_its_commit;
            flows: flows_come_back_whole, a_flow_is_found_by_its_state, the_newest_flow_of_a_state_is_found,
                only_expired_flows_are_purged;
            jobs: jobs_come_back_whole, a_job_of_another_organization_is_not_there,
                jobs_are_filtered_and_listed_newest_first;
            job_claims: the_oldest_job_is_claimed_first,
                a_claim_is_stored, a_lapsed_job_is_claimed_again, a_finished_job_is_not_claimed,
                an_overtaken_worker_commits_nothing, a_holder_extends_its_lease, nobody_else_extends_a_lease,
                a_lease_is_only_extended_on_a_running_job;
            journal: a_request_is_written_down_with_the_lease, an_unanswered_request_stays_until_another_one_is_made,
                an_answered_request_leaves_the_journal, a_lost_request_stays_as_given_up,
                a_moot_request_leaves_no_entry, an_overtaken_holder_takes_its_moot_request_out,
                forgotten_requests_are_never_ended, an_overtaken_holder_still_ends_its_request,
                an_overtaken_holder_ends_nothing_once_another_has_asked, a_refresh_ends_together_with_its_row,
                ending_the_refresh_of_nothing_is_fine;
            leases: an_authorization_has_a_lease_while_it_is_there, a_lease_keeps_others_out,
                a_lease_of_one_authorization_is_none_of_another, a_holder_that_lives_is_not_followed,
                a_silent_holder_is_followed, a_lease_given_back_is_free_and_its_fence_grows;
            logins: logins_come_back_whole, a_login_is_found_by_its_handle, a_login_is_found_by_its_state,
                a_login_moves_on_once, only_expired_logins_are_purged, login_identities_come_back_whole,
                somebody_is_identified_with_their_account, identities_of_an_account_are_listed_oldest_first;
            providers: providers_come_back_whole, a_provider_of_another_organization_is_not_there,
                a_provider_is_found_anywhere, providers_are_listed_oldest_first;
            references: a_row_of_an_unknown_organization_is_refused, a_row_of_an_unknown_account_is_refused,
                a_row_at_an_unknown_provider_is_refused, a_provider_with_authorizations_stays,
                an_organization_with_accounts_stays, an_account_with_tokens_authorizations_flows_or_logins_stays,
                a_provider_goes_together_with_its_authorizations_and_flows,
                a_provider_goes_together_with_its_logins, a_revocation_outlives_what_it_is_about;
            revocations: revocations_come_back_whole, revocations_of_a_provider_are_listed_oldest_first,
                due_revocations_are_claimed_in_their_order, a_claimed_revocation_is_stored,
                a_revocation_is_not_claimed_twice, a_lapsed_revocation_is_claimed_again,
                in_a_hurry_a_provider_has_all_of_its_revocations_claimed,
                in_a_hurry_a_single_revocation_is_claimed, an_ended_revocation_is_not_claimed,
                only_old_receipts_are_purged;
            receipts: a_receipt_of_another_organization_is_not_there, receipts_are_filtered_and_listed_newest_first,
                a_live_authorization_of_a_person_is_found_whosever_it_is;
            uniqueness: an_id_is_taken_once, an_organization_name_is_taken_once,
                an_email_is_taken_once_in_an_organization, a_token_hash_is_taken_once,
                a_slug_is_taken_once_in_an_organization, a_slug_is_free_again_without_its_provider,
                an_identity_is_authorized_once, a_login_handle_is_taken_once,
                an_identity_signs_in_as_one_account_of_an_organization;
            use_up: a_state_is_used_up_once, an_expired_flow_is_not_used_up, only_a_pending_flow_is_used_up,
                exchanges_under_way_are_counted;
            uses: noting_no_use_is_fine, hand_outs_are_appended_whole, a_hand_out_that_is_there_is_raised,
                no_time_of_a_hand_out_goes_back,
                a_hand_out_that_is_named_twice_is_one, the_tally_counts_every_hand_out,
                many_uses_are_written_together, the_last_use_of_a_token_is_kept,
                the_last_use_of_an_authorization_is_kept, an_authorization_in_use_is_due_earlier,
                uses_of_what_is_gone_are_left_out;
            versions: an_inserted_row_has_the_first_version, an_updated_row_has_the_next_version,
                a_deleted_row_is_gone, a_stale_update_is_a_conflict, a_stale_delete_is_a_conflict,
                a_row_that_is_gone_is_a_conflict;
        }
    };
}

each_store_rule!(reexport_rules,);

/// One `#[test]` for every rule of [`store_contract`](crate::store_contract). Takes an expression for a future of a
/// fresh, empty store: an `Arc<dyn Store>`, or a pair of one and whatever it needs to live
/// (see [`StoreUnderTest`](crate::StoreUnderTest)). The expression is evaluated once for each test.
#[macro_export]
macro_rules! store_contract_tests {
    ($make_store:expr $(,)?) => {
        $crate::each_store_rule!($crate::rule_tests, store_contract($make_store));
    };
}
