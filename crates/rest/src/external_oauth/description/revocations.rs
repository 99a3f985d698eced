//! Descriptions of `revocations/`.

use actix_web::http::StatusCode;

use super::super::wire::WireRevocation;
use super::{examples, values};
use crate::openapi::{Operation, Tag};

pub(in super::super) fn list() -> Operation {
    let summary = "List what became of the tokens of deleted authorizations, newest first";
    Operation::new(Tag::Authorizations, "listRevocations", summary)
        .described(
            "Members see their own, administrators all of the organization's; the newest 500 of those that are \
             asked for. A receipt stays for 90 days after its end; the audit log has them for good.",
        )
        .query("authorizationId", "Only those of this authorization.", values::id())
        .query("providerId", "Only those at this provider.", values::id())
        .query("status", "Only those that stand so.", values::revocation_status())
        .gives_list_of::<WireRevocation<'_>>("The receipts.", &examples::revocation())
}

pub(in super::super) fn show() -> Operation {
    Operation::new(
        Tag::Authorizations,
        "getRevocation",
        "Get what became of the tokens of a deleted authorization",
    )
    .gives_a::<WireRevocation<'_>>(StatusCode::OK, "The receipt.", examples::revocation())
}
