//! README's table of providers is what the code says: every deployment is registered at the simulator, and asked.

use std::fmt::Write as _;
use std::path::Path;

use grantkeeper_domain::providers::{PkceSupport, ProviderEndpoints, RefreshModel, TokenSet};

use crate::deployments::{ALL, DIRECTORY, Deployment, Host};
use crate::world::World;

const BEGIN: &str = "<!-- The table below is made by `just readme`. -->\n";
const END: &str = "<!-- The table above is made by `just readme`. -->\n";

const HEAD: &str = "\
| type | deployment | `host` | PKCE | refresh token | revokes | device flow | who the user is | tells the client of a token | installations |
|---|---|---|---|---|---|---|---|---|---|
";

#[tokio::test(flavor = "multi_thread")]
async fn the_table_is_the_one_that_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the marker before the table");
    let (committed, after) = rest.split_once(END).expect("the marker after the table");
    let table = table().await;
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(
            committed, table,
            "README.md is out of date: renew its table with `just readme` and commit it"
        );
    }
}

async fn table() -> String {
    let mut table = HEAD.to_owned();
    for deployment in ALL {
        let world = World::at(deployment).await;
        writeln!(table, "{}", row(deployment, &world).await).unwrap();
    }
    table
}

async fn row(deployment: &Deployment, world: &World) -> String {
    let (client, endpoints) = (&world.client, &world.endpoints);
    let tokens = world.authorize("1001").await.ok().unwrap();
    let cells = [
        format!("`{}`", deployment.kind.as_str()),
        deployment.name.to_owned(),
        host(deployment),
        pkce(endpoints).to_owned(),
        refresh(client.refresh_model(endpoints)),
        client.revoke(endpoints).map_or("—".to_owned(), |revoke| format!("`{}`", revoke.scope().as_str())),
        yes(client.device(endpoints).is_some()).to_owned(),
        who(world, &tokens).await,
        yes(client.audience(endpoints).is_some()).to_owned(),
        yes(lists_installations(world, &tokens).await).to_owned(),
    ];
    format!("| {} |", cells.join(" | "))
}

fn host(deployment: &Deployment) -> String {
    match deployment.host {
        Host::Nowhere => "—".to_owned(),
        Host::Named(host) if host.ends_with(DIRECTORY) => "its id or a domain of it".to_owned(),
        Host::Named(host) => format!("`{host}`"),
        Host::Simulated(_) => "its URL".to_owned(),
    }
}

fn pkce(endpoints: &ProviderEndpoints) -> &'static str {
    match endpoints.pkce {
        PkceSupport::S256 => "S256",
        PkceSupport::Unsupported => "—",
    }
}

fn refresh(model: RefreshModel) -> String {
    match model {
        RefreshModel::Reusable => "stays the same".to_owned(),
        RefreshModel::Rotating => "replaced, the old one dies".to_owned(),
        RefreshModel::RotatingWithGrace(grace) => {
            format!("replaced, the old one dies after {} minutes", grace.as_secs() / 60)
        }
        RefreshModel::RotatingTolerant => "replaced, the old one lives on".to_owned(),
    }
}

fn yes(can: bool) -> &'static str {
    if can { "yes" } else { "—" }
}

async fn lists_installations(world: &World, tokens: &TokenSet) -> bool {
    let Some(installations) = world.client.installations(&world.endpoints) else { return false };
    installations.installations(&world.connection(), &tokens.access_token).await.is_ok()
}

/// The documents that were read to know the person.
async fn who(world: &World, tokens: &TokenSet) -> String {
    let expected = tokens.identity.as_ref().map(|identity| identity.as_expected());
    let identify = world.client.identify(&world.scopes);
    let asked = identify.identify_user(&world.connection(), &tokens.access_token, expected).await.unwrap();
    let told = tokens.identity.iter().map(|identity| &identity.user.raw).chain([&asked.user.raw]);
    let documents: Vec<_> = told.filter_map(|raw| raw.as_object()).flat_map(|raw| raw.keys()).collect();
    [("id_token_claims", "ID token"), ("user", "user document"), ("emails", "e-mail addresses")]
        .into_iter()
        .filter(|(document, _)| documents.iter().any(|read| read == document))
        .map(|(_, name)| name)
        .collect::<Vec<_>>()
        .join(", ")
}
