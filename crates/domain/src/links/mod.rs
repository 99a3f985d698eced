//! Links: what an account has authorized, seen by provider. Where it has authorized several times at one, for several
//! accounts there, the newest authorization is the link.
//!
//! - `list_links` and `view_link` ask the providers whether links still hold, by way of `check_link`; `unlink` ends one.
//! - `lend_link_token` hands its access token to machines, which may wait until there is one: `link_waits` wakes them.

mod await_link;
mod check_link;
#[cfg(test)]
mod fixtures;
mod lend_link_token;
mod link;
mod link_waits;
mod list_links;
mod unlink;
mod view_link;

pub use await_link::{AwaitLink, AwaitLinkError};
pub(crate) use check_link::CheckLink;
pub use lend_link_token::{LendLinkToken, LendLinkTokenError, LentLinkToken};
pub use link::{CheckedLink, Link};
pub(crate) use link_waits::AnnounceLinks;
pub use link_waits::{LinkWaits, Rung, WakeLinkWaiters};
pub use list_links::{Links, ListLinks};
pub use unlink::{Unlink, UnlinkError, Unlinked};
pub use view_link::{AppInstallations, LinkView, ViewLink};
