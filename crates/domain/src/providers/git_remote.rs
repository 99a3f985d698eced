//! Git remotes, and the places where providers have their repositories.

use std::fmt;

use url::Url;

use super::{Provider, ProviderKind};

/// What git knows a repository by (`git help clone`, "GIT URLS"), or as much of it as git tells a credential helper: the host
/// without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitRemote {
    transport: Transport,
    place: Place,
}

/// A place where repositories are: a host, and what their paths begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHost {
    /// Whether it speaks plain http, which only a loopback address may.
    is_plain: bool,
    place: Place,
}

/// The places where an organization says that a provider's repositories are. Where it says nothing, they are where the type
/// and the host of the provider tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitHosts(Vec<GitHost>);

/// How git gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Https,
    Http,
    Ssh,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// In lower case, a domain name in ASCII, without a dot at the end.
    host: String,
    /// As it was given; `None`: that of the transport.
    port: Option<u16>,
    /// The segments of the path, without `.git` behind the last.
    path: Vec<String>,
}

/// How well a place fits to a remote; the greater fits better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// The remote has no path, so that it may be meant.
    ByHost,
    /// So many segments of the path are the same, and that is all that the place has.
    ByPath(usize),
}

/// Why a text is no remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitRemoteError {
    /// Empty, too long, or with characters that no remote has.
    #[error(
        "is not a git remote; give one such as https://git.example/acme/app.git or git@git.example:acme/app.git"
    )]
    Malformed,
    /// A transport that nobody signs in for.
    #[error("is a git remote of a kind that takes no token; give one that begins with https:// or ssh://")]
    Transport,
}

/// Why a text is no place of repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitHostError {
    /// Not `host`, `host:port` or one of them with a path behind it.
    #[error("must be a host, with a port and the beginning of a path where need be: git.example:8443/acme")]
    Malformed,
    /// Plain http, and not on this machine.
    #[error(
        "speaks plain http, which is for loopback addresses only: a token would be there for everybody to read"
    )]
    PlainHttp,
}

/// Longer than any remote; git itself sets no limit.
const LONGEST: usize = 2048;

/// Hosts that speak ssh for another on the port of https
/// (<https://docs.github.com/en/authentication/troubleshooting-ssh/using-ssh-over-the-https-port>,
/// <https://docs.gitlab.com/user/ssh/>, <https://support.atlassian.com/bitbucket-cloud/docs/configure-ssh-and-two-step-verification/>).
const SSH_ALIASES: [(&str, &str); 3] = [
    ("ssh.github.com", "github.com"),
    ("altssh.gitlab.com", "gitlab.com"),
    ("altssh.bitbucket.org", "bitbucket.org"),
];

impl GitRemote {
    /// Reads a remote in any spelling that git takes for one that has to be signed in for: `https://`, `ssh://`, `host:path`;
    /// and a bare host or `host/path`, as https.
    pub fn parse(text: &str) -> Result<Self, GitRemoteError> {
        let text = text.trim();
        if text.len() > LONGEST || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(GitRemoteError::Malformed);
        }
        let (transport, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Transport::of(scheme)?, rest.to_owned()),
            None => without_scheme(text),
        };
        let place = Place::parse(&rest).ok_or(GitRemoteError::Malformed)?;
        Ok(Self { transport, place })
    }
}

#[cfg(any(test, feature = "fuzz"))]
impl GitRemote {
    /// Whether both are at one host.
    pub(crate) fn is_at_host_of(&self, other: &Self) -> bool {
        self.place.host == other.place.host
    }
}

impl Transport {
    fn of(scheme: &str) -> Result<Self, GitRemoteError> {
        match scheme.to_ascii_lowercase().as_str() {
            "https" => Ok(Self::Https),
            "http" => Ok(Self::Http),
            "ssh" | "git+ssh" | "ssh+git" => Ok(Self::Ssh),
            _ => Err(GitRemoteError::Transport),
        }
    }
}

/// `[user@]host:path`, as ssh's `scp` writes it, `host:port`, as git writes it, or `host/path`.
fn without_scheme(text: &str) -> (Transport, String) {
    let authority_end = text.find('/').unwrap_or(text.len());
    // An IPv6 address is in brackets, and nothing else is.
    let is_address = |at: &usize| !text[..*at].contains(':') && (*at == 0 || text[..*at].ends_with('@'));
    let address = text[..authority_end].find('[').filter(is_address);
    let address_end = address.and_then(|at| text[at..authority_end].find(']').map(|end| at + end + 1));
    let address_end = address_end.unwrap_or(0);
    let colon = text[address_end..authority_end].find(':').map(|at| at + address_end);
    match colon.map(|at| (&text[..at], &text[at + 1..])) {
        // Only where nothing follows: `host:1234/app` is a path that begins with a number.
        Some((_, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Transport::Https, text.to_owned())
        }
        Some((host, path)) => (Transport::Ssh, format!("{host}/{}", path.trim_start_matches('/'))),
        None => (Transport::Https, text.to_owned()),
    }
}

impl Place {
    /// Reads `[user@]host[:port][/path]`.
    fn parse(text: &str) -> Option<Self> {
        let authority = text.split('/').next()?;
        // What a URL parser would take for a host in disguise is none.
        if authority.is_empty() || !authority.is_ascii() || authority.contains(['%', '?', '#']) {
            return None;
        }
        // Whatever the transport: what counts is a host and a path, with `..` taken out.
        let url = Url::parse(&format!("https://{text}")).ok()?;
        let host = url.host_str()?;
        let host = host.strip_suffix('.').unwrap_or(host).to_owned();
        let path = url.path_segments()?.filter(|segment| !segment.is_empty()).map(decoded);
        let place = Self { host, port: named_port(authority), path: path.collect::<Option<_>>()? };
        // A host with an empty label would be another one when it is read again.
        let has_labels = place.host.split('.').all(|label| !label.is_empty());
        let is_plain = has_labels && !place.path.iter().any(|segment| hides_separator(segment));
        is_plain.then(|| place.without_suffix())
    }

