//! Reading the pages of the walk: a title and at most one form. No browser's parser, only enough of one for pages
//! that are written by this project.

/// A page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// What stands in its title.
    pub(super) title: String,
    /// Its form.
    pub(super) form: Option<Form>,
}

/// A form that is posted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// Where to, relative to the page.
    pub(super) action: String,
    fields: Vec<Field>,
    buttons: Vec<Button>,
}

#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: String,
    value: String,
    kind: FieldKind,
}

#[derive(Debug, PartialEq, Eq)]
enum FieldKind {
    /// Sent as it is.
    Given,
    /// Asks for a secret.
    Secret,
}

#[derive(Debug, PartialEq, Eq)]
struct Button {
    pair: Option<(String, String)>,
    label: String,
}

impl Page {
    /// Reads HTML.
    pub(super) fn read(html: &str) -> Self {
        let mut page = Self::default();
        for (tag, text) in tags(html) {
            let form = page.form.as_mut();
            match (tag.name, form) {
                ("title", _) if page.title.is_empty() => page.title = unescaped(text.trim()),
                ("form", None) => {
                    let action = tag.attribute("action").unwrap_or_default();
                    page.form = Some(Form { action, ..Form::default() });
                }
                ("input", Some(form)) => form.fields.extend(field(&tag)),
                ("button", Some(form)) => form.buttons.push(button(&tag, text)),
                _ => {}
            }
        }
        page
    }
}

impl Form {
    /// Whether it asks for a secret: then it is a sign-in.
    pub(super) fn asks_for_secret(&self) -> bool {
        self.fields.iter().any(|field| field.kind == FieldKind::Secret)
    }

    /// What is sent when a person fills in the secret and presses the first button, which on every page here is yes.
    pub(super) fn filled_in(&self, secret: &str) -> Vec<(String, String)> {
        let value = |field: &Field| match field.kind {
            FieldKind::Given => field.value.clone(),
            FieldKind::Secret => secret.to_owned(),
        };
        let pairs = self.fields.iter().map(|field| (field.name.clone(), value(field)));
        let pressed = self.buttons.first().and_then(|button| button.pair.clone());
        pairs.chain(pressed).collect()
    }

    /// What stands on the button that is pressed.
    pub(super) fn yes(&self) -> &str {
        self.buttons.first().map_or("", |button| &button.label)
    }
}

/// A field that is sent; of a choice only the chosen one is.
fn field(tag: &Tag<'_>) -> Option<Field> {
    let name = tag.attribute("name")?;
    let value = tag.attribute("value").unwrap_or_default();
    let kind = match tag.attribute("type").as_deref() {
        Some("radio" | "checkbox") if !tag.has("checked") => return None,
        Some("password") => FieldKind::Secret,
        _ => FieldKind::Given,
    };
    Some(Field { name, value, kind })
}

fn button(tag: &Tag<'_>, text: &str) -> Button {
    let pair = tag.attribute("name").map(|name| (name, tag.attribute("value").unwrap_or_default()));
    Button { pair, label: unescaped(text.trim()) }
}

/// An opening tag.
struct Tag<'a> {
    name: &'a str,
    rest: &'a str,
}

/// Every opening tag with the text that follows it.
fn tags(html: &str) -> impl Iterator<Item = (Tag<'_>, &str)> {
    html.split('<').skip(1).filter_map(|piece| {
        let (inside, text) = piece.split_once('>')?;
        let (name, rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        Some((Tag { name, rest }, text))
    })
}

impl Tag<'_> {
    /// The value of an attribute; on the pages here every value is in double quotes.
    fn attribute(&self, name: &str) -> Option<String> {
        let start = format!("{name}=\"");
        let at = self.rest.match_indices(&start).map(|(at, _)| at);
        let mut at = at.filter(|at| *at == 0 || self.rest[..*at].ends_with(char::is_whitespace));
        let value = &self.rest[at.next()? + start.len()..];
        value.split('"').next().map(unescaped)
    }

    /// Whether it has an attribute without a value.
    fn has(&self, name: &str) -> bool {
        self.rest.split_whitespace().any(|part| part == name)
    }
}

/// Turns character references back into characters.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let known = piece.split_once(';').and_then(|(name, rest)| Some((character(name)?, rest)));
        if let Some((character, rest)) = known {
            plain.push(character);
            plain.push_str(rest);
        } else {
            plain.push('&');
            plain.push_str(piece);
        }
    }
    plain
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_sign_in_is_filled_in() {
        let page = Page::read(
            r#"<!doctype html><title>Sign in · Grantkeeper</title><style>a>b{}</style>
            <form method="post" action="/sign-in"><label for="token">API token</label>
            <input id="token" name="token" type="password" autocomplete="off" required autofocus>
            <input type="hidden" name="return_to" value="/connect/1&amp;2">
            <button class="main" type="submit">Sign in</button></form>"#,
        );
        assert_eq!(page.title, "Sign in · Grantkeeper");
        let form = page.form.expect("a form");
        assert_eq!(form.action, "/sign-in");
        assert!(form.asks_for_secret());
        assert_eq!(form.yes(), "Sign in");
        assert_eq!(form.filled_in("gk_1"), pairs(&[("token", "gk_1"), ("return_to", "/connect/1&2")]));
    }

    #[test]
    fn of_a_choice_the_chosen_one_is_sent_and_yes_is_pressed() {
        let page = Page::read(
            r#"<form method="post"><input type="radio" name="user" value="1" checked> Ada
            <input type="radio" name="user" value="2"> Bo
            <button name="decision" value="approve">Approve</button><button name="decision" value="deny">Deny</button></form>"#,
        );
        let form = page.form.expect("a form");
        assert!(!form.asks_for_secret());
        assert_eq!((form.action.as_str(), form.yes()), ("", "Approve"));
        assert_eq!(form.filled_in("gk_1"), pairs(&[("user", "1"), ("decision", "approve")]));
    }

    #[test]
    fn a_message_has_no_form() {
        let page = Page::read("<title>Done &#38; over &#x2714;</title><h1>Done</h1>");
        assert_eq!(page, Page { title: "Done & over ✔".to_owned(), form: None });
    }

    #[test]
    fn an_attribute_is_not_found_inside_another() {
        let page = Page::read(r#"<form><input data-name="no" name="yes" value="1"></form>"#);
        assert_eq!(page.form.expect("a form").filled_in(""), pairs(&[("yes", "1")]));
    }

    #[test]
    fn a_lone_ampersand_stays() {
        assert_eq!(unescaped("a & b &c; &#xfffffff; &lt;"), "a & b &c; &#xfffffff; <");
    }
}
