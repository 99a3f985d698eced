//! Linking by a code that is entered on another device (RFC 8628): for browsers that cannot show the provider's own pages.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::{
    BeginDeviceFlowError, BegunDeviceFlow, DeviceFlowStatus, PollDeviceFlowError,
};
use grantkeeper_domain::providers::Provider;
use serde::{Deserialize, Serialize};
use url::Url;

use super::view::address;
use super::{Answer, Button, because, page_of, provider, sender, visitor};
use crate::Api;
use crate::cookies::{DEVICE, set_cookie};
use crate::limits::{Purpose, admit, admit_caller};
use crate::pages::form::PageForm;
use crate::pages::own_path::OwnPath;
use crate::pages::page::{self, Link, see_other};
use crate::pages::turned_away::TurnedAway;
use crate::query::Query;

/// When a provider that limits us, and does not say for how long, may be asked again.
const UNNAMED_WAIT: Duration = Duration::from_secs(60);

/// What is added to the time between two polls by each `slow_down`, in seconds (RFC 8628, 3.5).
const SLOWER: u64 = 5;

/// However slow the page becomes: the codes do not live long.
const SLOWEST: u64 = 60;

/// What people are told whose code cannot be asked about just now.
const CODE_STAYS: &str =
    "Your code stays good meanwhile, and the account is linked all the same once you have entered it.";

/// What people are told whose provider was paused meanwhile.
const WHEN_BACK: &str = "When it is back, look again: your code may still be good.";

/// Longer than any provider's, in bytes.
const LONGEST_ADDRESS: usize = 1_024;

#[derive(Template)]
#[template(path = "enter_code.html")]
struct EnterCode<'a> {
    provider: &'a str,
    path: &'a str,
    run: &'a Run,
    /// The page looks again after that many seconds; `None`: the person does not want it to.
    refresh: Option<u64>,
}

/// What the browser remembers of a device flow. Nobody else can have it show a code of theirs: the handle has to be one of the
/// person's own.
#[derive(Serialize, Deserialize)]
struct Run {
    handle: String,
    user_code: String,
    verification_page: Option<String>,
    /// The same with the code in it.
    complete_page: Option<String>,
    /// Between two polls, in seconds.
    interval: u64,
    /// When the page was loaded last, in seconds since 1970.
    looked_at: i64,
}

/// The button: codes for the person, and on to the page that shows them.
pub(in crate::pages) async fn begin(
    api: web::Data<Api>,
    request: HttpRequest,
    name: web::Path<String>,
    PageForm(button): PageForm<Button>,
) -> Answer {
    let session = sender(&api, &request, &button).await?;
    admit(Purpose::StartDeviceFlow, &request, Some(&session.caller))?;
    let provider = provider(&api, &session, &name).await?;
    let begun = match api.use_cases.begin_device_flow.run(&session.caller, provider.id).await {
        Ok(begun) => begun,
        Err(error) => return not_begun(error, &provider),
    };
    let mut response = see_other(&format!("{}/device", page_of(provider.named())));
    set_cookie(&mut response, &DEVICE.of(&api, provider.id, &Run::of(begun, api.clock.now()).encoded()));
    Ok(response)
}

