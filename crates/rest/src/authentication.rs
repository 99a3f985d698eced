//! Authentication of callers by API token, for whichever API they call: before anything else is looked at.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, AsHeaderName};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, ResponseError};
use grantkeeper_domain::StoreError;
use grantkeeper_domain::accounts::{AuthenticateError, Caller, TokenPurpose};

use crate::Api;
use crate::limits::{Attempt, Refused};
use crate::request_log::request_id;

/// Why it cannot be said who the caller is.
pub(crate) enum Unauthenticated {
    /// There is no token, or none that is usable.
    NoToken,
    /// Too many wrong ones came from the caller's address.
    Refused(Refused),
    /// It is an agent's, and this is not what those are for.
    OnlyReadsTokens,
    /// The store failed.
    Store(StoreError),
}

/// What the bearer of an agent's token is told.
pub(crate) const ONLY_READS_TOKENS: &str = "this token only reads access tokens";

impl From<AuthenticateError> for Unauthenticated {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Unauthenticated => Self::NoToken,
            AuthenticateError::OnlyReadsTokens => Self::OnlyReadsTokens,
            AuthenticateError::Store(error) => Self::Store(error),
        }
    }
}

/// Whose token that is; not an agent's. A wrong one is counted against the address that it came from.
pub(crate) async fn caller_with(
    api: &Api,
    request: &HttpRequest,
    token: &str,
) -> Result<Caller, Unauthenticated> {
    attempted(api, request, api.use_cases.authenticate.run(token, request_id(request))).await
}

/// The same, and it may be an agent's.
pub(crate) async fn token_reader_with(
    api: &Api,
    request: &HttpRequest,
    token: &str,
) -> Result<Caller, Unauthenticated> {
    attempted(api, request, api.use_cases.authenticate.token_reader(token, request_id(request))).await
}

async fn attempted(
    api: &Api,
    request: &HttpRequest,
    authenticating: impl Future<Output = Result<Caller, AuthenticateError>>,
) -> Result<Caller, Unauthenticated> {
    let attempt = Attempt::begin(api, request).map_err(Unauthenticated::Refused)?;
    let authenticated = authenticating.await;
    if matches!(authenticated, Err(AuthenticateError::Unauthenticated)) {
        attempt.failed();
    }
    Ok(authenticated?)
}

/// Lets callers with a usable API token through, agents among them, and answers all others as the API does; `token_in` is
/// where its callers put the token.
pub(crate) async fn let_through<E, B>(
    token_in: fn(&HttpRequest) -> Option<Cow<'_, str>>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error>
where
    E: From<Unauthenticated> + ResponseError,
    B: MessageBody,
{
    match authenticated(token_in, request.request()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.call(request).await.map(ServiceResponse::map_into_left_body)
        }
        // An answer, not an error: an error would pass by the request log and the headers.
        Err(error) => Ok(request.into_response(E::from(error).error_response()).map_into_right_body()),
    }
}

async fn authenticated(
    token_in: fn(&HttpRequest) -> Option<Cow<'_, str>>,
    request: &HttpRequest,
) -> Result<Caller, Unauthenticated> {
    let token = token_in(request).ok_or(Unauthenticated::NoToken)?;
    token_reader_with(Api::of(request), request, &token).await
}

/// The caller, in a handler behind [`let_through`]; not an agent. `E` is how the API tells that there is none.
pub(crate) struct Authenticated<E>(pub(crate) Caller, PhantomData<fn() -> E>);

impl<E: From<Unauthenticated> + ResponseError + 'static> FromRequest for Authenticated<E> {
    type Error = E;
    type Future = Ready<Result<Self, E>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = taken(request).and_then(|caller| match caller.purpose {
            TokenPurpose::Agent => Err(Unauthenticated::OnlyReadsTokens),
            TokenPurpose::Api | TokenPurpose::Session { .. } => Ok(Self(caller, PhantomData)),
        });
        ready(caller.map_err(E::from))
    }
}

/// The same, and it may be an agent: for handlers that hand access tokens out.
pub(crate) struct TokenReader<E>(pub(crate) Caller, PhantomData<fn() -> E>);

impl<E: From<Unauthenticated> + ResponseError + 'static> FromRequest for TokenReader<E> {
    type Error = E;
    type Future = Ready<Result<Self, E>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(taken(request).map(|caller| Self(caller, PhantomData)).map_err(E::from))
    }
}

/// Taken, not copied: a handler has one of it, and what looks at the caller besides is done by then.
fn taken(request: &HttpRequest) -> Result<Caller, Unauthenticated> {
    request.extensions_mut().remove::<Caller>().ok_or(Unauthenticated::NoToken)
}

/// The token in `Authorization: <scheme> <token>`, for one of these schemes in whatever case (RFC 9110, 11.1).
pub(crate) fn authorization_token<'r>(request: &'r HttpRequest, schemes: &[&str]) -> Option<&'r str> {
    let (scheme, token) = only_header(request, AUTHORIZATION)?.split_once(' ')?;
    schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)).then(|| token.trim())
}

/// The value of a header that comes once; two of a kind are none.
pub(crate) fn only_header(request: &HttpRequest, name: impl AsHeaderName) -> Option<&str> {
    let mut headers = request.headers().get_all(name);
    match (headers.next(), headers.next()) {
        (Some(header), None) => header.to_str().ok(),
        _ => None,
    }
}
