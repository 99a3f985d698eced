//! Unlinking an account.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::links::{UnlinkError, Unlinked};
use grantkeeper_domain::providers::Provider;

use super::view::address;
use super::{Answer, Button, because, provider, sender};
use crate::Api;
use crate::limits::{Purpose, admit};
use crate::pages::form::PageForm;
use crate::pages::page::{self, Link, MY_LINKS};

pub(in crate::pages) async fn unlink(
    api: web::Data<Api>,
    request: HttpRequest,
    name: web::Path<String>,
    PageForm(button): PageForm<Button>,
) -> Answer {
    let session = sender(&api, &request, &button).await?;
    admit(Purpose::TokenRead, &request, Some(&session.caller))?;
    let provider = provider(&api, &session, &name).await?;
    match api.use_cases.unlink.run(&session.caller, provider.id).await {
        Ok(unlinked) => Ok(told(&provider, &unlinked)),
        Err(UnlinkError::NotFound) => Ok(nothing_linked(&provider)),
        Err(UnlinkError::Store(error)) => Err(error.into()),
    }
}

/// The link is gone whatever the provider says.
fn told(provider: &Provider, unlinked: &Unlinked) -> HttpResponse {
    let name = &provider.name;
    let gone = format!("This service has no access to your account at {name} any more.");
    if unlinked.revoked {
        let revoked = format!("{name} has revoked it as well.");
        return page::message_with_links(StatusCode::OK, "Unlinked", &[&gone, &revoked], &[MY_LINKS]);
    }
    let (outlives, then) = match &unlinked.failure {
        None => (format!("{name} knows no way to revoke it."), "You can take it away there yourself."),
        Some(code) => (
            format!("{name} has not revoked it yet{}.", because(code)),
            "Where that is of any use it is tried again. You can take it away there yourself, too.",
        ),
    };
    let settings = address(provider.endpoints.settings_url.clone());
    let label = format!("Your settings at {name}");
    let mut links = vec![MY_LINKS];
    links.extend(settings.as_deref().map(|uri| Link { uri, label: &label }));
    page::message_with_links(StatusCode::OK, "Unlinked", &[&gone, &outlives, then], &links)
}

fn nothing_linked(provider: &Provider) -> HttpResponse {
    let line = format!("No account at {} is linked, or not any more.", provider.name);
    page::message_with_links(StatusCode::OK, "There was nothing to unlink", &[&line], &[MY_LINKS])
}
