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
        let (extensions, purpose) = (request.extensions(), L::PURPOSE);
        let admitted = purpose.map_or(Ok(()), |purpose| admit(purpose, request, extensions.get::<Caller>()));
        ready(admitted.map(|()| Self(PhantomData)).map_err(E::from))
    }
}

/// Counts a request of somebody; handlers call this themselves where only they know what is asked for, and by whom.
pub(crate) fn admit(purpose: Purpose, request: &HttpRequest, caller: Option<&Caller>) -> Result<(), Refused> {
    let api = Api::of(request);
    let limiters = api.limits.of(purpose);
    if limiters.are_off() {
        return Ok(());
    }
    let (limit, now) = (purpose.as_str(), api.clock.now());
    // First the caller's own: what that refuses must not be counted against the neighbours at the same address.
    if let Some(caller) = caller {
        admit_caller(purpose, api, caller)?;
    }
    if let (Some(limiter), Some(client)) = (&limiters.address, client(request)) {
        let address = Address::from(client);
        limiter
            .take(address, now)
            .map_err(|over| Refused::over(&over, limit, format_args!("address {address}")))?;
    }
    Ok(())
}

/// Counts a request of a caller whose address has been counted already.
pub(crate) fn admit_caller(purpose: Purpose, api: &Api, caller: &Caller) -> Result<(), Refused> {
    let Some(limiter) = &api.limits.of(purpose).caller else {
        return Ok(());
    };
    let (id, limit) = (caller.account_id, purpose.as_str());
    let taken = limiter.take(id, api.clock.now());
    taken.map_err(|over| Refused::over(&over, limit, format_args!("account {id}")))
}
