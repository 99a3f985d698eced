//! The browser's cookies, as far as they go here (RFC 6265): by origin and path, until they are taken back.

/// What a browser keeps.
#[derive(Default)]
pub(super) struct CookieJar(Vec<Cookie>);

struct Cookie {
    origin: String,
    name: String,
    value: String,
    path: String,
}

impl CookieJar {
    /// Takes what an answer of that origin sets: the value of one `Set-Cookie` header.
    pub(super) fn take(&mut self, origin: &str, set_cookie: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let (mut path, mut is_gone) = ("/", false);
        for (attribute, value) in parts.filter_map(|part| part.split_once('=')) {
            match attribute.to_ascii_lowercase().as_str() {
                "path" => path = value,
                "max-age" => is_gone = value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                _ => {}
            }
        }
        self.0.retain(|kept| !(kept.origin == origin && kept.name == name && kept.path == path));
        if !is_gone {
            self.0.push(Cookie {
                origin: origin.to_owned(),
                name: name.to_owned(),
                value: value.to_owned(),
                path: path.to_owned(),
            });
        }
    }

    /// The `Cookie` header for a request, where there is something to send.
    pub(super) fn header(&self, origin: &str, path: &str) -> Option<String> {
        let fits = |cookie: &&Cookie| cookie.origin == origin && path_matches(path, &cookie.path);
        let pairs = self.0.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, cookie.value));
        let header = pairs.collect::<Vec<_>>().join("; ");
        (!header.is_empty()).then_some(header)
    }
}

/// RFC 6265, 5.1.4.
fn path_matches(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_back_to_their_origin_and_path() {
        let mut jar = CookieJar::default();
        jar.take("http://a", "session=1; Path=/; HttpOnly; SameSite=Lax");
        jar.take("http://a", "flow=2; HttpOnly; Path=/callback; Max-Age=600");
        assert_eq!(jar.header("http://a", "/connect/x").as_deref(), Some("session=1"));
        assert_eq!(jar.header("http://a", "/callback/p").as_deref(), Some("session=1; flow=2"));
        assert_eq!(jar.header("http://a", "/callbacks").as_deref(), Some("session=1"));
        assert_eq!(jar.header("http://b", "/callback/p"), None);
    }

    #[test]
    fn a_cookie_is_replaced_and_taken_back() {
        let mut jar = CookieJar::default();
        jar.take("http://a", "session=1; Path=/");
        jar.take("http://a", "session=2; Path=/");
        assert_eq!(jar.header("http://a", "/").as_deref(), Some("session=2"));
        jar.take("http://a", "session=; Path=/; Max-Age=0");
        assert_eq!(jar.header("http://a", "/"), None);
    }
}
