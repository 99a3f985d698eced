//! What git wants credentials for.

use percent_encoding::percent_decode_str;
use url::Url;

use super::GitProtocolError;

/// What git wants credentials for, as far as it matters here. Whatever else git says is passed by: the user's name, since
/// the provider's type decides on that, what the server has asked for, and what newer versions of git can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialRequest {
    protocol: String,
    host: String,
    path: String,
}

/// Longer than anything git asks with.
const LONGEST: usize = 64 << 10;

impl CredentialRequest {
    /// How many bytes are to be read at most.
    pub const LIMIT: u64 = LONGEST as u64 + 1;

    /// Reads the lines up to the empty one.
    pub fn read(input: &[u8]) -> Result<Self, GitProtocolError> {
        if input.len() > LONGEST {
            return Err(GitProtocolError::TooLong);
        }
        let mut request = Self::default();
        for line in input.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()) {
            let equals = line.iter().position(|byte| *byte == b'=').ok_or(GitProtocolError::Line)?;
            request.take(&line[..equals], &line[equals + 1..])?;
        }
        Ok(request)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), GitProtocolError> {
        match key {
            b"protocol" => self.protocol = plain(value)?,
            b"host" => self.host = plain(value)?,
            b"path" => self.path = plain(value)?,
            // It stands for all of them.
            b"url" => *self = Self::of_url(&plain(value)?)?,
            _ => {}
        }
        Ok(())
    }

    /// As much as there is in a URL; nothing in what is none.
    fn of_url(text: &str) -> Result<Self, GitProtocolError> {
        let Ok(url) = Url::parse(text) else { return Ok(Self::default()) };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        // What was hidden behind a `%` ends no line either.
        let path: Vec<u8> = percent_decode_str(url.path().trim_start_matches('/')).collect();
        Ok(Self {
            protocol: url.scheme().to_owned(),
            host: url.host_str().map(|host| format!("{host}{port}")).unwrap_or_default(),
            path: plain(&path)?,
        })
    }

    /// The remote that is asked for, as the service takes it; `None`: one that is no business of the service.
    pub fn remote(&self) -> Option<Url> {
        let speaks_http = ["https", "http"].contains(&self.protocol.as_str());
        let is_host = !self.host.is_empty() && self.host.bytes().all(of_a_host);
        if !speaks_http || !is_host {
            return None;
        }
        let mut url = Url::parse(&format!("{}://{}", self.protocol, self.host)).ok()?;
        // Git has taken what was encoded out of the path. A backslash would be read as a slash.
        let path = self.path.replace('%', "%25").replace('\\', "%5C");
        url.set_path(&path);
        Some(url)
    }

    /// The host, for people.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// Domain names in ASCII, addresses and ports. What could be read as another host by somebody else is none: `@`, `\`, `%`,
/// and letters that are only made into a domain name.
fn of_a_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte)
}

/// A value that is one line and nothing more. What is no UTF-8 names no host and no path of ours, but is no mistake.
fn plain(value: &[u8]) -> Result<String, GitProtocolError> {
    if value.iter().any(u8::is_ascii_control) {
        return Err(GitProtocolError::ControlCharacter);
    }
    Ok(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn remote(input: &str) -> Option<String> {
        let request = CredentialRequest::read(input.as_bytes()).expect("lines");
        request.remote().map(String::from)
    }

    #[test]
    fn a_remote_is_protocol_host_and_path() {
        assert_eq!(remote("protocol=https\nhost=git.example\n\n").as_deref(), Some("https://git.example/"));
        assert_eq!(
            remote("protocol=https\nhost=git.example:8443\npath=acme/app.git\n").as_deref(),
            Some("https://git.example:8443/acme/app.git")
        );
        assert_eq!(remote("protocol=http\nhost=[::1]:80\n").as_deref(), Some("http://[::1]/"));
    }

    #[test]
    fn what_newer_versions_of_git_say_is_passed_by() {
        let input = "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=git.example\nusername=ada\n\
                     authtype=bearer\nwwwauth[]=Basic realm=\"a=b\"\nstate[]=other:1\nodd\u{7}=\u{7}\n\n";
        assert_eq!(remote(input).as_deref(), Some("https://git.example/"));
    }

    #[test]
    fn nothing_counts_behind_the_empty_line() {
        assert_eq!(
            remote("protocol=https\nhost=a.example\n\nhost=b.example\n").as_deref(),
            Some("https://a.example/")
        );
    }

    #[test]
    fn a_url_stands_for_its_parts() {
        assert_eq!(
            remote("path=old\nurl=https://ada:pw@git.example:8443/acme/app.git\n").as_deref(),
            Some("https://git.example:8443/acme/app.git")
        );
        assert_eq!(
            remote("url=https://a.example/x\nhost=b.example\n").as_deref(),
            Some("https://b.example/x")
        );
        assert_eq!(remote("protocol=https\nhost=a.example\nurl=cert:///path\n"), None);
    }

    #[test]
    fn only_what_takes_a_token_is_asked_for() {
        for input in [
            "",
            "protocol=https\n",
            "host=a.example\n",
            "protocol=ssh\nhost=a.example\n",
            "protocol=cert\nhost=\n",
        ] {
            assert_eq!(remote(input), None, "{input:?}");
        }
    }

    #[test]
    fn a_disguised_host_is_none() {
        for host in [
            "a.example@b.example",
            "a.example\\b",
            "a.example/b",
            "a%2eexample",
            "ａ.example",
            "a.example#",
            "a?b",
            "a b",
        ] {
            assert_eq!(remote(&format!("protocol=https\nhost={host}\n")), None, "{host}");
        }
    }

    #[test]
    fn a_path_is_encoded_again() {
        let encoded =
            |path: &str| remote(&format!("protocol=https\nhost=a.example\npath={path}\n")).expect("a remote");
        assert_eq!(encoded("my app?#%2F.git"), "https://a.example/my%20app%3F%23%252F.git");
        assert_eq!(encoded("a\\..\\b"), "https://a.example/a%5C..%5Cb");
    }

    #[test]
    fn values_are_one_line_and_steer_no_terminal() {
        for input in [
            "host=a.example\r\n",
            "path=a\0b\n",
            "protocol=https\u{1b}[2J\n",
            "url=https://a.example/x%0ahost=b.example\n",
        ] {
            let read = CredentialRequest::read(input.as_bytes());
            assert_eq!(read, Err(GitProtocolError::ControlCharacter), "{input:?}");
        }
        assert_eq!(CredentialRequest::read(b"host\n"), Err(GitProtocolError::Line));
        assert_eq!(CredentialRequest::read(&vec![b'='; LONGEST + 1]), Err(GitProtocolError::TooLong));
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(
            input in proptest::collection::vec(any::<u8>(), 0..200)
        ) {
            let _ = CredentialRequest::read(&input).map(|request| request.remote());
        }

        #[test]
        fn whatever_the_path_the_host_stays(path in "[^\u{0}-\u{1f}\u{7f}]{0,40}") {
            let input = format!("protocol=https\nhost=git.example\npath={path}\n");
            let remote = CredentialRequest::read(input.as_bytes()).expect("lines").remote().expect("a remote");
            prop_assert_eq!(remote.host_str(), Some("git.example"));
            prop_assert!(remote.query().is_none() && remote.fragment().is_none() && remote.username().is_empty());
        }
    }
}
