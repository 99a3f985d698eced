//! Signing a browser in at a provider.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::form::PageForm;
use super::own_path::OwnPath;
use super::same_origin::comes_from_us;
use super::{login, page};
use crate::Api;
use crate::cookies::{LOGIN, set_cookie};

#[derive(Deserialize)]
pub(super) struct Form {
    return_to: Option<String>,
}

/// The button of a login provider on the sign-in page: on to the provider.
pub(super) async fn start(
    api: web::Data<Api>,
    request: HttpRequest,
    path: web::Path<String>,
    PageForm(form): PageForm<Form>,
) -> HttpResponse {
    let next = OwnPath::after_sign_in(form.return_to.as_deref()).filter(|_| comes_from_us(&api, &request));
    let Some(next) = next else {
        return page::not_valid();
    };
    match api.use_cases.start_web_login.for_browser(&path, next.into_string()).await {
        Ok(started) => {
            let mut response = page::onward(started.url.as_str());
            set_cookie(&mut response, &LOGIN.of(&api, started.id, &started.cookie));
            response
        }
        Err(error) => login::failed(&error),
    }
}
