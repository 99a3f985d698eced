//! Query strings, read strictly: what comes twice is ambiguous and therefore wrong.

use std::borrow::Cow;

use actix_web::HttpRequest;

/// The parameters of a query string.
pub(crate) struct Query<'r>(Vec<(Cow<'r, str>, Cow<'r, str>)>);

/// A parameter that may come once came more often.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

impl<'r> Query<'r> {
    pub(crate) fn of(request: &'r HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    fn parse(text: &'r str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).collect())
    }

    /// The value of a parameter that may come once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// The values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_in_both_spellings() {
        let query = Query::parse("ids=a&ids=b,c&ids=&x=1");
        assert_eq!(query.list("ids"), ["a", "b", "c"]);
        assert_eq!(query.list("none"), [""; 0]);
    }

    #[test]
    fn what_comes_twice_is_wrong() {
        assert_eq!(Query::parse("state=a&state=b").one("state"), Err(Repeated));
        assert_eq!(Query::parse("state=a%20b").one("state"), Ok(Some("a b")));
        assert_eq!(Query::parse("").one("state"), Ok(None));
    }
}
