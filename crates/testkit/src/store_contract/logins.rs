//! Rules of logins, and of who signs in as whom.

use std::sync::Arc;

use chrono::TimeDelta;
use grantkeeper_domain::accounts::Account;
use grantkeeper_domain::authorizations::{PollPace, Scopes};
use grantkeeper_domain::ids::{ApiTokenId, LoginId};
use grantkeeper_domain::login::{
    AskingClient, CodeGrant, DevicePoll, Login, LoginEnd, LoginIdentity, LoginRoute, LoginStage, Person,
};
use grantkeeper_domain::{Change, Store};

use super::tenant::{
    Refusal, Tenant, UNICODE, commit, expect_states, insert, long_secret, minutes, of_mixed_age, refusal,
    update,
};
use crate::entities::{
    FRESH, START, account, browser_login, code_grant, device_login, hash, login_identity, person, provider,
};

fn every_stage(tenant: &Tenant) -> Vec<LoginStage> {
    let account_id = tenant.account.id;
    let token_id = ApiTokenId::generate(&FRESH, START);
    let anonymous = Person { verified_email: None, name: None, ..person(&tenant.provider) };
    let odd = Person {
        issuer: format!("https://issuer.example/{UNICODE}\0"),
        name: Some(format!("{UNICODE}\0")),
        ..person(&tenant.provider)
    };
    vec![
        LoginStage::Pending,
        LoginStage::Asking { since: minutes(2) },
        LoginStage::Identified(person(&tenant.provider)),
        LoginStage::Identified(anonymous),
        LoginStage::Identified(odd),
        LoginStage::Granted { account_id },
        LoginStage::Released { account_id, token_id, at: minutes(3) },
        LoginStage::Ended(LoginEnd::Refused(UNICODE.to_owned())),
        LoginStage::Ended(LoginEnd::NotAllowed("not_invited".to_owned())),
        LoginStage::Ended(LoginEnd::Unavailable("timeout".to_owned())),
    ]
}

/// With whatever may be missing there, and with whatever may be in it.
fn every_route(tenant: &Tenant) -> Vec<LoginRoute> {
    let bare =
        AskingClient { address: None, user_agent: None, match_code: "XZX-ZXZ".to_owned(), shows_code: false };
    let odd = AskingClient { user_agent: Some(UNICODE.to_owned()), ..bare.clone() };
    let grant = || code_grant(&tenant.provider);
    let plain = CodeGrant { pkce_verifier: None, nonce: long_secret(), ..grant() };
    let long = CodeGrant { pkce_verifier: Some(long_secret()), redirect_uri: UNICODE.to_owned(), ..grant() };
    let client = |grant, asked_by, return_to| {
        let poll_hash = hash();
        LoginRoute::Client { grant, poll_hash, asked_by, return_to }
    };
    let device = |interval| {
        let pace = PollPace { interval, next_poll_at: minutes(4) };
        LoginRoute::Device(DevicePoll { handle_hash: hash(), device_code: long_secret(), pace })
    };
    vec![
        tenant.login().route,
        client(plain.clone(), bare, None),
        client(long.clone(), odd, Some(format!("https://client.example/{UNICODE}"))),
        browser_login(&tenant.provider).route,
        LoginRoute::Browser { grant: plain, next: "/".to_owned() },
        LoginRoute::Browser { grant: long, next: format!("/{UNICODE}") },
        device_login(&tenant.provider).route,
        device(TimeDelta::zero()),
        device(TimeDelta::minutes(5) + TimeDelta::microseconds(1)),
    ]
}

/// Every field of a login is kept, on every route, in every stage.
pub async fn logins_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (routes, stages) = (every_route(&tenant), every_stage(&tenant));
    let states = |base: Login| {
        let mut all = Vec::new();
        for route in &routes {
            let on_route = Login { route: route.clone(), ..base.clone() };
            all.extend(stages.iter().map(|stage| Login { stage: stage.clone(), ..on_route.clone() }));
        }
        all.push(Login {
            provider_name: UNICODE.to_owned(),
            scopes: Scopes::default(),
            endpoints: hash(),
            browser_hash: Some(hash()),
            created_at: minutes(5),
            expires_at: minutes(6),
            ..base.clone()
        });
        all.push(Login { scopes: Scopes::parse("b a https://scope.example/c"), ..base });
        all
    };
    expect_states(store, states(tenant.login())).await;
    expect_states(store, states(device_login(&tenant.provider)).into_iter().rev()).await;
}

