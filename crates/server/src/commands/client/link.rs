//! `external-auth link`.

use std::fmt;

use clap::Args;
use grantkeeper_client::device_flow::Polled;
use grantkeeper_client::links::LinkState;
use grantkeeper_client::tokens::{LinkToken, Patience, Wanted};
use grantkeeper_client::{ClientError, Service, shown};
use grantkeeper_domain::services::Clock;
use serde::Serialize;

use super::patience::{linked, patiently};
use super::said::say;
use super::signed_in;
use crate::failure::Failure;

/// Link the caller's account to a provider: by a code to type on another device where the provider takes one, else on a page.
/// Waits until that is done.
#[derive(Debug, Args)]
pub(crate) struct LinkMake {
    /// The provider, by its slug or id.
    #[arg(value_name = "ID")]
    provider: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkMade {
    provider: String,
    name: String,
    /// Whether there was nothing to do.
    already_linked: bool,
    /// Who one is at the provider, where it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

impl fmt::Display for LinkMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let already = if self.already_linked { "already " } else { "" };
        write!(f, "{already}linked to {}", shown(&self.name))?;
        match &self.user {
            Some(user) => write!(f, " as {}", shown(user)),
            None => Ok(()),
        }
    }
}

impl LinkMade {
    fn of(provider: &str, state: LinkState, already_linked: bool) -> Self {
        let names = state.user.map(|user| [user.login, user.name]).into_iter().flatten();
        let user = names.into_iter().find(|name| !name.is_empty());
        Self { provider: provider.to_owned(), name: state.display_name, already_linked, user }
    }
}

impl LinkMake {
    pub(super) async fn run(&self, clock: &dyn Clock) -> Result<LinkMade, Failure> {
        let service = signed_in::service()?;
        let provider = self.provider.as_str();
        let state = service.link(provider).await.map_err(|error| signed_in::about(provider, error))?;
        if state.authenticated {
            return Ok(LinkMade::of(provider, state, true));
        }
        if state.device {
            by_device(&service, provider, clock).await?;
        } else {
            on_page(&service, provider, clock).await?;
        }
        let state = patiently(clock, async || service.link(provider).await).await?;
        Ok(LinkMade::of(provider, state, false))
    }
}

async fn by_device(service: &Service, provider: &str, clock: &dyn Clock) -> Result<(), ClientError> {
    let flow = service.begin_device_flow(provider).await?;
    let page = flow.verification_uri_complete.as_ref().unwrap_or(&flow.verification_uri);
    say(format_args!(
        "Open this page on any device and type the code:\n\n    {page}\n    {}\n",
        shown(&flow.user_code)
    ));
    let mut interval = flow.interval();
    loop {
        clock.sleep(interval).await;
        let polled = patiently(clock, async || service.poll_device_flow(provider, &flow).await).await?;
        if polled == Polled::Linked {
            return Ok(());
        }
        interval = flow.interval_after(interval, polled);
    }
}

async fn on_page(service: &Service, provider: &str, clock: &dyn Clock) -> Result<(), ClientError> {
    let wanted = Wanted::Provider(provider);
    if let LinkToken::NotLinked { url } = service.link_token(wanted, Patience::Ask).await? {
        say(format_args!("Open this page in a browser and link your account:\n\n    {url}\n"));
        linked(service, wanted, clock).await?;
    }
    Ok(())
}
