//! Query strings, read strictly: what comes twice is ambiguous and therefore wrong, and what is not UTF-8 is refused
//! where lenient readers would replace it.

use std::borrow::Cow;

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;

/// The parameters of a query string. Some are secrets, so it is not for showing.
pub(crate) struct Query(Vec<(String, String)>);

/// A parameter is not UTF-8 in percent-encoding (RFC 3986, 2.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnreadableParameter {
    /// Its name; `None` where that is what cannot be read.
    pub(crate) name: Option<String>,
}

/// A parameter that may come once came more often.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

impl Query {
    /// The first parameter that cannot be read makes all of it unreadable, whether anybody asks for it or not.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, UnreadableParameter> {
        Self::parse(request.query_string())
    }

    fn parse(text: &str) -> Result<Self, UnreadableParameter> {
        text.split('&').filter(|pair| !pair.is_empty()).map(parameter).collect::<Result<_, _>>().map(Self)
    }

    /// The value of a parameter that may come once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// The values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The items of a list: repeated, separated by commas, or both. Empty items do not count.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.all(name)
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect()
    }
}

fn parameter(pair: &str) -> Result<(String, String), UnreadableParameter> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = decoded(name).ok_or(UnreadableParameter { name: None })?;
    match decoded(value) {
        Some(value) => Ok((name, value)),
        None => Err(UnreadableParameter { name: Some(name) }),
    }
}

/// Text as forms encode it, with `+` for a space. `None` for escapes that are broken, or are not UTF-8 together.
fn decoded(text: &str) -> Option<String> {
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    // The decoder would let a broken escape stand for itself.
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    #[test]
    fn lists_come_in_both_spellings() {
        let query = query("ids=a&ids=b,c&ids=&x=1");
        assert_eq!(query.list("ids"), ["a", "b", "c"]);
        assert_eq!(query.list("none"), [""; 0]);
    }

    #[test]
    fn what_comes_twice_is_wrong() {
        assert_eq!(query("state=a&state=b").one("state"), Err(Repeated));
        assert_eq!(query("state=a").one("state"), Ok(Some("a")));
        assert_eq!(query("").one("state"), Ok(None));
    }

    #[test]
    fn escapes_are_read_in_names_and_values() {
        let query = query("&&st%61te=a%20b+c%2B%3D%F0%9F%A6%80=%3d&empty&x=");
        assert_eq!(query.one("state"), Ok(Some("a b c+=🦀==")));
        assert_eq!(query.one("empty"), Ok(Some("")));
        assert_eq!(query.one("x"), Ok(Some("")));
    }

    #[test]
    fn what_is_not_utf_8_is_refused_by_name() {
        for value in ["%ff", "a%", "%f", "%zz", "%+1", "%é", "%F0%9F%A6", "%ED%A0%80"] {
            let refused = Query::parse(&format!("x=1&st%61te={value}")).err().unwrap();
            assert_eq!(refused.name.as_deref(), Some("state"), "{value}");
            assert_eq!(Query::parse(&format!("{value}=1")).err().unwrap().name, None, "{value}");
        }
    }
}
