//! What every provider client has to do, whatever its type: one suite over every deployment and the simulator's site
//! that plays it.

mod audiences;
mod codes;
mod devices;
mod identities;
mod installations;
mod refreshes;
mod registered;
mod revocations;
mod trouble;

use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    CodeExchange, ExpectedUser, ProviderConnection, RefreshRequest, TokenSet, UpstreamError,
};
use grantkeeper_provider_simulator::{Settings, Site};

use crate::deployments::{self, Deployment};
use crate::person::{self, Consent};
use crate::world::{CLIENT_SECRET, World, connection, exchange, secret};

/// Who agrees unless it matters.
const ALICE: &str = "alice";

/// A registered client and the provider that it is registered at.
struct Case<'a> {
    world: &'a World,
    deployment: &'static Deployment,
    site: Site<'a>,
}

/// Runs the whole suite.
async fn provider_contract(deployment: &'static Deployment) {
    let world = World::at(deployment).await;
    let case = Case { world: &world, deployment, site: world.site(deployment) };
    case.registration_tells_what_there_is();
    case.codes().await;
    case.refreshes().await;
    case.identities().await;
    case.audiences().await;
    case.revocations().await;
    case.trouble().await;
    case.devices().await;
    case.installations().await;
}

impl Case<'_> {
    /// A provider in a good mood, that has forgotten its calls.
    fn fresh(&self) {
        self.site.reset();
        self.world.be_an_app_or_not(self.deployment);
    }

    fn set(&self, change: impl FnOnce(&mut Settings)) {
        self.site.update_settings(change);
    }

    fn connection(&self) -> ProviderConnection {
        self.connection_with(CLIENT_SECRET)
    }

    fn connection_with(&self, client_secret: &str) -> ProviderConnection {
        connection(self.world.endpoints.clone(), client_secret)
    }

    fn scopes(&self) -> Scopes {
        self.world.scopes.clone()
    }

    /// Somebody agrees at this client's page.
    async fn consent(&self, connection: &ProviderConnection, login: &str) -> Consent {
        person::consents(&*self.world.client, &connection.client, login, &self.scopes()).await
    }

    /// A code that is good.
    async fn code(&self, login: &str) -> CodeExchange {
        exchange(&self.consent(&self.connection(), login).await, &self.connection().client, self.scopes())
    }

    async fn redeem(&self, exchange: &CodeExchange) -> Result<TokenSet, UpstreamError> {
        self.world.client.exchange_code(&self.connection(), exchange).await
    }

    /// Tokens that can be trusted.
    async fn tokens(&self, login: &str) -> TokenSet {
        self.tokens_for(&self.connection(), login).await
    }

    async fn tokens_for(&self, connection: &ProviderConnection, login: &str) -> TokenSet {
        let exchange = exchange(&self.consent(connection, login).await, &connection.client, self.scopes());
        let redeemed = self.world.client.exchange_code(connection, &exchange).await;
        let tokens = redeemed.unwrap_or_else(|error| panic!("no tokens: {error}"));
        assert_eq!(tokens.distrust, None);
        tokens
    }

    /// A refresh token that is good.
    async fn refresh_token(&self, login: &str) -> Secret {
        self.tokens(login).await.refresh_token.expect("a refresh token")
    }

    async fn refresh(&self, refresh_token: &Secret) -> Result<TokenSet, UpstreamError> {
        self.refresh_with(CLIENT_SECRET, refresh_token).await
    }

    async fn refresh_with(
        &self,
        client_secret: &str,
        refresh_token: &Secret,
    ) -> Result<TokenSet, UpstreamError> {
        let refresh = self.world.client.refresh().expect("every type here refreshes");
        refresh
            .refresh_token(&self.connection_with(client_secret), &self.refresh_request(refresh_token))
            .await
    }

    fn refresh_request(&self, refresh_token: &Secret) -> RefreshRequest {
        RefreshRequest {
            refresh_token: secret(refresh_token.expose()),
            scopes: self.scopes(),
            redirect_uri: Some(person::REDIRECT_URI.to_owned()),
        }
    }

    /// The provider's id of the person whose name is known to the simulator.
    fn subject(&self, login: &str) -> String {
        let subject = self.site.subject(login);
        match subject.get(18..) {
            Some(rest) if self.deployment.personal_accounts => format!("00000000-0000-0000{rest}"),
            _ => subject,
        }
    }

    /// Asks whose token it is: as somebody who knows it, where the provider tells nobody else.
    async fn subject_of(&self, tokens: &TokenSet) -> Result<String, UpstreamError> {
        let known = tokens.identity.as_ref().map(|identity| identity.as_expected());
        let expected = known.filter(|_| !self.deployment.identifies_strangers);
        self.identify(&tokens.access_token, expected).await
    }

    async fn identify(
        &self,
        access_token: &Secret,
        expected: Option<ExpectedUser<'_>>,
    ) -> Result<String, UpstreamError> {
        let identify = self.world.client.identify(&self.world.scopes);
        let identity = identify.identify_user(&self.connection(), access_token, expected).await?;
        assert_eq!(identity.subject, identity.user.sub);
        assert!(!identity.user.raw.to_string().contains(access_token.expose()));
        assert!(self.world.endpoints.is_issuer(&identity.issuer), "{}", identity.issuer);
        Ok(identity.subject)
    }

    async fn validate(&self, access_token: &Secret) -> Result<(), UpstreamError> {
        let validate = self
            .world
            .client
            .validate(&self.world.endpoints, &self.world.scopes)
            .expect("every type here validates");
        validate.validate_token(&self.connection(), access_token).await
    }

    fn code_refused(&self) -> UpstreamError {
        UpstreamError::GrantRefused { code: self.deployment.refusals.code.to_owned() }
    }

    fn refresh_token_refused(&self) -> UpstreamError {
        UpstreamError::GrantRefused { code: self.deployment.refusals.refresh_token.to_owned() }
    }

    fn client_refused(&self) -> UpstreamError {
        UpstreamError::ClientRefused { code: self.deployment.refusals.client.to_owned() }
    }
}

/// One test for each deployment.
macro_rules! contracts {
    ($($name:ident: $deployment:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                provider_contract(&deployments::$deployment).await;
            }
        )*

        #[test]
        fn every_deployment_keeps_the_contract() {
            let tested = [$(deployments::$deployment.name),*];
            assert_eq!(tested, deployments::ALL.map(|deployment| deployment.name));
        }
    };
}

contracts! {
    github: GITHUB,
    github_app: GITHUB_APP,
    github_residency: GITHUB_RESIDENCY,
    github_enterprise: GITHUB_ENTERPRISE,
    gitlab: GITLAB,
    gitlab_self_managed: GITLAB_SELF_MANAGED,
    bitbucket: BITBUCKET,
    bitbucket_data_center: BITBUCKET_DATA_CENTER,
    google: GOOGLE,
    r#box: BOX,
    microsoft: MICROSOFT,
    microsoft_organizations: MICROSOFT_ORGANIZATIONS,
    microsoft_consumers: MICROSOFT_CONSUMERS,
    microsoft_directory: MICROSOFT_DIRECTORY,
    microsoft_us_government: MICROSOFT_US_GOVERNMENT,
    microsoft_china: MICROSOFT_CHINA,
    oidc: OIDC,
    simulated: TEST,
}
