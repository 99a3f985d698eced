use super::*;
use crate::fixtures::{admin, caller, revocation, uuid};
use crate::revocations::{MockRevocationQueue, RevocationStatus};

fn viewing(queue: MockRevocationQueue) -> ViewRevocations {
    ViewRevocations { queue: Arc::new(queue) }
}

#[tokio::test]
async fn members_see_their_own_receipts_and_administrators_all_of_the_organization() {
    let colleagues = Revocation { account_id: AccountId::from_uuid(uuid(99)), ..revocation() };
    for (caller, receipt, is_seen) in
        [(caller(), revocation(), true), (caller(), colleagues.clone(), false), (admin(), colleagues, true)]
    {
        let mut queue = MockRevocationQueue::new();
        let found = receipt.clone();
        queue
            .expect_revocation()
            .withf(move |organization, id| *organization == found.organization_id && *id == found.id)
            .times(1)
            .returning({
                let found = receipt.clone();
                move |_, _| Ok(Some(found.clone()))
            });
        match viewing(queue).get(&caller, receipt.id).await {
            Ok(seen) => assert!(is_seen && seen == receipt, "{caller:?}"),
            Err(error) => {
                assert!(!is_seen && matches!(error, ViewRevocationError::NotFound), "{caller:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_is_narrowed_to_what_the_caller_may_see_and_has_an_end() {
    let filter = RevocationFilter { status: Some(RevocationStatus::Failed), ..RevocationFilter::default() };
    for (caller, seen) in [(caller(), Some(caller().account_id)), (admin(), None)] {
        let mut queue = MockRevocationQueue::new();
        queue
            .expect_newest_revocations()
            .withf(move |organization, account, wanted, limit| {
                (*organization, *account) == (revocation().organization_id, seen)
                    && *wanted == filter
                    && *limit == 500
            })
            .times(1)
            .returning(|_, _, _, _| Ok(vec![revocation()]));
        assert_eq!(viewing(queue).list(&caller, &filter).await.unwrap(), [revocation()]);
    }
}
