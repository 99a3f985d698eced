//! The provider itself: what it issued, and the rules of the protocols. No HTTP and no waiting in here.

mod authorization;
mod authorization_request;
mod clients;
mod code_grant;
mod device;
mod families;
mod issuing;
mod oauth_error;
mod personal_tokens;
mod pkce;
mod ready_grants;
mod redirect_uri;
mod refresh_grant;
mod revocation;
pub(crate) mod scopes;
#[cfg(test)]
mod testing;
mod token_endpoint;
mod userinfo;
mod users;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

pub(crate) use authorization::{AuthorizationAnswer, ConsentQuestion};
pub(crate) use clients::PresentedClient;
pub(crate) use device::DeviceAuthorizationAnswer;
pub(crate) use issuing::TokenAnswer;
pub(crate) use oauth_error::{ErrorCode, OAuthError};
pub(crate) use userinfo::{Access, UserinfoRefusal, claims};
pub(crate) use users::User;

use crate::clock::Clock;
use crate::dialect::Dialect;
use crate::faults::Faults;
use crate::id_token::SigningKeys;
use crate::params::Params;
use crate::place::Place;
use crate::secrets::IssuedSecrets;
use crate::settings::Settings;
use crate::stats::{FamilyStats, Stats};
use authorization_request::AuthorizationRequest;
use code_grant::AuthorizationCode;
use device::DeviceAuthorizations;
use families::Families;

/// The simulated provider.
pub(crate) struct Provider {
    pub(crate) place: Place,
    pub(crate) dialect: &'static Dialect,
    auto_consent: bool,
    clock: Arc<dyn Clock>,
    initial_settings: Settings,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    /// The calls so far; families and calls in flight are added when it is asked for.
    pub(crate) calls: Stats,
    pub(crate) keys: SigningKeys,
    secrets: IssuedSecrets,
    questions: HashMap<String, AuthorizationRequest>,
    codes: HashMap<String, AuthorizationCode>,
    devices: DeviceAuthorizations,
    families: Families,
}

/// What the user makes of a request for consent.
#[derive(Clone)]
pub(crate) enum Decision {
    /// This user agrees.
    Approve(User),
    /// The user refuses.
    Deny,
}

impl Provider {
    /// A provider that has issued nothing yet.
    pub(crate) fn new(
        place: Place,
        dialect: &'static Dialect,
        auto_consent: bool,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            place,
            dialect,
            auto_consent,
            clock,
            initial_settings: settings.clone(),
            settings,
            faults: Faults::default(),
            calls: Stats::default(),
            keys: SigningKeys::default(),
            secrets: IssuedSecrets::default(),
            questions: HashMap::new(),
            codes: HashMap::new(),
            devices: DeviceAuthorizations::default(),
            families: Families::default(),
        }
    }

    /// The time now by the provider's own clock, which may be wrong.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now() + TimeDelta::seconds(i64::from(self.settings.clock_skew))
    }

    /// The time in this many seconds.
    fn after(&self, seconds: u32) -> DateTime<Utc> {
        self.now() + TimeDelta::seconds(i64::from(seconds))
    }

    /// For how many seconds a refresh token works without being used. That of a GitHub App is a day shorter than that
    /// of an OAuth App ("Refreshing user access tokens").
    fn refresh_token_lifetime(&self) -> Option<u32> {
        let lifetime = self.settings.refresh_token_lifetime;
        lifetime.map(|lifetime| if self.settings.github_app { lifetime.min(15_811_200) } else { lifetime })
    }

    /// Forgets calls and faults and returns to the settings of the start. What was issued stays.
    pub(crate) fn reset(&mut self) {
        self.calls = Stats::default();
        self.faults.clear();
        self.settings = self.initial_settings.clone();
    }

    /// The calls so far and the families.
    pub(crate) fn stats(&self) -> Stats {
        let families =
            self.families.iter().map(|(id, family)| (id.to_string(), FamilyStats { alive: family.alive }));
        Stats { families: families.collect(), ..self.calls.clone() }
    }

    /// Every secret issued or received so far.
    pub(crate) fn issued_secrets(&self) -> Vec<String> {
        self.secrets.all().to_vec()
    }

    /// Remembers the secrets a client sent, whatever becomes of its call.
    pub(crate) fn note_sent_secrets(&mut self, params: &Params, client: Option<&PresentedClient>) {
        let secrets = [params.get("code_verifier"), params.get("client_secret")];
        let presented = client.and_then(PresentedClient::secret);
        secrets.into_iter().chain([presented]).flatten().for_each(|secret| self.secrets.note(secret));
    }
}
