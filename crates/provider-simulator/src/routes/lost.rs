//! An answer that never leaves.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// A body that fails at once.
///
/// The HTTP/1 dispatcher of actix-http writes head and body into one buffer and sends it when the body pauses, ends
/// or fills the buffer. A body that fails before any of that ends the connection with the buffer unsent, so the
/// client sees the connection close without a byte: what it sees when a provider or a proxy dies. The integration
/// tests hold this for the version in use.
struct Lost;

impl MessageBody for Lost {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "a fault drops this connection",
        ))))
    }
}

/// Closes the connection without an answer.
pub(crate) fn lost() -> HttpResponse {
    HttpResponse::Ok().body(Lost)
}
