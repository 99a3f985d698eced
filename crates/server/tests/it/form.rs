//! The forms on pages, as far as people fill them in here.

use url::form_urlencoded::Serializer;

/// What a form sends when one of its buttons is pressed.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The button of that value, and the hidden fields of the form that it stands in.
    pub(crate) fn on(html: &str, button: &str) -> Self {
        let mut forms = html.split("<form ").skip(1).filter_map(|form| form.split("</form>").next());
        let form = forms.find(|form| form.contains(&format!("value=\"{button}\"")));
        let form = form.unwrap_or_else(|| panic!("no button {button}: {html}"));
        let tags = form.split('<').filter_map(|tag| tag.split('>').next());
        let is_sent = |tag: &&str| {
            let is_hidden = tag.starts_with("input ") && attribute(tag, "type") == Some("hidden");
            let is_pressed = tag.starts_with("button ") && attribute(tag, "value") == Some(button);
            is_hidden || is_pressed
        };
        let field =
            |tag: &str| Some((attribute(tag, "name")?.to_owned(), attribute(tag, "value")?.to_owned()));
        Self(tags.filter(is_sent).filter_map(field).collect())
    }

    /// With one more field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Encoded as browsers do it.
    pub(crate) fn body(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split('"').next()
}
