//! One log line a request, and an id that ties it to the audit log. Query strings carry codes and states: they are
//! never logged.

use std::fmt::Write as _;
use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, web};
use grantkeeper_domain::services::Random;
use tracing::Instrument as _;

use crate::Api;
use crate::client_address::client_address;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request when it comes in.
struct Arrival {
    id: String,
    client: Option<IpAddr>,
}

/// The id of a request.
pub(crate) fn request_id(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<Arrival>().map(|arrival| arrival.id.clone())
}

/// The address of the client.
pub(crate) fn client(request: &HttpRequest) -> Option<IpAddr> {
    request.extensions().get::<Arrival>().and_then(|arrival| arrival.client)
}

pub(crate) async fn log<B: MessageBody>(
    api: web::Data<Api>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let id = new_id(&*api.random);
    let client = client_address(&request, &api.settings.trusted_proxies);
    request.extensions_mut().insert(Arrival { id: id.clone(), client });
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let started = api.clock.now();
    // Whatever is logged on the way, by detached work too, names the request.
    let mut response = next.call(request).instrument(tracing::info_span!("request", %id)).await?;
    let micros = (api.clock.now() - started).num_microseconds().unwrap_or(i64::MAX);
    let status = response.status().as_u16();
    tracing::info!(%id, client = client.map(tracing::field::display), %method, path, status, micros, "answered");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    Ok(response)
}

fn new_id(random: &dyn Random) -> String {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    bytes.iter().fold(String::with_capacity(16), |mut id, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}
