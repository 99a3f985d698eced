//! Handlers behind a limit.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, Handler, HttpMessage as _, HttpRequest, ResponseError};
use grantkeeper_domain::accounts::Caller;

use super::purpose::Limit;
use super::{Address, Purpose, Refused};
use crate::Api;
use crate::request_log::client;

/// Puts a handler behind the limit `L`; `E` is how the API tells of a refusal. Behind authentication the caller's own
/// limit counts, and everywhere the one of the address.
pub(crate) fn behind<L, E, H, Args>(
    handler: H,
) -> impl Handler<(Admission<L, E>, Args), Output = H::Output, Future = H::Future>
where
    L: Limit,
    E: 'static,
    H: Handler<Args>,
{
    move |_: Admission<L, E>, arguments| handler.call(arguments)
}

/// A request that is not over the limit `L`. As the first of a handler's arguments it is extracted first: what is
/// refused has cost no more, and its body is not read.
pub(crate) struct Admission<L, E>(PhantomData<fn() -> (L, E)>);

impl<L, E> FromRequest for Admission<L, E>
where
    L: Limit,
    E: From<Refused> + ResponseError + 'static,
{
    type Error = E;
    type Future = Ready<Result<Self, E>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = L::PURPOSE.map_or(Ok(()), |purpose| admit(purpose, request));
        ready(admitted.map(|()| Self(PhantomData)).map_err(E::from))
    }
}

fn admit(purpose: Purpose, request: &HttpRequest) -> Result<(), Refused> {
    let api = Api::of(request);
    let limiters = api.limits.of(purpose);
    if limiters.are_off() {
        return Ok(());
    }
    let (limit, now) = (purpose.as_str(), api.clock.now());
    // First the caller's own: what that refuses must not be counted against the neighbours at the same address.
    if let (Some(limiter), Some(caller)) = (&limiters.caller, request.extensions().get::<Caller>()) {
        let id = caller.account_id;
        limiter.take(id, now).map_err(|over| Refused::over(&over, limit, format_args!("account {id}")))?;
    }
    if let (Some(limiter), Some(client)) = (&limiters.address, client(request)) {
        let address = Address::from(client);
        limiter
            .take(address, now)
            .map_err(|over| Refused::over(&over, limit, format_args!("address {address}")))?;
    }
    Ok(())
}
