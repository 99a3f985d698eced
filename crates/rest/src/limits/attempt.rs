//! Wrong tokens: an address that has presented too many of them is refused before its next one is looked at.
//!
//! No rate of guessing finds a token of 190 random bits; what is limited is the load that guessing is for the store. A
//! good token is refused as well while its address is over the limit: else nobody would be kept from guessing on.

use actix_web::HttpRequest;

use super::{Address, Refused};
use crate::Api;
use crate::request_log::client;

const LIMIT: &str = "wrong_tokens_per_address";

/// An address that presents a token.
#[must_use = "a wrong token has to be counted"]
pub(crate) struct Attempt<'a> {
    api: &'a Api,
    address: Option<Address>,
}

impl<'a> Attempt<'a> {
    /// Begins, unless the address has presented too many wrong tokens.
    pub(crate) fn begin(api: &'a Api, request: &HttpRequest) -> Result<Self, Refused> {
        let address = client(request).map(Address::from);
        if let (Some(limiter), Some(address)) = (&api.limits.wrong_tokens, address)
            && limiter.knows(address)
        {
            let looked = limiter.look(address, api.clock.now());
            looked.map_err(|over| Refused::over(&over, LIMIT, format_args!("address {address}")))?;
        }
        Ok(Self { api, address })
    }

    /// It was a wrong one.
    pub(crate) fn failed(self) {
        if let (Some(limiter), Some(address)) = (&self.api.limits.wrong_tokens, self.address) {
            // Attempts that began together may be more than were left: the next one is refused.
            let _ = limiter.take(address, self.api.clock.now());
        }
    }
}
