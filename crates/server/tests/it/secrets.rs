//! After everything that can be done was done, at the most verbose level: no secret is where it does not belong.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::callers::{Caller, approve, client};
use crate::installation::Installation;
use crate::stores::{StoreKind, on_either_store};

/// Does all that the API can do, well and badly; returns every body that may hold no secret.
async fn everything(admin: &Caller, member: &Caller, simulator: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    let provider = admin.register("test", None, ("any", "a client secret of ours")).await;
    let refused = admin.register("test", None, ("any", "wrong-client-secret")).await;
    let page = member.start_flow(&refused).await;
    let location = approve(&member.http, &page).await;
    bodies.push(member.complete(&refused, &location).await);
    let id = member.authorize_unattended(&provider).await;
    for query in ["", "?min_ttl=3600"] {
        let (status, lent) = member.access_token(&id, query).await;
        assert_eq!(status, StatusCode::CREATED, "{lent}");
    }
    let fault = async |body: Value| {
        let request = client().post(format!("{simulator}/control/faults")).body(body.to_string());
        request.header("content-type", "application/json").send().await.unwrap();
    };
    // Outages, and a definite no, on a refresh and on an exchange.
    for body in [
        json!({ "where": "token", "status": 503 }),
        json!({ "where": "token", "drop": true }),
        json!({ "where": "token", "status": 400, "body": "{\"error\":\"invalid_grant\"}" }),
    ] {
        fault(body.clone()).await;
        let page = member.start_flow(&provider).await;
        let location = approve(&member.http, &page).await;
        bodies.push(member.complete(&provider, &location).await);
        fault(body).await;
        member.access_token(&id, "?min_ttl=3600").await;
        fault(json!({})).await;
    }
    let id = member.authorize_unattended(&provider).await;
    for path in ["/providers/", "/authorizedProviders/", &format!("/authorizedProviders/{id}/userinfo/")] {
        bodies.push(member.get(path).await);
    }
    let job = admin.delete_provider(&provider).await;
    bodies.push((StatusCode::OK, admin.finished(&job).await));
    // And one more that stays, so that there is something in the database.
    let provider = admin.register("test", None, ("any", "a client secret of ours")).await;
    member.authorize_unattended(&provider).await;
    bodies.into_iter().map(|(_, body)| body.to_string()).collect()
}

/// The spellings under which a secret might hide.
pub(crate) fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let hex = secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let encoded = [STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret), hex];
    std::iter::once(secret.to_owned()).chain(encoded).map(String::into_bytes).collect()
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

on_either_store!(no_secret_is_in_logs_in_bodies_or_unsealed_in_the_database);

async fn no_secret_is_in_logs_in_bodies_or_unsealed_in_the_database(store: StoreKind) {
    let mut installation = Installation::with_simulator_on(store);
    installation.set("LOG__LEVEL", "trace");
    let tokens =
        [installation.token("admin@acme.example", true), installation.token("member@acme.example", false)];
    let (admin, member) = (installation.caller(&tokens[0]), installation.caller(&tokens[1]));
    let running = installation.serve().await;
    let simulator = running.simulator();
    let bodies = everything(&admin, &member, &simulator).await;
    let issued =
        client().get(format!("{simulator}/control/secrets")).send().await.unwrap().text().await.unwrap();
    let issued: Value = serde_json::from_str(&issued).unwrap();
    let mut secrets: Vec<String> = issued["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| secret.as_str().unwrap().to_owned())
        .collect();
    assert!(secrets.len() > 10, "the simulator knows what it issued");
    secrets.push("a client secret of ours".to_owned());
    secrets.extend(tokens);
    secrets.push(std::fs::read_to_string(installation.path("grantkeeper.key")).unwrap().trim().to_owned());
    let database = url::Url::parse(&installation.store.url()).unwrap();
    secrets.extend(database.password().map(str::to_owned));
    assert_eq!(running.terminate().await, Some(0));

    let log = installation.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log is verbose");
    let mut places = vec![("the log".to_owned(), log.into_bytes())];
    places.extend(bodies.into_iter().map(|body| ("a body".to_owned(), body.into_bytes())));
    let store = installation.store.dump();
    assert!(find(&store, b"member@acme.example"), "all that is not secret can be read");
    places.push(("the database".to_owned(), store));
    for secret in &secrets {
        for spelling in spellings(secret) {
            for (place, content) in &places {
                assert!(
                    !find(content, &spelling),
                    "a secret ({}…) is in {place}",
                    &secret[..8.min(secret.len())]
                );
            }
        }
    }
}
