//! Reading the pages of the walk: a title and forms. No browser's parser, only enough of one for pages
//! that are written by this project.

/// A page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// What stands in its title.
    pub(super) title: String,
    /// Where a browser goes on to at once, without anybody's doing.
    pub(super) onward: Option<String>,
    forms: Vec<Form>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldKind {
    /// Sent as it is.
    Given,
    /// Asks for a secret.
    Secret,
    /// Asks for a text.
    Text,
}

/// What a person types.
#[derive(Clone, Copy, Default)]
pub(super) struct Typed<'a> {
    /// Where a secret is asked for.
    pub(super) secret: &'a str,
    /// Where a text is asked for.
    pub(super) text: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
struct Button {
    pair: Option<(String, String)>,
    label: String,
}

/// Where a form leads by which a person signs out.
const SIGN_OUT: &str = "/sign-out";

impl Page {
    /// Reads HTML.
    pub(super) fn read(html: &str) -> Self {
        let mut page = Self::default();
        let mut open: Option<Form> = None;
        for (tag, text) in tags(html) {
            match (tag.name, &mut open) {
                ("title", _) if page.title.is_empty() => page.title = unescaped(text.trim()),
                ("meta", _) => page.onward = page.onward.or_else(|| onward(&tag)),
                ("form", _) => {
                    let action = tag.attribute("action").unwrap_or_default();
                    open = Some(Form { action, ..Form::default() });
                }
                ("/form", _) => page.forms.extend(open.take()),
                ("input", Some(form)) => form.fields.extend(field(&tag)),
                ("button", Some(form)) => form.buttons.push(button(&tag, text)),
                _ => {}
            }
        }
        page
    }

    /// The form by which a person goes on: that of a sign-in is the one with the API token, and nobody signs out.
    pub(super) fn form(&self) -> Option<&Form> {
        let sign_in = self.forms.iter().find(|form| form.asks_for(FieldKind::Secret));
        sign_in.or_else(|| self.forms.iter().find(|form| form.action != SIGN_OUT))
    }
}

impl Form {
    /// What a person does with it before they press the button.
    pub(super) fn doing(&self) -> &'static str {
        if self.asks_for(FieldKind::Secret) {
            "signs in with the API token and presses"
        } else if self.asks_for(FieldKind::Text) {
            "types the code and presses"
        } else {
            "presses"
        }
    }

    fn asks_for(&self, kind: FieldKind) -> bool {
        self.fields.iter().any(|field| field.kind == kind)
    }

    /// What is sent when a person fills it in and presses the first button, which on every page here is yes.
    pub(super) fn filled_in(&self, typed: Typed<'_>) -> Vec<(String, String)> {
        let value = |field: &Field| match field.kind {
            FieldKind::Given => field.value.clone(),
            FieldKind::Secret => typed.secret.to_owned(),
            FieldKind::Text => typed.text.to_owned(),
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

/// Where a page is left for at once; one that is loaded again later waits for something.
fn onward(tag: &Tag<'_>) -> Option<String> {
    let refreshes = tag.attribute("http-equiv").is_some_and(|name| name == "refresh");
    let content = tag.attribute("content").filter(|_| refreshes)?;
    Some(content.strip_prefix("0;url=")?.to_owned())
}

/// A field that is sent; of a choice only the chosen one is.
fn field(tag: &Tag<'_>) -> Option<Field> {
    let name = tag.attribute("name")?;
    let value = tag.attribute("value").unwrap_or_default();
    let kind = match tag.attribute("type").as_deref() {
        Some("radio" | "checkbox") if !tag.has("checked") => return None,
        Some("password") => FieldKind::Secret,
        None | Some("text") if value.is_empty() => FieldKind::Text,
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

    const TYPED: Typed<'static> = Typed { secret: "gk_1", text: "BDWP-HQPK" };

    #[test]
    fn a_sign_in_is_filled_in() {
        let page = Page::read(
            r#"<!doctype html><title>Sign in · Grantkeeper</title><style>a>b{}</style>
            <form method="post" action="/sign-in"><label for="token">API token</label>
            <input id="token" name="token" type="password" autocomplete="off" required autofocus>
            <input type="hidden" name="return_to" value="/connect/1&amp;2">
            <button class="main" type="submit">Sign in</button></form>
            <form method="post" action="/sign-in/github"><button>Sign in with GitHub</button></form>"#,
        );
        assert_eq!(page.title, "Sign in · Grantkeeper");
        let form = page.form().expect("a form");
        assert_eq!(
            (form.action.as_str(), form.doing()),
            ("/sign-in", "signs in with the API token and presses")
        );
        assert_eq!(form.yes(), "Sign in");
        assert_eq!(form.filled_in(TYPED), pairs(&[("token", "gk_1"), ("return_to", "/connect/1&2")]));
    }

    #[test]
    fn of_a_choice_the_chosen_one_is_sent_and_yes_is_pressed() {
        let page = Page::read(
            r#"<form method="post"><input type="radio" name="user" value="1" checked> Ada
            <input type="radio" name="user" value="2"> Bo
            <button name="decision" value="approve">Approve</button><button name="decision" value="deny">Deny</button></form>"#,
        );
        let form = page.form().expect("a form");
        assert_eq!((form.action.as_str(), form.doing(), form.yes()), ("", "presses", "Approve"));
        assert_eq!(form.filled_in(TYPED), pairs(&[("user", "1"), ("decision", "approve")]));
    }

    #[test]
    fn a_code_is_typed_where_none_is_filled_in() {
        let asks = |value: &str| {
            Page::read(&format!(
                r#"<form method="post"><input id="c" name="code" value="{value}"><button>Go</button></form>"#
            ))
        };
        let (empty, filled) = (asks(""), asks("WDJB-MJHT"));
        let (empty, filled) = (empty.form().expect("a form"), filled.form().expect("a form"));
        assert_eq!((empty.doing(), filled.doing()), ("types the code and presses", "presses"));
        assert_eq!(empty.filled_in(TYPED), pairs(&[("code", "BDWP-HQPK")]));
        assert_eq!(filled.filled_in(TYPED), pairs(&[("code", "WDJB-MJHT")]));
    }

    #[test]
    fn nobody_goes_on_by_signing_out() {
        let page = Page::read(r#"<form method="post" action="/sign-out"><button>Sign out</button></form>"#);
        assert_eq!(page.form(), None);
    }

    #[test]
    fn a_message_has_no_form() {
        let page = Page::read("<title>Done &#38; over &#x2714;</title><h1>Done</h1>");
        assert_eq!(page, Page { title: "Done & over ✔".to_owned(), ..Page::default() });
    }

    #[test]
    fn a_page_is_left_at_once_or_waits() {
        let onward = |content: &str| {
            Page::read(&format!(
                r#"<meta name="viewport" content="0;url=/no"><meta http-equiv="refresh" content="{content}">"#
            ))
            .onward
        };
        assert_eq!(
            onward("0;url=https://idp.example/?a=1&#38;b=2").as_deref(),
            Some("https://idp.example/?a=1&b=2")
        );
        assert_eq!(onward("2"), None);
        assert_eq!(onward("5;url=/device"), None);
    }

    #[test]
    fn an_attribute_is_not_found_inside_another() {
        let page = Page::read(r#"<form><input data-name="no" name="yes" value="1"></form>"#);
        assert_eq!(page.form().expect("a form").filled_in(TYPED), pairs(&[("yes", "1")]));
    }

    #[test]
    fn a_lone_ampersand_stays() {
        assert_eq!(unescaped("a & b &c; &#xfffffff; &lt;"), "a & b &c; &#xfffffff; <");
    }
}
