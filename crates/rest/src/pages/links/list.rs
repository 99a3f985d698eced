//! "My links": every provider of the organization, and how the person's link to it stands.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use askama::Template;
use grantkeeper_domain::links::{CheckedLink, Links};
use grantkeeper_domain::providers::Provider;

use super::{Answer, Person, because, page_of, person, takes_links, visitor};
use crate::Api;
use crate::limits::{Purpose, admit};
use crate::pages::own_path::OwnPath;
use crate::pages::page;

#[derive(Template)]
#[template(path = "links.html")]
struct MyLinks<'a> {
    rows: Vec<Row>,
    person: Person,
    form_token: &'a str,
}

/// A provider, and the link to it.
struct Row {
    provider: String,
    page: String,
    state: State,
    takes_links: bool,
}

/// How a link stands.
enum State {
    /// There is none.
    NotLinked,
    /// It holds.
    Linked,
    /// It holds as far as anybody knows.
    NotChecked { why: String },
    /// It has to be linked again.
    Dead { why: String },
}

pub(in crate::pages) async fn show(api: web::Data<Api>, request: HttpRequest) -> Answer {
    let session = visitor(&api, &request, Some(OwnPath::links())).await?;
    admit(Purpose::TokenRead, &request, Some(&session.caller))?;
    let person = person(&api, &session.caller).await?;
    let Links { providers, links } = api.use_cases.list_links.run(&session.caller).await?;
    let of = |provider: &Provider| links.iter().find(|checked| checked.link.provider.id == provider.id);
    let rows = providers.iter().map(|view| Row::of(&view.provider, of(&view.provider))).collect();
    let page = MyLinks { rows, person, form_token: &session.form_token };
    Ok(page::form(StatusCode::OK, &page))
}

impl Row {
    fn of(provider: &Provider, link: Option<&CheckedLink>) -> Self {
        Self {
            provider: provider.name.clone(),
            page: page_of(provider.named()),
            state: link.map_or(State::NotLinked, State::of),
            takes_links: takes_links(provider),
        }
    }

    fn is_linked(&self) -> bool {
        !matches!(self.state, State::NotLinked)
    }

    fn may_link(&self) -> bool {
        self.takes_links && matches!(self.state, State::NotLinked | State::Dead { .. })
    }
}

impl State {
    fn of(checked: &CheckedLink) -> Self {
        let why = checked.failure.as_deref().map(because);
        match (checked.authenticated, why) {
            (true, None) => Self::Linked,
            (true, Some(why)) => Self::NotChecked { why },
            (false, why) => Self::Dead { why: why.unwrap_or_default() },
        }
    }
}
