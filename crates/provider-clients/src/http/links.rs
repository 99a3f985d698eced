//! Links in the header of an answer (RFC 8288).

use reqwest::header::{HeaderMap, LINK};

/// The target of the first link with this relation type.
pub(crate) fn link_to<'a>(headers: &'a HeaderMap, relation: &str) -> Option<&'a str> {
    let fields = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| split(field, ',')).find_map(|link| target(link, relation))
}

/// The target of a link, if it has this relation type. Only the first `rel` counts (RFC 8288, 3.3).
fn target<'a>(link: &'a str, relation: &str) -> Option<&'a str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let mut parameters = split(parameters, ';').filter_map(|parameter| parameter.split_once('='));
    let (_, types) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))?;
    let mut types = types.trim().trim_matches('"').split_ascii_whitespace();
    types.any(|kind| kind.eq_ignore_ascii_case(relation)).then_some(target)
}

/// Where in a field a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Target,
    Quotes,
    /// Behind a backslash in quotes.
    Escape,
}

/// Splits a field where the separator separates: not in a target and not in quotes.
fn split(field: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut within = Within::Nothing;
    field.split(move |letter| {
        within = match (within, letter) {
            (Within::Nothing, '<') => Within::Target,
            (Within::Quotes, '\\') => Within::Escape,
            (Within::Nothing, '"') | (Within::Escape, _) => Within::Quotes,
            (Within::Target, '>') | (Within::Quotes, '"') => Within::Nothing,
            (within, _) => within,
        };
        within == Within::Nothing && letter == separator
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn next(fields: &[&str]) -> Option<String> {
        let field = |field: &&str| (LINK, HeaderValue::from_str(field).unwrap());
        let headers: HeaderMap = fields.iter().map(field).collect();
        link_to(&headers, "next").map(str::to_owned)
    }

    #[test]
    fn the_relation_tells_which_link_it_is() {
        let url = "https://api.example/list?per_page=100&page=2";
        for field in [
            format!("<{url}>; rel=\"next\""),
            format!("<{url}>;rel=next"),
            format!("<{url}> ; title=\"x\" ; REL = \"prev Next\""),
            format!("<https://api.example/list?page=5>; rel=\"last\", <{url}>; rel=\"next\""),
            format!("<{url}>; rel=\"next\", <https://api.example/list?page=5>; rel=\"last\""),
            format!("<{url}>; title=\"a; \\\"b, <c>\"; rel=\"next\""),
            format!(
                "<https://api.example/>; title=\"a, <b>; rel=next\"; rel=\"last\", <{url}>; rel=\"next\""
            ),
        ] {
            assert_eq!(next(&[&field]).as_deref(), Some(url), "{field}");
        }
        assert_eq!(next(&["<https://a.example/>; rel=last", "<b?x>; rel=next"]).as_deref(), Some("b?x"));
    }

    #[test]
    fn separators_may_be_a_part_of_the_target() {
        for url in ["https://api.example/list?ids=1,2;3&page=2", "https://api.example/a,<b?;rel=last"] {
            assert_eq!(next(&[&format!("<{url}>; rel=\"next\"")]).as_deref(), Some(url));
        }
    }

    #[test]
    fn what_is_no_such_link_is_none() {
        for field in [
            "",
            "nonsense",
            "<https://api.example/",
            "rel=\"next\"",
            "<https://api.example/>",
            "<https://api.example/>; rel",
            "<https://api.example/>; rel=\"nextish\"",
            "<https://api.example/>; rel=last; rel=next",
            "<https://api.example/>; title=\"rel=next",
        ] {
            assert_eq!(next(&[field]), None, "{field}");
        }
        assert_eq!(next(&[]), None);
    }
}
