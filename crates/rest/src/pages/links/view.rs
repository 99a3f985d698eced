//! The page of one link: where machines send people. It links an account, or tells which one is linked.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use askama::Template;
use grantkeeper_domain::authorizations::UserInfo;
use grantkeeper_domain::links::{AppInstallations, LinkView};
use grantkeeper_domain::providers::Installation;
use url::Url;

use super::{Answer, Person, because, page_of, person, provider, takes_links, visitor};
use crate::Api;
use crate::limits::{Purpose, admit};
use crate::pages::own_path::OwnPath;
use crate::pages::page;
use crate::pages::turned_away::TurnedAway;
use crate::query::Query;

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage<'a> {
    provider: &'a str,
    path: String,
    /// Whether people can link accounts there just now.
    takes_links: bool,
    /// Whether they can do so by a code as well.
    by_code: bool,
    /// Who the person is there, where the link holds.
    user: Option<String>,
    /// Why the link does not hold, or could not be checked.
    why: Option<String>,
    /// Whether it was linked just now.
    is_new: bool,
    app: Option<App>,
    person: Person,
    form_token: &'a str,
}

/// Where an app is installed.
struct App {
    install_page: Option<String>,
    places: Vec<Place>,
}

struct Place {
    name: String,
    configure_page: Option<String>,
    suspended: bool,
}

pub(in crate::pages) async fn show(
    api: web::Data<Api>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Answer {
    let query = Query::of(&request).map_err(|_| TurnedAway::NotValid)?;
    let is_new = query.one("redirected") == Ok(Some("true"));
    let back = if is_new { OwnPath::linked(&name) } else { OwnPath::link(&name) };
    let session = visitor(&api, &request, back).await?;
    admit(Purpose::TokenRead, &request, Some(&session.caller))?;
    let provider = provider(&api, &session, &name).await?;
    let person = person(&api, &session.caller).await?;
    let view = api.use_cases.view_link.run(&session.caller, &provider).await?;
    let takes_links = takes_links(&provider);
    let page = LinkPage {
        provider: &provider.name,
        path: page_of(provider.named()),
        takes_links,
        by_code: takes_links && provider.device_flow,
        why: view.failure.as_deref().map(because),
        user: user_of(&view),
        is_new,
        app: view.app.map(App::of),
        person,
        form_token: &session.form_token,
    };
    Ok(page::form(StatusCode::OK, &page))
}

impl LinkPage<'_> {
    fn is_dead(&self) -> bool {
        self.user.is_none() && self.why.is_some()
    }
}

impl App {
    fn of(app: AppInstallations) -> Self {
        let places = app.installations.into_iter().map(Place::of).collect();
        Self { install_page: address(Some(app.install_page)), places }
    }
}

impl Place {
    fn of(installation: Installation) -> Self {
        let Installation { id, account, configure_url, suspended } = installation;
        let name = account.map_or_else(|| id.to_string(), |account| account.login);
        Self { name, configure_page: address(configure_url), suspended }
    }
}

/// An address that the provider has given, if it is one to go to.
pub(super) fn address(url: Option<Url>) -> Option<String> {
    url.filter(|url| matches!(url.scheme(), "https" | "http")).map(String::from)
}

/// Who the person is at the provider; `None` where the link does not hold.
fn user_of(view: &LinkView) -> Option<String> {
    view.authenticated.then(|| view.user.as_ref().map_or_else(String::new, called))
}

/// What people call the user.
fn called(user: &UserInfo) -> String {
    let login = user.nick_name.as_ref().or(user.email.as_ref());
    match (login, &user.name) {
        (Some(login), Some(name)) if login != name => format!("{login} ({name})"),
        (Some(name), _) | (None, Some(name)) => name.clone(),
        (None, None) => user.sub.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_called_by_what_tells_most() {
        let user = |nick_name: Option<&str>, email: Option<&str>, name: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            called(&UserInfo {
                sub: "1001".to_owned(),
                nick_name: text(nick_name),
                email: text(email),
                name: text(name),
                ..UserInfo::default()
            })
        };
        assert_eq!(user(Some("ada"), Some("ada@x.example"), Some("Ada L.")), "ada (Ada L.)");
        assert_eq!(user(None, Some("ada@x.example"), None), "ada@x.example");
        assert_eq!(user(Some("ada"), None, Some("ada")), "ada");
        assert_eq!(user(None, None, Some("Ada L.")), "Ada L.");
        assert_eq!(user(None, None, None), "1001");
    }

    #[test]
    fn what_a_provider_calls_people_and_places_is_no_markup() {
        const MARKUP: &str = "\"><script>alert('x')</script>&lt;";
        let user = UserInfo { nick_name: Some(MARKUP.to_owned()), ..UserInfo::default() };
        let place = || Place { name: MARKUP.to_owned(), configure_page: None, suspended: false };
        let page = LinkPage {
            provider: MARKUP,
            path: page_of("example"),
            takes_links: true,
            by_code: true,
            user: Some(called(&user)),
            why: Some(because(MARKUP)),
            is_new: true,
            app: Some(App { install_page: None, places: vec![place(), place()] }),
            person: Person { account: MARKUP.to_owned(), organization: MARKUP.to_owned() },
            form_token: "token",
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script") && !html.contains("\"><"), "{html}");
        let escaped = "&#34;&#62;&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;&#38;lt;";
        assert!(
            html.contains(&format!("<dd>{escaped}</dd>")) && html.contains(&format!("<li>{escaped}")),
            "{html}"
        );
    }

    #[test]
    fn an_address_that_is_no_page_is_no_link() {
        for (given, is_shown) in [
            ("https://github.com/apps/x/installations/new", true),
            ("http://127.0.0.1:9/x", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
        ] {
            assert_eq!(address(Some(Url::parse(given).unwrap())).is_some(), is_shown, "{given}");
        }
        assert_eq!(address(None), None);
    }
}
