//! A page for people, made of the document: plain HTML that needs no script, and one that finds things in it.

mod call;
mod entry;
mod kind;

use askama::Template;
use pulldown_cmark::{Options, Parser};
use utoipa::openapi::{OpenApi, Tag};

use self::call::Call;
use self::entry::{Failure, Named};

/// Nothing from elsewhere, and no style and no script but those whose base64 SHA-256 stand here: those of
/// `templates/docs.css` and `templates/docs.js`.
pub(super) const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                                 style-src 'sha256-yDPCWaz4dDyY/ZNJ6xwtsnrv/AUrnCO6wxD4+YnqFaY='; \
                                 script-src 'sha256-JgrhEYk7rpVMKcgblj12oOYUKgbEAwnJ9azrwsnIXkw='";

/// The page.
pub(super) fn of(document: &OpenApi) -> String {
    // Nothing that the template does can fail.
    Docs::of(document).render().expect("a template over text renders")
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs<'a> {
    style: &'static str,
    script: &'static str,
    title: &'a str,
    version: &'a str,
    overview: String,
    groups: Vec<Group<'a>>,
    failures: Vec<Failure<'a>>,
    schemas: Vec<Named<'a>>,
}

/// The operations with a tag.
struct Group<'a> {
    name: &'a str,
    about: String,
    calls: Vec<Call<'a>>,
}

impl<'a> Docs<'a> {
    fn of(document: &'a OpenApi) -> Self {
        let components = document.components.as_ref();
        Self {
            style: include_str!("../../templates/docs.css"),
            script: include_str!("../../templates/docs.js"),
            title: &document.info.title,
            version: &document.info.version,
            overview: html(document.info.description.as_deref()),
            groups: document.tags.iter().flatten().map(|tag| Group::of(document, tag)).collect(),
            failures: components.into_iter().flat_map(Failure::all).collect(),
            schemas: components.into_iter().flat_map(Named::all).collect(),
        }
    }
}

impl<'a> Group<'a> {
    fn of(document: &'a OpenApi, tag: &'a Tag) -> Self {
        let has_tag = |call: &Call<'_>| call.tag == tag.name;
        let calls =
            document.paths.paths.iter().flat_map(|(path, item)| Call::all(path, item)).filter(has_tag);
        Self { name: &tag.name, about: html(tag.description.as_deref()), calls: calls.collect() }
    }
}

/// Markdown as HTML. What stands in the document is of our own making, so that its markup is safe.
fn html(markdown: Option<&str>) -> String {
    let mut html = String::new();
    let parser = Parser::new_ext(markdown.unwrap_or_default(), Options::ENABLE_TABLES);
    pulldown_cmark::html::push_html(&mut html, parser);
    html
}
