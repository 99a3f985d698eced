//! `POST /revoke` (RFC 7009).

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::faulted::{Endpoint, answer};
use super::{answers, sent::Sent};
use crate::faults::FaultPlace;
use crate::shared::Shared;
use crate::state::Provider;

pub(crate) async fn revoke(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    answer(shared, RevocationRequest(Sent::read(&request, &body))).await
}

struct RevocationRequest(Sent);

impl Endpoint for RevocationRequest {
    const PLACE: FaultPlace = FaultPlace::Revoke;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        self.0.note_secrets(provider);
        match provider.revoke(self.0.client(), &self.0.params) {
            Ok(()) => revoked(provider),
            Err(error) => answers::revocation_error(error, provider),
        }
    }

    fn hindered(self, provider: &mut Provider) {
        self.0.note_secrets(provider);
        provider.revoke_hindered(&self.0.params);
    }
}

fn revoked(provider: &Provider) -> HttpResponse {
    let mut answer = answers::uncached(StatusCode::OK);
    match provider.dialect.revoked {
        "" => answer.finish(),
        json => answer.content_type("application/json").body(json),
    }
}
