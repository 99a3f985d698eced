//! Lists of scopes (RFC 6749 section 3.3).

/// Splits a scope parameter; some clients separate by commas, which no scope of ours contains.
pub(super) fn parse(scope: Option<&str>) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in scope.unwrap_or_default().split([' ', ',']).filter(|scope| !scope.is_empty()) {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

/// Whether a scope is in the list.
pub(crate) fn contains(scopes: &[String], scope: &str) -> bool {
    scopes.iter().any(|known| known == scope)
}

/// Whether two lists have the same scopes, in whatever order.
pub(super) fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|scope| contains(other, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_keep_their_order_and_come_once() {
        assert_eq!(parse(Some("openid  email,profile openid")), ["openid", "email", "profile"]);
        assert!(parse(None).is_empty());
    }
}
