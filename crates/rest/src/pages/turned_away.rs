//! What people see where no handler is reached.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use super::page;
use crate::limits::Refused;

/// Why a request does not reach its handler.
#[derive(Debug)]
pub(super) enum TurnedAway {
    /// It is over a limit.
    TooMany(Refused),
    /// Its form did not come in time.
    TooSlow,
    /// Its form is not one of ours, and gets the same page as any other request that leads nowhere.
    NoForm,
}

impl From<Refused> for TurnedAway {
    fn from(refused: Refused) -> Self {
        Self::TooMany(refused)
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(refused) => refused.fmt(f),
            Self::TooSlow => f.write_str("the form took too long to come"),
            Self::NoForm => f.write_str("not a form of ours"),
        }
    }
}

impl ResponseError for TurnedAway {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::TooMany(refused) => page::too_many_requests(*refused),
            Self::TooSlow => page::too_slow(),
            Self::NoForm => page::not_valid(),
        }
    }
}
