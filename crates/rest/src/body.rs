//! Reading bodies: neither endlessly large nor endlessly slow ones.

use actix_web::dev::Payload;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest as _, HttpRequest};

use crate::limits::in_time;

/// Room for a client secret or a code of tens of kilobytes, and no more; bytes.
pub(crate) const LARGEST: usize = 256 * 1024;

/// Why a body was not read.
pub(crate) enum BodyError {
    /// It is larger than [`LARGEST`].
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// It broke off.
    Incomplete,
}

/// The whole body of a request.
pub(crate) fn whole(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, BodyError>> + use<> {
    let body = web::Payload::from_request(request, payload);
    let request = request.clone();
    async move {
        let body = body.await.map_err(|_| BodyError::Incomplete)?;
        match in_time(&request, body.to_bytes_limited(LARGEST)).await {
            None => Err(BodyError::TooSlow),
            Some(Err(_)) => Err(BodyError::TooLarge),
            Some(Ok(bytes)) => bytes.map_err(|_| BodyError::Incomplete),
        }
    }
}
