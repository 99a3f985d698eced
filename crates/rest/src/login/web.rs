//! Signing in on the web: a client starts it and polls, while a browser goes to the provider and comes back.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, web};
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Callback;
use grantkeeper_domain::ids::ProviderId;
use grantkeeper_domain::login::{LoginError, LoginPoll, ReturnedLogin, WebLoginRequest};
use grantkeeper_domain::secret::SecretHash;

use super::error::ApiError;
use super::parameters::Parameters;
use super::wire::{Nothing, WireTokenWithSecret, WireWebLogin, json};
use crate::Api;
use crate::cookies::LOGIN;
use crate::limits::{Attempt, recognize};
use crate::pages::{Visitor, land};
use crate::request_log::{client, request_id};

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn authorize(api: web::Data<Api>, request: HttpRequest) -> Answer {
    let mut parameters = Parameters::of(&request)?;
    let wanted = WebLoginRequest {
        provider: parameters.required("provider"),
        return_to: parameters.optional("redirect"),
        address: client(&request).map(|address| address.to_string()),
        user_agent: user_agent(&request),
        shows_code: parameters.is_set("match-code", "shown"),
    };
    parameters.check()?;
    let started = api.use_cases.start_web_login.for_client(wanted).await?;
    recognize(&api, SecretHash::of(started.state.expose()));
    Ok(json(StatusCode::OK, WireWebLogin::of(&started)))
}

fn user_agent(request: &HttpRequest) -> Option<String> {
    let agent = request.headers().get(USER_AGENT)?;
    Some(String::from_utf8_lossy(agent.as_bytes()).into_owned())
}

pub(super) async fn poll(api: web::Data<Api>, request: HttpRequest) -> Answer {
    let mut parameters = Parameters::of(&request)?;
    let state = Secret::new(parameters.required("state"));
    parameters.check()?;
    let hash = SecretHash::of(state.expose());
    let Ok(attempt) = Attempt::of_login(&api, &request, &hash) else {
        return Err(LoginError::UnknownState.into());
    };
    let polled = api.use_cases.poll_login.run(&state, request_id(&request).as_deref()).await;
    match &polled {
        Ok(_) => attempt.succeeded(hash),
        Err(LoginError::UnknownState) => attempt.failed(),
        Err(_) => {}
    }
    Ok(match polled? {
        LoginPoll::Pending => json(StatusCode::ACCEPTED, Nothing {}),
        LoginPoll::Token(issued) => json(StatusCode::OK, WireTokenWithSecret::of(&issued)),
    })
}

/// The callback of the reference, beside the one that providers are given.
pub(super) async fn callback(api: web::Data<Api>, request: HttpRequest) -> Answer {
    let brought = Brought::read(&request)?;
    let providers = login_providers(&api, request.match_info().get("provider")).await?;
    let Ok(attempt) = Attempt::begin(&api, &request) else {
        return Err(LoginError::UnknownState.into());
    };
    match returned(&api, &request, &brought, &providers).await {
        Ok(returned) => Ok(land(&api, &request, returned, visitor(&request)).await?),
        Err(error) => {
            if matches!(error, LoginError::UnknownState) {
                attempt.failed();
            }
            Err(error.into())
        }
    }
}

/// What the provider has sent back.
struct Brought {
    state: Secret,
    answer: Result<Secret, String>,
    iss: Option<String>,
}

impl Brought {
    fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(request)?;
        let state = Secret::new(parameters.required("state"));
        let iss = parameters.optional("iss");
        let answer = match (parameters.optional("code"), parameters.optional("error")) {
            (Some(code), None) => Ok(Secret::new(code)),
            (None, Some(error)) => Err(error),
            (given, _) => {
                let both = given.is_some();
                parameters.refuse("code", if both { "must not come with an error" } else { "is required" });
                Err(String::new())
            }
        };
        parameters.check()?;
        Ok(Self { state, answer, iss })
    }

    fn at(&self, provider_id: ProviderId) -> Callback {
        let copy = |secret: &Secret| Secret::new(secret.expose().to_owned());
        Callback {
            provider_id,
            state: copy(&self.state),
            answer: self.answer.as_ref().map(copy).map_err(String::clone),
            iss: self.iss.clone(),
        }
    }
}

/// The provider of that name; without a name all at which people may sign in.
async fn login_providers(api: &Api, name: Option<&str>) -> Result<Vec<ProviderId>, LoginError> {
    let offered = api.use_cases.login_providers.offered().await?;
    let named = offered.iter().filter(|offered| name.is_none_or(|name| offered.name == name));
    let ids: Vec<ProviderId> = named.map(|offered| offered.id).collect();
    if name.is_some() && ids.is_empty() { Err(LoginError::UnknownProvider) } else { Ok(ids) }
}

/// The login that has the state, at whichever of the providers.
async fn returned(
    api: &Api,
    request: &HttpRequest,
    brought: &Brought,
    providers: &[ProviderId],
) -> Result<ReturnedLogin, LoginError> {
    let cookies = LOGIN.shown(api, request);
    for provider in providers {
        let returned = api.use_cases.complete_web_login.run(brought.at(*provider), &cookies).await?;
        if let Some(returned) = returned {
            return Ok(returned);
        }
    }
    Err(LoginError::UnknownState)
}

/// Browsers say that they take pages.
fn visitor(request: &HttpRequest) -> Visitor {
    let accepted = request.headers().get_all(ACCEPT);
    let takes_pages = accepted
        .into_iter()
        .any(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase().contains("text/html"));
    if takes_pages { Visitor::Browser } else { Visitor::Program }
}
