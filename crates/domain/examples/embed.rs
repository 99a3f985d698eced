//! Embeds the domain in a program of its own: the in-memory store, and adapters that are written here.
//!
//! ```text
//! cargo run -p grantkeeper-domain --example embed --features memory
//! ```
//!
//! A program that embeds the domain fills in [`Ports`]. Four of them are this program's own: the provider (here one
//! inside this process, so that nothing has to be reachable), the clock, the randomness and the sealer. It then walks
//! the main job: register a provider, authorize, hand out access tokens, refresh, look up the user, delete, revoke.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::accounts::{Caller, Role, TokenReach};
use grantkeeper_domain::authorizations::{AuthorizationView, Callback, StartFlowRequest, StartedFlow};
use grantkeeper_domain::login::LoginSettings;
use grantkeeper_domain::memory::MemoryStore;
use grantkeeper_domain::providers::{GitHosts, NewProvider, ProviderKind, ProviderView};
use grantkeeper_domain::revocations::{ClaimedRevocations, RevocationQueue as _};
use grantkeeper_domain::tokens::{HandOutRecord, TokenSettings};
use grantkeeper_domain::{BackgroundTasks, Ports, Secret, Settings, UseCases};

use adapters::{ExampleSealer, ShiftedClock, SystemRandom};
use provider::InProcessProvider;

#[path = "embed/adapters.rs"]
mod adapters;
#[path = "embed/provider.rs"]
mod provider;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(ShiftedClock::start());
    let provider = InProcessProvider::default();
    let random = Arc::new(SystemRandom::open()?);
    let ports = Ports {
        store: store.clone(),
        clients: Arc::new(provider.clone()),
        sealer: Arc::new(ExampleSealer::new(random.clone())),
        clock: clock.clone(),
        random,
        // Exchanges and refreshes run here, detached from whoever asked.
        tasks: BackgroundTasks::on_current_runtime(),
    };
    let settings = Settings {
        public_url: "https://broker.example".to_owned(),
        tokens: TokenSettings::default(),
        // No token leaves before it is in the audit log.
        hand_out_record: HandOutRecord::BeforeRelease,
        asks_people: true,
        // How long a machine's call waits for a person.
        link_wait: Duration::from_secs(30),
        // Nobody signs in at a provider here.
        login: LoginSettings::default(),
        holder: "embed".to_owned(),
    };
    let app = UseCases::over(&ports, &settings);

    let caller = sign_up(&app).await?;
    let registered = register(&app, &caller).await?;
    let authorization = authorize(&app, &caller, &registered, &provider).await?;
    lend(&app, &caller, &authorization, "Handed out").await?;

    clock.shift(Duration::from_secs(3600));
    println!("An hour passes; the access token has expired.");
    lend(&app, &caller, &authorization, "Refreshed and handed out").await?;

    let user = app.look_up_user.run(&caller, authorization.authorization.id).await?;
    println!("The provider says that this is {} ({}).", user.name.unwrap_or_default(), user.sub);

    app.delete_authorization.run(&caller, authorization.authorization.id).await?;
    println!("Deleted: the authorization is gone, its tokens wait for their revocation.");
    let tried = app.run_due_revocations.run(ClaimedRevocations::Due).await?;
    for receipt in store.revocations_of(registered.provider.id).await? {
        println!("Revoked at the provider ({tried} attempt): {}.", receipt.status.as_str());
    }
    println!("The provider knows {} living tokens.", provider.living_tokens());
    ports.tasks.drain().await;
    Ok(())
}

/// An organization, its administrator, and the API token that the administrator calls with.
async fn sign_up(app: &UseCases) -> Outcome<Caller> {
    let organization = app.create_organization.run("Observatory").await?;
    let account = app.create_account.run(organization.id, "ada@example.com", Role::Admin).await?;
    let issued = app.issue_api_token.run(account.id, TokenReach::Account, None).await?;
    println!("Signed up {} of {}.", account.email.as_str(), organization.name.as_str());
    // A program with accounts of its own makes the caller itself; this is what an API does for each request.
    Ok(app.authenticate.run(issued.secret.expose(), None).await?)
}

async fn register(app: &UseCases, caller: &Caller) -> Outcome<ProviderView> {
    let new = NewProvider {
        kind: ProviderKind::Oidc,
        name: "In-process provider".to_owned(),
        client_id: "embed".to_owned(),
        client_secret: Secret::new("client secret".to_owned()),
        slug: None,
        host: Some("https://provider.example".to_owned()),
        scopes: None,
        device_flow: false,
        app_slug: None,
        git_hosts: GitHosts::default(),
        skip_consent: None,
        keep_alive: None,
    };
    let registered = app.register_provider.run(caller, new).await?;
    let slug = registered.provider.slug.as_ref().map_or("none", |slug| slug.as_str());
    println!("Registered {} with the slug {slug}.", registered.provider.name);
    Ok(registered)
}

async fn authorize(
    app: &UseCases,
    caller: &Caller,
    registered: &ProviderView,
    provider: &InProcessProvider,
) -> Outcome<AuthorizationView> {
    let request = StartFlowRequest {
        provider_id: registered.provider.id,
        // This program's own page; without one the way leads over a page of the service.
        redirect_uri: Some("http://127.0.0.1:8099/done".to_owned()),
        state: None,
        skip_consent: None,
        return_to: None,
    };
    let StartedFlow { redirect_url, state } = app.start_flow.run(caller, request).await?;
    println!("Started a flow; the person goes to {}{}.", redirect_url.authority(), redirect_url.path());
    let code = provider.consent(&redirect_url).ok_or("the authorization URL is not complete")?;
    let callback = Callback {
        provider_id: registered.provider.id,
        state,
        answer: Ok(code),
        iss: Some(registered.provider.endpoints.issuer.clone()),
    };
    let completed = app.complete_flow.for_caller(caller, callback).await?;
    println!("Completed it: {} is authorized.", completed.authorization.authorization.subject);
    Ok(completed.authorization)
}

async fn lend(app: &UseCases, caller: &Caller, view: &AuthorizationView, what: &str) -> Outcome {
    let lent = app.lend_access_token.run(caller, view.authorization.id, Duration::ZERO).await?;
    let expires_at =
        lent.expires_at.map_or("at no known time".to_owned(), |end| end.format("%H:%M").to_string());
    // A real program sends it to the provider's API, and never prints it.
    println!("{what} the token {}…, valid until {expires_at}.", &lent.access_token.expose()[..8]);
    Ok(())
}
