//! Request parameters: `application/x-www-form-urlencoded`, in a query or in a body (RFC 6749 appendix B).

use std::collections::BTreeSet;

/// The parameters of one request. They hold secrets, therefore they have no `Debug`.
#[derive(Clone, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads a query string or a form body.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self { pairs: form_urlencoded::parse(encoded).into_owned().collect() }
    }

    /// The value of a parameter. One without a value counts as left out (RFC 6749 section 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// Whether a parameter comes more than once, which no request may do (RFC 6749 section 3.1).
    pub(crate) fn repeats(&self, name: &str) -> bool {
        self.iter().filter(|(key, _)| *key == name).count() > 1
    }

    /// Whether any parameter comes more than once.
    pub(crate) fn repeats_any(&self) -> bool {
        let names: BTreeSet<&str> = self.iter().map(|(key, _)| key).collect();
        names.len() < self.pairs.len()
    }

    /// All parameters, in the order sent.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Params {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self { pairs: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_values_count_as_left_out() {
        let params = Params::parse(b"code=&state=a+b%26");
        assert_eq!(params.get("code"), None);
        assert_eq!(params.get("state"), Some("a b&"));
    }

    #[test]
    fn repetition_is_noticed() {
        let params = Params::parse(b"scope=a&state=b&scope=a");
        assert!(params.repeats("scope") && params.repeats_any());
        assert!(!params.repeats("state"));
        assert!(!Params::parse(b"scope=a&state=a").repeats_any());
    }
}
