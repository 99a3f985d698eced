//! The pages of links: what a person has linked, linking by the web or by a code, and unlinking.
//!
//! Machines send people to the page of a provider, and programs to the one that starts a flow. What only shows is asked for
//! with `GET`; whatever is done is a form of a page of ours, but for starting a flow, which asks the person itself.

mod because;
mod device;
mod list;
mod start;
mod unlink;
mod view;

use std::fmt::Display;

use actix_web::{HttpRequest, HttpResponse};
use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::providers::{Provider, ProviderStatus};
use serde::Deserialize;

pub(super) use self::because::because;
pub(super) use self::device::{begin as begin_device_flow, show as show_device_flow};
pub(super) use self::list::show as list;
pub(super) use self::start::start;
pub(super) use self::unlink::unlink;
pub(super) use self::view::show as view;
use super::account;
use super::own_path::OwnPath;
use super::same_origin::comes_from_us;
use super::turned_away::TurnedAway;
use crate::Api;
use crate::session::{Session, session};

/// Where the pages are.
pub(super) const PATH: &str = "/external-auth";

/// The page of a link, by the id or slug of its provider.
pub(super) fn page_of(provider: impl Display) -> String {
    format!("{PATH}/{provider}")
}

/// What the handlers answer.
type Answer = Result<HttpResponse, TurnedAway>;

/// A form with nothing in it but the proof that it is ours.
#[derive(Deserialize)]
pub(super) struct Button {
    form_token: String,
}

/// Who is signed in, as pages show it.
struct Person {
    account: String,
    organization: String,
}

/// Whoever is signed in; all others do so first, and come back.
async fn visitor(api: &Api, request: &HttpRequest, back: Option<OwnPath>) -> Result<Session, TurnedAway> {
    match session(api, request).await? {
        Some(session) => Ok(session),
        // Where there is no way back, there is nothing.
        None => Err(back.map_or(TurnedAway::NotFound, TurnedAway::SignIn)),
    }
}

/// Whoever has pressed a button on one of these pages.
async fn sender(api: &Api, request: &HttpRequest, button: &Button) -> Result<Session, TurnedAway> {
    let session = session(api, request).await?;
    let is_ours = |session: &Session| comes_from_us(api, request) && button.form_token == session.form_token;
    session.filter(is_ours).ok_or(TurnedAway::NotValid)
}

async fn person(api: &Api, caller: &Caller) -> Result<Person, TurnedAway> {
    let named = account::named(api, caller).await?;
    // Both are there as long as the session is, but for a moment.
    let (account, organization) = named.ok_or(TurnedAway::NotFound)?;
    Ok(Person { account, organization })
}

/// The provider of the person's organization with that id or slug.
async fn provider(api: &Api, session: &Session, name: &str) -> Result<Provider, TurnedAway> {
    Ok(api.use_cases.find_provider.run(&session.caller, name).await?)
}

/// Whether people can link accounts there just now.
fn takes_links(provider: &Provider) -> bool {
    provider.status == ProviderStatus::Active
}
