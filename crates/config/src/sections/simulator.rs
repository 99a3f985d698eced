//! `[simulator]`: the built-in simulated provider, for trying things out.

use std::net::{Ipv4Addr, SocketAddr};

use super::public_url::PublicUrl;
use crate::reader::Reader;

const ENABLED: &str = "simulator.enabled";
const PLAYS_EVERYONE: &str = "simulator.plays_everyone";

/// The simulated provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the file")]
pub struct Simulator {
    /// Whether it runs, and the provider type `test` exists.
    pub enabled: bool,
    /// Its address, on this machine only.
    pub listen: SocketAddr,
    /// Whether it approves without asking.
    pub auto_consent: bool,
    /// Whether it plays the providers in the cloud as well, so that none of them is ever asked.
    pub plays_everyone: bool,
    /// Whether it may run beside a public address.
    pub allow_with_public_url: bool,
}

impl Default for Simulator {
    fn default() -> Self {
        Self {
            enabled: false,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9_099)),
            auto_consent: false,
            plays_everyone: false,
            allow_with_public_url: false,
        }
    }
}

impl Simulator {
    pub(crate) fn read(reader: &mut Reader, public_url: Option<&PublicUrl>) -> Self {
        let default = Self::default();
        let read = Self {
            enabled: reader.switch(ENABLED).unwrap_or(default.enabled),
            listen: reader.parsed("simulator.listen", loopback_address).unwrap_or(default.listen),
            auto_consent: reader.switch("simulator.auto_consent").unwrap_or(default.auto_consent),
            plays_everyone: reader.switch(PLAYS_EVERYONE).unwrap_or(default.plays_everyone),
            allow_with_public_url: reader
                .switch("simulator.allow_with_public_url")
                .unwrap_or(default.allow_with_public_url),
        };
        let public = public_url.is_some_and(|url| !url.is_loopback());
        if read.enabled && public && !read.allow_with_public_url {
            reader.problem(
                ENABLED,
                "it approves anybody, and public_url is not on this machine; switch it off, or set \
                 simulator.allow_with_public_url = true as well if that is what you want",
            );
        }
        if read.plays_everyone && !read.enabled {
            reader.problem(
                PLAYS_EVERYONE,
                "the providers in the cloud are played by the simulator, and it is switched off; switch both on, with \
                 simulator.enabled = true, or neither",
            );
        }
        read
    }
}

fn loopback_address(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        _ => Err(format!(
            "{text:?} is not an address of this machine with a port; give one such as 127.0.0.1:9099"
        )),
    }
}
