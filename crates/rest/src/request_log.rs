//! One log line a request, and an id that ties it to the audit log. Query strings carry codes and states: they are
//! never logged.

use std::net::IpAddr;

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage as _, HttpRequest};
use chrono::{DateTime, Utc};
use tracing::Instrument as _;

use crate::Api;
use crate::client_address::client_address;
use crate::request_id::{RequestId, RequestIds};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request when it comes in.
#[derive(Clone, Copy)]
struct Arrival {
    id: RequestId,
    client: Option<IpAddr>,
    at: DateTime<Utc>,
}

/// The id of a request.
pub(crate) fn request_id(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<Arrival>().map(|arrival| arrival.id.as_str().to_owned())
}

/// The address of the client.
pub(crate) fn client(request: &HttpRequest) -> Option<IpAddr> {
    request.extensions().get::<Arrival>().and_then(|arrival| arrival.client)
}

/// Logs a request, under the next of these ids.
pub(crate) fn log<S, B>(
    ids: &RequestIds,
    request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let arrival = Arrival::of(&request, ids.next());
    request.extensions_mut().insert(arrival);
    // Whatever is logged on the way, by detached work too, names the request.
    let span = tracing::info_span!("request", id = %arrival.id);
    let answering = next.call(request).instrument(span);
    async move {
        let mut response = answering.await?;
        arrival.tell(&response);
        if let Ok(value) = HeaderValue::from_str(arrival.id.as_str()) {
            response.headers_mut().insert(REQUEST_ID.clone(), value);
        }
        Ok(response)
    }
}

impl Arrival {
    fn of(request: &ServiceRequest, id: RequestId) -> Self {
        let api = Api::of(request.request());
        Self { id, client: client_address(request, &api.settings.trusted_proxies), at: api.clock.now() }
    }

    fn tell<B>(&self, response: &ServiceResponse<B>) {
        let request = response.request();
        let micros = (Api::of(request).clock.now() - self.at).num_microseconds().unwrap_or(i64::MAX);
        tracing::info!(
            id = %self.id,
            client = self.client.map(tracing::field::display),
            method = %request.method(),
            path = request.path(),
            status = response.status().as_u16(),
            micros,
            "answered"
        );
    }
}