/// By what its client asks with, whichever the provider; and by nothing that a provider or a browser sees.
pub async fn a_login_is_found_by_its_handle(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let (client, device) = (tenant.login(), device_login(&tenant.provider));
    let browser = browser_login(&tenant.provider);
    for row in [&client, &device, &browser, &tenant.login(), &device_login(&tenant.provider)] {
        insert(store, row.clone()).await;
    }
    for row in [client, device] {
        let handle = row.handle_hash().expect("its client asks");
        assert_eq!(store.login_by_handle(handle).await.expect("a read").as_ref(), Some(&row));
        if let Some(grant) = row.grant() {
            assert_eq!(store.login_by_handle(&grant.state_hash).await.expect("a read"), None);
        }
        // One that is over can still be found: whoever asks again has to hear how it ended.
        let over = Login { stage: ended(), ..row.clone() };
        update(store, over.clone()).await;
        let found = store.login_by_handle(handle).await.expect("a read");
        assert_eq!(found.map(|login| login.stage), Some(over.stage));
    }
    let state = browser.grant().map(|grant| grant.state_hash.clone());
    let shown = [browser.browser_hash.clone(), state];
    for other in shown.into_iter().flatten().chain([hash()]) {
        assert_eq!(store.login_by_handle(&other).await.expect("a read"), None);
    }
    assert_eq!(store.login(LoginId::generate(&FRESH, START)).await.expect("a read"), None);
}

/// At its provider, and by what that was given; what its client asks with is another value.
pub async fn a_login_is_found_by_its_state(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let second = provider(&tenant.organization);
    insert(store, second.clone()).await;
    let id = tenant.provider.id;
    let device = device_login(&tenant.provider);
    for row in [&device, &tenant.login(), &browser_login(&tenant.provider)] {
        insert(store, row.clone()).await;
    }
    for row in [tenant.login(), browser_login(&tenant.provider)] {
        insert(store, row.clone()).await;
        let state = &row.grant().expect("it goes to the provider's page").state_hash;
        assert_eq!(store.login_by_state(id, state).await.expect("a read").as_ref(), Some(&row));
        assert_eq!(store.login_by_state(second.id, state).await.expect("a read"), None);
        let over = Login { stage: ended(), ..row.clone() };
        update(store, over.clone()).await;
        let found = store.login_by_state(id, state).await.expect("a read");
        assert_eq!(found.map(|login| login.stage), Some(over.stage));
        if let Some(handle) = row.handle_hash() {
            assert_eq!(store.login_by_state(id, handle).await.expect("a read"), None);
        }
    }
    let handle = device.handle_hash().expect("its client asks");
    for other in [handle, &hash()] {
        assert_eq!(store.login_by_state(id, other).await.expect("a read"), None);
    }
}

fn ended() -> LoginStage {
    LoginStage::Ended(LoginEnd::Refused("access_denied".to_owned()))
}

/// Of two that have read the same login one gets on: a state is used up once, a token is released once.
pub async fn a_login_moves_on_once(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let mut read = tenant.login();
    insert(store, read.clone()).await;
    for stage in every_stage(&tenant) {
        let won = Login { stage, ..read.clone() };
        update(store, won.clone()).await;
        let late = Login { stage: ended(), ..read };
        assert_eq!(refusal(store, Change::update(late.clone())).await, Refusal::Conflict);
        assert_eq!(refusal(store, Change::delete(late)).await, Refusal::Conflict);
        read = Login { version: won.version.next(), ..won };
        assert_eq!(store.login(read.id).await.expect("a read").as_ref(), Some(&read));
    }
}

