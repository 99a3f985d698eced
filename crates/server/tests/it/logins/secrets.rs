//! After people have signed in every way, at the most verbose level: nothing that opens anything is in the log or the database.

use url::Url;

use super::client::SignedIn;
use super::upstream::Upstream;
use super::world::LoginWorld;
use crate::secrets::{find, spellings};
use crate::stores::{StoreKind, on_either_store};

on_either_store!(no_secret_of_a_login_is_in_the_log_or_the_database);

/// Everything that somebody could use who got hold of it.
async fn sign_in_every_way(world: &LoginWorld) -> Vec<String> {
    let mut secrets = Vec::new();
    let login = world.client.start(None).await;
    let page = Url::parse(&login.page).unwrap();
    let state = page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    secrets.extend([login.state.clone(), state]);
    let mut browser = world.browser();
    let back = world.upstream.sign_in(&login.page, "alice").await;
    let code =
        Url::parse(&back).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    secrets.push(code);
    let (path, page) = browser.come_back(&back).await;
    browser.press(&path, &page, "yes").await;
    secrets.extend(browser.cookies().map(str::to_owned));
    secrets.push(SignedIn::read(&world.client.poll(&login.state).await).secret);

    let device = world.client.start_device().await;
    assert!(world.upstream.decides(&device.user_code, "alice").await);
    secrets.push(SignedIn::read(&world.client.complete(&device.session).await).secret);
    // The sealed part of it as well as the whole.
    secrets.push(device.session);
    // One that nobody has answered yet, and one on the web as well.
    secrets.push(world.client.start_device().await.session);
    secrets.push(world.client.start(None).await.state);

    let access_token = world.access_token("alice").await;
    secrets.push(SignedIn::read(&world.client.exchange("github", &access_token).await).secret);
    secrets.push(access_token);
    secrets
}

async fn no_secret_of_a_login_is_in_the_log_or_the_database(store: StoreKind) {
    let world = LoginWorld::around(Upstream::simulated(600), store, &[("LOG__LEVEL", "trace")]).await;
    let secrets = sign_in_every_way(&world).await;
    assert!(secrets.len() >= 11 && secrets.iter().all(|secret| secret.len() >= 16), "{}", secrets.len());
    assert_eq!(world.running.terminate().await, Some(0));
    let log = world.installation.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log is verbose");
    assert!(log.contains("/v1/login/oauth2/web/poll"), "it tells of the calls");
    let store = world.installation.store.dump();
    assert!(find(&store, b"alice"), "all that is not secret can be read");
    for secret in &secrets {
        let compact = secret.replace('-', "").to_lowercase();
        for spelling in spellings(secret).into_iter().chain(spellings(&compact)).chain(raw(&compact)) {
            assert!(!find(log.as_bytes(), &spelling), "a secret ({}…) is in the log", &secret[..6]);
            assert!(!find(&store, &spelling), "a secret ({}…) is in the database", &secret[..6]);
        }
    }
}

/// The bytes of a UUID, as a database keeps them.
fn raw(hex: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (hex.len() == 32).then(|| (0..32).step_by(2).map(byte).collect::<Option<_>>())?
}
