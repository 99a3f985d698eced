//! Where a site is, and what it says where it is.

/// The addresses of a site, none with a slash at the end.
///
/// The real ones stand in what the site says about itself and about its users; where a client or a browser goes next
/// has to be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where the simulator is: `http://127.0.0.1:41234`.
    pub(crate) origin: String,
    /// Where the site's pages are: `http://127.0.0.1:41234/github.com`.
    pub(crate) web: String,
    /// Where its API is: `http://127.0.0.1:41234/api.github.com`.
    pub(crate) api: String,
    /// How its pages call themselves: `https://github.com`.
    pub(crate) web_name: String,
    /// How its API calls itself: `https://api.github.com`.
    pub(crate) api_name: String,
    /// Its issuer identifier (RFC 8414 section 2).
    pub(crate) issuer: String,
}
