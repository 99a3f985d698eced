//! Reading the forms of our pages.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use super::turned_away::TurnedAway;
use crate::limits::in_time;

/// Room for a token of several kilobytes, and no more.
pub(super) const LARGEST: usize = 16 * 1024;

/// A form of one of our pages.
pub(super) struct PageForm<T>(pub(super) T);

impl<T: DeserializeOwned + 'static> FromRequest for PageForm<T> {
    type Error = TurnedAway;
    type Future = Pin<Box<dyn Future<Output = Result<Self, TurnedAway>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = web::Form::<T>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            match in_time(&request, form).await {
                None => Err(TurnedAway::TooSlow),
                Some(Err(_)) => Err(TurnedAway::NotValid),
                Some(Ok(form)) => Ok(Self(form.into_inner())),
            }
        })
    }
}