/// The page that shows the codes, polls each time it is loaded, and loads itself. The flow is finished without it as well.
pub(in crate::pages) async fn show(
    api: web::Data<Api>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Answer {
    let query = Query::of(&request).map_err(|_| TurnedAway::NotValid)?;
    let here = OwnPath::device_flow(&name).ok_or(TurnedAway::NotFound)?;
    let session = visitor(&api, &request, Some(here.clone())).await?;
    let again = [Link { uri: here.as_str(), label: "Look again" }];
    if let Err(refused) = admit_caller(Purpose::PollDeviceFlow, &api, &session.caller) {
        return Ok(page::come_back_in(refused.retry_after(), &[CODE_STAYS], &again));
    }
    let provider = provider(&api, &session, &name).await?;
    let path = page_of(provider.named());
    let Some(mut run) =
        DEVICE.shown_for(&api, &request, provider.id).and_then(|cookie| Run::decoded(&cookie))
    else {
        return Ok(see_other(&path));
    };
    let handle = Secret::new(run.handle.clone());
    let response = match api.use_cases.poll_device_flow.run(&session.caller, provider.id, &handle).await {
        Ok(status @ (DeviceFlowStatus::Pending | DeviceFlowStatus::SlowDown)) => {
            run.look(&status, api.clock.now());
            let refresh = (query.one("still") == Ok(None)).then_some(run.interval);
            let page = EnterCode { provider: &provider.name, path: &path, run: &run, refresh };
            let mut response = page::plain(StatusCode::OK, &page);
            set_cookie(&mut response, &DEVICE.of(&api, provider.id, &run.encoded()));
            return Ok(response);
        }
        Ok(DeviceFlowStatus::Authorized(_)) => see_other(&format!("{path}?redirected=true")),
        Ok(DeviceFlowStatus::Denied { reason }) => not_linked(&reason, &path),
        Ok(DeviceFlowStatus::Expired) => not_linked("expired_token", &path),
        Err(PollDeviceFlowError::NotOffered) => see_other(&path),
        Err(PollDeviceFlowError::ProviderNotFound) => return Err(TurnedAway::NotFound),
        // It may be active again before the codes have expired.
        Err(PollDeviceFlowError::NotActive) => {
            return Ok(page::not_available_yet(&[WHEN_BACK], &again));
        }
        Err(PollDeviceFlowError::Store(error)) => return Err(error.into()),
    };
    Ok(over(&api, response, &provider))
}

/// The cookie of a flow that is over is good for nothing any more.
fn over(api: &Api, mut response: HttpResponse, provider: &Provider) -> HttpResponse {
    set_cookie(&mut response, &DEVICE.spent(api, provider.id));
    response
}

fn not_linked(reason: &str, path: &str) -> HttpResponse {
    let why = format!("The account was not linked{}.", because(reason));
    let lines = [&*why, "You can close this window, or start again."];
    let again = [Link { uri: path, label: "Start again" }];
    page::message_with_links(StatusCode::OK, "Not linked", &lines, &again)
}

fn not_begun(error: BeginDeviceFlowError, provider: &Provider) -> Answer {
    match error {
        BeginDeviceFlowError::ProviderNotFound => Err(TurnedAway::NotFound),
        BeginDeviceFlowError::NotActive => Err(TurnedAway::NotAvailable),
        BeginDeviceFlowError::NotOffered => Err(TurnedAway::NotValid),
        BeginDeviceFlowError::RateLimited { retry_after } => {
            let wait = retry_after.unwrap_or(UNNAMED_WAIT);
            let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
            let limited = format!("{} gives no more codes for now.", provider.name);
            let path = page_of(provider.named());
            Ok(page::come_back_in(seconds, &[&limited], &[Link { uri: &path, label: "Start again" }]))
        }
        BeginDeviceFlowError::Unavailable { reason } => {
            let why = format!("{} has given no code{}.", provider.name, because(&reason));
            let lines = [&*why, "Please start again in a moment."];
            let path = page_of(provider.named());
            let again = [Link { uri: &path, label: "Start again" }];
            Ok(page::message_with_links(StatusCode::BAD_GATEWAY, "There is no code yet", &lines, &again))
        }
        BeginDeviceFlowError::Seal(error) => Err(error.into_store_error().into()),
        BeginDeviceFlowError::Store(error) => Err(error.into()),
    }
}

impl Run {
    fn of(begun: BegunDeviceFlow, now: DateTime<Utc>) -> Self {
        Self {
            handle: begun.handle.expose().to_owned(),
            user_code: begun.user_code,
            verification_page: short(Some(begun.verification_uri)),
            complete_page: short(begun.verification_uri_complete),
            interval: begun.interval.as_secs().max(1),
            looked_at: now.timestamp(),
        }
    }

    /// The page is loaded. If it was too early though nobody has been impatient, the provider wants more time than it has said.
    fn look(&mut self, status: &DeviceFlowStatus, now: DateTime<Utc>) {
        let passed = now.timestamp().saturating_sub(self.looked_at);
        if *status == DeviceFlowStatus::SlowDown && passed >= self.interval.cast_signed() {
            self.interval = self.interval.saturating_add(SLOWER).min(self.interval.max(SLOWEST));
        }
        self.looked_at = now.timestamp();
    }

    /// In letters that need no quoting in a cookie.
    fn encoded(&self) -> Secret {
        let json = serde_json::to_vec(self).expect("texts and a number are JSON");
        Secret::new(URL_SAFE_NO_PAD.encode(json))
    }

    /// `None` for what is not ours.
    fn decoded(cookie: &Secret) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(cookie.expose()).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

/// An address that fits into the cookie beside the other one: browsers take 4096 bytes.
fn short(url: Option<Url>) -> Option<String> {
    address(url).filter(|address| address.len() <= LONGEST_ADDRESS)
}
