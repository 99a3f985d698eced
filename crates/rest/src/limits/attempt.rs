//! Wrong secrets: an address that has presented too many of them is refused before its next one is looked at.
//!
//! No rate of guessing finds a token of 122 random bits or more; what is limited is the load that guessing is for the store. A
//! good token is refused as well while its address is over the limit: else nobody would be kept from guessing on.

use actix_web::HttpRequest;
use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::ids::AccountId;
use grantkeeper_domain::secret::SecretHash;

use super::limiter::Limiter;
use super::{Address, Refused};
use crate::Api;
use crate::request_log::client;

const LIMIT: &str = "wrong_tokens_per_address";

/// An address that presents a token.
#[must_use = "a wrong token has to be counted"]
pub(crate) struct Attempt<'a> {
    api: &'a Api,
    /// Where a wrong one counts.
    limiter: Option<&'a Limiter<Address>>,
    address: Option<Address>,
}

impl<'a> Attempt<'a> {
    /// Begins, unless the address has presented too many wrong tokens.
    pub(crate) fn begin(api: &'a Api, request: &HttpRequest) -> Result<Self, Refused> {
        Self::unchecked(api, api.limits.wrong_tokens.as_ref(), request).checked()
    }

    /// Begins with an access token of a provider. They are counted apart: one that is stale, which many may share, must not
    /// shut out the API tokens of its address.
    pub(crate) fn with_token_of_provider(api: &'a Api, request: &HttpRequest) -> Result<Self, Refused> {
        Self::unchecked(api, api.limits.wrong_tokens_of_providers.as_ref(), request).checked()
    }

    /// Begins with the state or the session of a login. One that is known to be right may be presented at any time:
    /// clients do so once a second. One that is not may be known to another process: where the address is over its limit, as
    /// many are looked at as one client polls with, which is nothing to guess with.
    pub(crate) fn of_login(
        api: &'a Api,
        request: &HttpRequest,
        secret: &SecretHash,
    ) -> Result<Self, Refused> {
        let attempt = Self::unchecked(api, api.limits.wrong_tokens.as_ref(), request);
        if api.limits.recognized.has(secret) {
            return Ok(attempt);
        }
        match attempt.check() {
            Err(_) if attempt.is_late_look() => Ok(attempt),
            checked => checked.map(|()| attempt),
        }
    }

    fn unchecked(api: &'a Api, limiter: Option<&'a Limiter<Address>>, request: &HttpRequest) -> Self {
        Self { api, limiter, address: client(request).map(Address::from) }
    }

    fn checked(self) -> Result<Self, Refused> {
        self.check().map(|()| self)
    }

    fn check(&self) -> Result<(), Refused> {
        if let (Some(limiter), Some(address)) = (self.limiter, self.address)
            && limiter.knows(address)
        {
            let looked = limiter.look(address, self.api.clock.now());
            looked.map_err(|over| Refused::over(&over, LIMIT, format_args!("address {address}")))?;
        }
        Ok(())
    }

    fn is_late_look(&self) -> bool {
        let (limiter, now) = (self.api.limits.late_looks.as_ref(), self.api.clock.now());
        limiter.zip(self.address).is_some_and(|(limiter, address)| limiter.take(address, now).is_ok())
    }

    /// It was a wrong one.
    pub(crate) fn failed(self) {
        if let (Some(limiter), Some(address)) = (self.limiter, self.address) {
            // Attempts that began together may be more than were left: the next one is refused.
            let _ = limiter.take(address, self.api.clock.now());
        }
    }

    /// It was a right one.
    pub(crate) fn succeeded(self, secret: SecretHash) {
        recognize(self.api, secret);
    }
}

/// Takes note of the state or the session of a login that is right.
pub(crate) fn recognize(api: &Api, secret: SecretHash) {
    api.limits.recognized.note(secret);
}

/// A caller who names a token by its id: an account that has named too many that are not its own is refused before the
/// next one is looked for.
#[must_use = "a wrong id has to be counted"]
pub(crate) struct Naming<'a> {
    api: &'a Api,
    account: AccountId,
}

impl<'a> Naming<'a> {
    /// Begins, unless the account has named too many.
    pub(crate) fn begin(api: &'a Api, caller: &Caller) -> Result<Self, Refused> {
        let account = caller.account_id;
        if let Some(limiter) = &api.limits.wrong_ids
            && limiter.knows(account)
        {
            let looked = limiter.look(account, api.clock.now());
            looked.map_err(|over| Refused::over(&over, "wrong_ids", format_args!("account {account}")))?;
        }
        Ok(Self { api, account })
    }

    /// It was a wrong one.
    pub(crate) fn failed(self) {
        if let Some(limiter) = &self.api.limits.wrong_ids {
            let _ = limiter.take(self.account, self.api.clock.now());
        }
    }
}