    fn without_suffix(mut self) -> Self {
        while let Some(name) = self.path.pop() {
            let bare = name.trim_end_matches(".git");
            if !bare.is_empty() {
                let name = if is_dots(bare) { &name } else { bare };
                self.path.push(name.to_owned());
                break;
            }
        }
        self
    }
}

/// The segment with those characters as themselves that need not be encoded (RFC 3986, 6.2.2.2), for servers take both for the
/// same; `None`: a `%` in it encodes nothing.
fn decoded(segment: &str) -> Option<String> {
    let mut parts = segment.split('%');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let character = char::from(u8::from_str_radix(digits, 16).ok()?);
        if character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_' | '~') {
            decoded.push(character);
        } else {
            decoded.extend(['%'].into_iter().chain(digits.chars()));
        }
        decoded.push_str(&part[2..]);
    }
    Some(decoded)
}

/// Whether it would not name anything by itself (RFC 3986, 5.2.4), however the dots are written.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Whether a server may see more than one segment in it.
fn hides_separator(segment: &str) -> bool {
    let segment = segment.to_ascii_lowercase();
    segment.contains("%2f") || segment.contains("%5c")
}

/// The port as it was written: a URL parser forgets the one that it thinks usual.
fn named_port(authority: &str) -> Option<u16> {
    let (_, port) = authority.rsplit_once(':')?;
    port.parse().ok()
}

impl GitHost {
    /// Reads `host[:port][/path]`, with `https://` before it if need be, or with `http://` for a loopback address.
    pub fn parse(text: &str) -> Result<Self, GitHostError> {
        let text = text.trim();
        let (is_plain, rest) = match text.split_once("://") {
            None => (false, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (true, rest),
            Some(_) => return Err(GitHostError::Malformed),
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '@' | '?' | '#');
        let place = Place::parse(rest).filter(|_| rest.len() <= LONGEST && !rest.contains(odd));
        let place = place.ok_or(GitHostError::Malformed)?;
        if is_plain && !place.is_loopback() {
            return Err(GitHostError::PlainHttp);
        }
        Ok(Self { is_plain, place })
    }

    /// How well this is the place of that remote; `None`: it is not.
    pub(crate) fn fit(&self, remote: &GitRemote) -> Option<Fit> {
        (self.has_host(remote) && self.has_port(remote)).then(|| self.place.fit(&remote.place))?
    }

    fn has_host(&self, remote: &GitRemote) -> bool {
        let host = remote.place.host.as_str();
        let alias =
            SSH_ALIASES.iter().find(|(alias, _)| remote.transport == Transport::Ssh && *alias == host);
        self.place.host == alias.map_or(host, |(_, of)| of)
    }

    /// A server of ssh beside the web server has a port of its own, which tells nothing. A token that is meant for https is
    /// not for the same host by plain http.
    fn has_port(&self, remote: &GitRemote) -> bool {
        let port = |usual| self.place.port.unwrap_or(usual) == remote.place.port.unwrap_or(usual);
        match remote.transport {
            Transport::Ssh => true,
            Transport::Https => !self.is_plain && port(443),
            Transport::Http => self.is_plain && port(80),
        }
    }
}

impl Place {
    fn is_loopback(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Letter case tells nothing apart at the providers that there are.
    fn fit(&self, remote: &Self) -> Option<Fit> {
        if remote.path.is_empty() && !self.path.is_empty() {
            return Some(Fit::ByHost);
        }
        let mut both = self.path.iter().zip(&remote.path);
        let is_beginning =
            self.path.len() <= remote.path.len() && both.all(|(own, its)| own.eq_ignore_ascii_case(its));
        is_beginning.then_some(Fit::ByPath(self.path.len()))
    }
}

impl fmt::Display for GitHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_plain, place: Place { host, port, path } } = self;
        if *is_plain {
            f.write_str("http://")?;
        }
        f.write_str(host)?;
        if let Some(port) = port {
            write!(f, ":{port}")?;
        }
        path.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

impl GitHosts {
    /// Reads each; the error is of the first that is none.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, GitHostError> {
        texts.into_iter().map(|text| GitHost::parse(text.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Each of them, as [`Self::parse`] reads it.
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(GitHost::to_string).collect()
    }
}

impl Provider {
    /// How well a remote fits to the places where this provider's repositories are; `None`: it is not there.
    pub(crate) fn fit(&self, remote: &GitRemote) -> Option<Fit> {
        self.places().iter().filter_map(|place| place.fit(remote)).max()
    }

    /// Where this provider's repositories are.
    fn places(&self) -> Vec<GitHost> {
        if !self.git_hosts.0.is_empty() {
            return self.git_hosts.0.clone();
        }
        match self.kind {
            ProviderKind::Github | ProviderKind::Gitlab | ProviderKind::Bitbucket => {
                let registered = self.host.as_deref().and_then(|host| GitHost::parse(host).ok());
                let named = || self.host_name().and_then(|name| GitHost::parse(&name).ok());
                registered.or_else(named).into_iter().collect()
            }
            ProviderKind::Google
            | ProviderKind::Box
            | ProviderKind::Microsoft
            | ProviderKind::Oidc
            | ProviderKind::Test => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
