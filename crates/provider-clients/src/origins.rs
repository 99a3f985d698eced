//! Where the well-known hosts are: in the Internet, or all of them at the simulator.

use url::Url;

use crate::registration::BaseUrl;

/// Turns the name of a well-known host into the address that is called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    simulator: Option<String>,
}

impl Origins {
    /// The hosts themselves.
    pub(crate) fn real() -> Self {
        Self::default()
    }

    /// The simulator plays all of them: each lives under a path that is its name.
    pub(crate) fn simulated(simulator: &Url) -> Self {
        Self { simulator: Some(simulator.as_str().trim_end_matches('/').to_owned()) }
    }

    /// The base of a host, which is a constant or comes from a URL that was parsed.
    pub(crate) fn base(&self, host: &str) -> BaseUrl {
        match &self.simulator {
            Some(simulator) => BaseUrl::trusted(&format!("{simulator}/{host}")),
            None => BaseUrl::trusted(&format!("https://{host}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_itself_or_a_path_of_the_simulator() {
        assert_eq!(Origins::real().base("github.com").at("/login").as_str(), "https://github.com/login");
        let simulator = Url::parse("http://127.0.0.1:4000/").unwrap();
        let base = Origins::simulated(&simulator).base("github.com");
        assert_eq!(base.at("/login").as_str(), "http://127.0.0.1:4000/github.com/login");
    }
}
