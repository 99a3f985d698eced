//! `POST /token` (RFC 6749 section 3.2).

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::faulted::{Endpoint, answer};
use super::{answers, sent::Sent};
use crate::faults::FaultPlace;
use crate::shared::Shared;
use crate::state::Provider;

pub(crate) async fn token(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    answer(shared, TokenRequest(Sent::read(&request, &body))).await
}

struct TokenRequest(Sent);

impl Endpoint for TokenRequest {
    const PLACE: FaultPlace = FaultPlace::Token;

    fn handle(self, provider: &mut Provider) -> HttpResponse {
        self.0.note_secrets(provider);
        match provider.token(self.0.client(), &self.0.params) {
            Ok(tokens) => answers::tokens(tokens, provider, self.0.accepts_json),
            Err(error) => answers::token_error(error, provider, self.0.accepts_json),
        }
    }

    fn hindered(self, provider: &mut Provider) {
        self.0.note_secrets(provider);
        provider.token_hindered(&self.0.params);
    }
}
