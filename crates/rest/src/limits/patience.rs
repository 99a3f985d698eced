//! How long a body may take to come.

use std::time::Duration;

use actix_web::HttpRequest;
use grantkeeper_domain::services::within;

use crate::Api;

/// Published clients give up a call after five seconds.
const LONGEST_BODY: Duration = Duration::from_secs(10);

/// Reads a body, but not for longer than an honest client could take: the server itself sets a time for the head of a
/// request only, and who sends a byte now and then would hold the connection forever. `None` when the time is over.
pub(crate) async fn in_time<T>(request: &HttpRequest, reading: impl Future<Output = T>) -> Option<T> {
    within(&Api::of(request).clock, LONGEST_BODY, reading).await
}
