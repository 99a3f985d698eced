//! Scopes (RFC 6749, 3.3).

use std::collections::BTreeSet;

/// A set of scopes, in one canonical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Reads a list that is separated by white space or commas (some providers answer with commas).
    pub fn parse(text: &str) -> Self {
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|scope| !scope.is_empty()).collect()
    }

    /// Whether text is one scope: printable ASCII without space, `"`, `\` (RFC 6749, 3.3), and without a comma.
    pub fn is_scope(text: &str) -> bool {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b','))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the set has this scope.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// The scopes in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The scopes of this set that the other lacks.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// Separated by spaces, as requests carry them.
    pub fn to_wire(&self) -> String {
        self.iter().collect::<Vec<_>>().join(" ")
    }
}

impl<S: Into<String>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}
