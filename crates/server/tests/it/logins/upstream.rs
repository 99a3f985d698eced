//! The providers at which people sign in, and the people.

use grantkeeper_provider_simulator::{Simulator, SimulatorOptions};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::callers::client;
use crate::form::Form;
use crate::openid_provider::OpenIdProvider;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A provider at which people sign in.
pub(crate) enum Upstream {
    /// npm `oidc-provider`.
    Real(Box<OpenIdProvider>),
    /// The simulated one, in the test's own process.
    Simulated(Simulator),
}

/// Somebody who refuses whatever they are asked.
pub(crate) const REFUSER: &str = "deny";

impl Upstream {
    /// npm `oidc-provider`, whose device codes live that many seconds. `None` where it is not installed.
    pub(crate) async fn real(device_codes: u32) -> Option<Self> {
        let lifetime = device_codes.to_string();
        Some(Self::Real(Box::new(OpenIdProvider::start(&[("DEVICE_TTL", &lifetime)]).await?)))
    }

    /// The simulated one. Devices wait for a decision, and poll every second.
    pub(crate) fn simulated(device_codes: u32) -> Self {
        let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
        simulator.update_settings(|settings| {
            settings.device_interval = Some(1);
            settings.device_code_lifetime = device_codes;
        });
        Self::Simulated(simulator)
    }

    /// The simulated provider, which this has to be.
    pub(crate) fn simulator(&self) -> &Simulator {
        match self {
            Self::Real(_) => panic!("this is npm oidc-provider"),
            Self::Simulated(simulator) => simulator,
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        match self {
            Self::Real(provider) => &provider.issuer,
            Self::Simulated(simulator) => simulator.url(),
        }
    }

    /// A person signs in on the provider's page, and consents unless they are [`REFUSER`]; returns where their browser is sent.
    pub(crate) async fn sign_in(&self, page: &str, person: &str) -> String {
        match self {
            Self::Real(provider) => provider.log_in(page, person).await,
            Self::Simulated(_) => decide_on_page(page, person).await,
        }
    }

    /// A person types the user code; whether that was of any use.
    pub(crate) async fn decides(&self, user_code: &str, person: &str) -> bool {
        let denies = person == REFUSER;
        match self {
            Self::Real(provider) => {
                let body = json!({ "user_code": user_code, "account": person, "deny": denies });
                provider.control("device", &body).await["ok"] == true
            }
            Self::Simulated(simulator) => {
                let decision = if denies { "deny" } else { "approve" };
                let body = json!({ "userCode": user_code, "decision": decision, "sub": person });
                let request = client().post(format!("{}/control/device", simulator.url()));
                request.body(body.to_string()).send().await.unwrap().status() == StatusCode::NO_CONTENT
            }
        }
    }

    /// The next poll of a device is told to slow down.
    pub(crate) async fn slows_down(&self) {
        match self {
            Self::Real(provider) => {
                let body = json!({ "error": "slow_down" }).to_string();
                let headers = json!({ "content-type": "application/json" });
                let fault = json!({ "route": "token", "grant": DEVICE_GRANT, "status": 400, "headers": headers, "body": body });
                provider.control("faults", &fault).await;
            }
            Self::Simulated(simulator) => {
                simulator.update_settings(|settings| settings.slow_down_polls = 1);
            }
        }
    }

    /// How often devices have polled.
    pub(crate) async fn polls(&self) -> u64 {
        match self {
            Self::Real(provider) => provider.token_calls(DEVICE_GRANT).await.0,
            Self::Simulated(simulator) => {
                let calls = simulator.stats().token_calls;
                calls.iter().filter(|call| call.grant.as_deref() == Some(DEVICE_GRANT)).count() as u64
            }
        }
    }

    /// An access token that somebody has given to a client of the provider.
    pub(crate) async fn access_token(&self, client_id: &str, person: &str) -> String {
        let scope = "openid profile email";
        let token = match self {
            Self::Real(provider) => {
                let order = json!({ "client_id": client_id, "account": person, "scope": scope });
                provider.control("token", &order).await["access_token"].clone()
            }
            Self::Simulated(simulator) => {
                let order = json!({ "clientId": client_id, "scope": scope, "sub": person });
                let request = client().post(format!("{}/control/grants", simulator.url()));
                let given = request.body(order.to_string()).send().await.unwrap().text().await.unwrap();
                serde_json::from_str::<Value>(&given).unwrap()["grants"][0]["accessToken"].clone()
            }
        };
        token.as_str().unwrap().to_owned()
    }
}

/// On the simulated provider's page, which asks.
async fn decide_on_page(page: &str, person: &str) -> String {
    let http = client();
    let shown = http.get(page).send().await.unwrap().text().await.unwrap();
    let decision = if person == REFUSER { "deny" } else { "approve" };
    let form = Form::on(&shown, decision).with("user", person);
    let decided = http.post(page).body(form.body()).send().await.unwrap();
    decided.headers()["location"].to_str().unwrap().to_owned()
}