/// Those that expired *before* that time, on whatever route and in whatever stage, and how many.
pub async fn only_expired_logins_are_purged(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let granted = LoginStage::Granted { account_id: tenant.account.id };
    let asking = LoginStage::Asking { since: START };
    let expiring = |at, stage, base| Login { expires_at: minutes(at), stage, ..base };
    let (browser, device) = (browser_login(&tenant.provider), device_login(&tenant.provider));
    let gone = [
        expiring(1, LoginStage::Pending, tenant.login()),
        expiring(8, granted.clone(), browser),
        expiring(9, asking.clone(), device),
    ];
    let kept = [expiring(10, LoginStage::Pending, tenant.login()), expiring(11, asking, tenant.login())];
    let identity = tenant.login_identity();
    insert(store, identity.clone()).await;
    for row in gone.iter().chain(&kept) {
        insert(store, row.clone()).await;
    }
    assert_eq!(store.purge_logins(minutes(10)).await.expect("a purge"), 3);
    for row in gone {
        assert_eq!(store.login(row.id).await.expect("a read"), None);
    }
    for row in kept {
        assert_eq!(store.login(row.id).await.expect("a read"), Some(row));
    }
    assert_eq!(store.purge_logins(minutes(10)).await.expect("a purge"), 0);
    // Whoever has signed in once is known for good.
    assert_eq!(store.identities_of(tenant.account.id).await.expect("a read"), [identity]);
}

/// Every field of an identity is kept.
pub async fn login_identities_come_back_whole(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let colleague = account(&tenant.organization);
    insert(store, colleague.clone()).await;
    let states = |base: LoginIdentity| {
        [
            base.clone(),
            LoginIdentity { account_id: colleague.id, ..base.clone() },
            LoginIdentity { issuer: format!("https://issuer.example/{UNICODE}"), ..base.clone() },
            LoginIdentity { subject: format!("{UNICODE} {}", base.id), ..base.clone() },
            LoginIdentity { created_at: minutes(7), ..base },
        ]
    };
    expect_states(store, states(tenant.login_identity())).await;
    expect_states(store, states(tenant.login_identity()).into_iter().rev()).await;
}

/// By issuer and subject, byte for byte, in one organization; as whatever account it is: judging is not the store's business.
pub async fn somebody_is_identified_with_their_account(store: &Arc<dyn Store>) {
    let (tenant, other) = (Tenant::settle(store).await, Tenant::settle(store).await);
    let row = LoginIdentity { subject: "Zoë".to_owned(), ..tenant.login_identity() };
    let elsewhere = LoginIdentity { subject: row.subject.clone(), ..other.login_identity() };
    let also = tenant.login_identity();
    let stranger = account(&tenant.organization);
    commit(store, [Change::insert(stranger.clone()), Change::insert(login_identity(&stranger))]).await;
    for identity in [&row, &elsewhere, &also] {
        insert(store, identity.clone()).await;
    }
    let here = tenant.organization.id;
    let folded = row.subject.to_uppercase();
    let decomposed = row.subject.replace('ë', "e\u{308}");
    for (organization, issuer, subject, expected) in [
        (here, &row.issuer, &row.subject, Some((&row, &tenant.account))),
        (here, &also.issuer, &also.subject, Some((&also, &tenant.account))),
        (other.organization.id, &row.issuer, &row.subject, Some((&elsewhere, &other.account))),
        (other.organization.id, &also.issuer, &also.subject, None),
        (here, &row.issuer, &folded, None),
        (here, &row.issuer, &decomposed, None),
        (here, &row.subject, &row.issuer, None),
        (here, &format!("{}/", row.issuer), &row.subject, None),
    ] {
        let found = store.identified(organization, issuer, subject).await.expect("a read");
        assert_eq!(found.as_ref().map(|(identity, account)| (identity, account)), expected, "{subject}");
    }
    let suspended = Account { suspended_at: Some(minutes(1)), ..tenant.account };
    update(store, suspended.clone()).await;
    let suspended = Account { version: suspended.version.next(), ..suspended };
    let found = store.identified(here, &row.issuer, &row.subject).await.expect("a read");
    assert_eq!(found, Some((row, suspended)));
}

/// By `created_at`, then `id`; nobody else's are among them.
pub async fn identities_of_an_account_are_listed_oldest_first(store: &Arc<dyn Store>) {
    let tenant = Tenant::settle(store).await;
    let colleague = account(&tenant.organization);
    commit(store, [Change::insert(colleague.clone()), Change::insert(login_identity(&colleague))]).await;
    assert_eq!(store.identities_of(tenant.account.id).await.expect("a read"), []);
    let rows = [(); 4].map(|()| tenant.login_identity());
    let (rows, oldest_first) = of_mixed_age(rows, |row| row.id, |row, age| row.created_at = age);
    for row in rows {
        insert(store, row).await;
    }
    let listed = store.identities_of(tenant.account.id).await.expect("a read");
    assert_eq!(listed.into_iter().map(|row| row.id).collect::<Vec<_>>(), oldest_first);
}
