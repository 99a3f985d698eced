//! The types `oidc` and `test` against the simulated provider.

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderClients, ProviderEndpoints, ProviderKind, TokenToRevoke,
    UpstreamError,
};
use grantkeeper_provider_clients::{ClientSettings, EndpointOverrides};
use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace};

use crate::deployments;
use crate::person;
use crate::world::{CLIENT_SECRET, World, connection, directory, refused, registration, secret};

#[tokio::test]
async fn types_that_are_not_served_have_no_client() {
    let (directory, _) = directory(ClientSettings::default());
    for kind in ProviderKind::ALL {
        assert_eq!(directory.client(kind).is_some(), kind != ProviderKind::Test, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registration_learns_everything_that_is_published() {
    let World { simulator, endpoints, .. } = World::openid().await;
    let at = |path: &str| format!("{}/{path}", simulator.url()).parse().unwrap();
    let expected = ProviderEndpoints {
        issuer: simulator.url().to_owned(),
        api: None,
        authorization: at("authorize"),
        token: at("token"),
        userinfo: Some(at("userinfo")),
        revocation: Some(at("revoke")),
        introspection: Some(at("introspect")),
        jwks: Some(at("jwks")),
        device_authorization: Some(at("device_authorization")),
        announces_iss: true,
        client_authentication: ClientAuthentication::ClientSecretBasic,
        pkce: PkceSupport::S256,
        settings_url: None,
    };
    assert_eq!(endpoints, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_provider_takes_no_host() {
    let world = World::at(&deployments::TEST).await;
    let error = world.client.register(&registration(Some(world.simulator.url()))).await.unwrap_err();
    assert_eq!(error.field, "host");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_can_replace_endpoints() {
    let at = |issuer: &str, path: &str| Some(format!("{issuer}/{path}").parse().unwrap());
    let world = World::with_overrides(&deployments::OIDC, |issuer| EndpointOverrides {
        token: at(issuer, "other/token"),
        userinfo: at(issuer, "other/userinfo"),
        ..EndpointOverrides::default()
    })
    .await;
    assert_eq!(world.endpoints.token.path(), "/other/token");
    assert_eq!(world.endpoints.userinfo.as_ref().unwrap().path(), "/other/userinfo");
    assert_eq!(world.endpoints.authorization.path(), "/authorize");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_can_put_another_issuer_in_the_place_of_all() {
    let elsewhere = World::at(&deployments::TEST).await;
    let issuer = elsewhere.simulator.url().to_owned();
    let world = World::with_overrides(&deployments::OIDC, |_| EndpointOverrides {
        issuer: Some(issuer.clone()),
        ..EndpointOverrides::default()
    })
    .await;
    assert_eq!(world.endpoints.issuer, issuer);
    assert_eq!(world.simulator.stats().discovery_calls, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_is_another_subject() {
    let world = World::openid().await;
    for login in ["alice", "bob"] {
        let tokens = world.authorize(login).await.ok().unwrap();
        assert_eq!(tokens.identity.unwrap().subject, login);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_comes_back_with_the_code() {
    let world = World::openid().await;
    let consent = person::consents(&*world.client, &world.connection().client, "alice", &world.scopes).await;
    assert_eq!(consent.parameters["iss"], world.endpoints.issuer);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_revoked_is_said_only_when_nothing_was() {
    let world = World::openid().await;
    world.simulator.update_settings(|settings| settings.revoke_unsupported_token_type = true);
    let tokens = world.authorize("alice").await.ok().unwrap();
    let revoke = world.client.revoke(&world.endpoints).unwrap();
    let refresh_token = || tokens.refresh_token.as_ref().map(|token| secret(token.expose()));
    let access_token = || Some(secret(tokens.access_token.expose()));

    let only_refresh = TokenToRevoke { access_token: None, refresh_token: refresh_token() };
    let unsupported = UpstreamError::GrantRefused { code: "unsupported_token_type".to_owned() };
    assert_eq!(revoke.revoke_token(&world.connection(), &only_refresh).await, Err(unsupported));

    let both = TokenToRevoke { access_token: access_token(), refresh_token: refresh_token() };
    assert_eq!(revoke.revoke_token(&world.connection(), &both).await, Ok(()));
    let found = world
        .client
        .identify(&world.scopes)
        .identify_user(&world.connection(), &access_token().unwrap(), None)
        .await;
    assert_eq!(found, Err(UpstreamError::TokenRefused));

    let nothing = TokenToRevoke { access_token: None, refresh_token: None };
    let calls = world.simulator.stats().revoke_calls;
    assert_eq!(revoke.revoke_token(&world.connection(), &nothing).await, Ok(()));
    assert_eq!(world.simulator.stats().revoke_calls, calls);
    let hints: Vec<_> = calls.iter().filter_map(|call| call.token_type_hint.as_deref()).collect();
    assert_eq!(hints, ["refresh_token", "refresh_token", "access_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_endpoints_are_missing_capabilities() {
    let World { client, endpoints, .. } = World::openid().await;
    let endpoints = ProviderEndpoints { revocation: None, introspection: None, userinfo: None, ..endpoints };
    assert!(client.revoke(&endpoints).is_none());
    assert!(client.audience(&endpoints).is_none());
    let connection = connection(endpoints, "secret");
    let found = client.identify(&Scopes::default()).identify_user(&connection, &secret("token"), None).await;
    assert_eq!(refused(found).reason(), "not_supported");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_comes_through_an_error() {
    let world = World::openid().await;
    let exchange = world.code("alice").await;
    // A server in trouble that echoes what it was sent.
    let body = format!("<html>{} {}</html>", exchange.code.expose(), CLIENT_SECRET);
    for status in [400, 500] {
        let effect = FaultEffect::Status { status, retry_after: None, body: Some(body.clone()) };
        world.simulator.set_faults([Fault::once(FaultPlace::Token, effect)]);
        let error = refused(world.client.exchange_code(&world.connection(), &exchange).await);
        let text = format!("{error} {error:?} {}", error.reason());
        assert!(!text.contains(exchange.code.expose()) && !text.contains("s3cr"), "{text}");
    }
}
