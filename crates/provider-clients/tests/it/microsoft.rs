//! What only Microsoft does.

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{ExpectedUser, Identity, Registration, UpstreamError};

use crate::deployments::{Deployment, MICROSOFT};
use crate::world::{World, secret};

/// Registered anew to ask for these scopes.
async fn asking_for(scopes: &str) -> World {
    let deployment: &Deployment = &MICROSOFT;
    let mut world = World::at(deployment).await;
    let scopes = Some(Scopes::parse(scopes));
    let registration = Registration { scopes, ..deployment.registration(world.simulator.url()) };
    let registered = world.client.register(&registration).await.unwrap();
    (world.endpoints, world.scopes) = (registered.endpoints, registered.scopes);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn without_user_read_the_id_token_is_all_there_is() {
    let world = asking_for("openid profile email").await;
    let connection = world.connection();
    let tokens = world.authorize("alice").await.unwrap_or_else(|error| panic!("{error}"));
    let expected = tokens.identity.as_ref().map(Identity::as_expected);
    assert!(expected.is_some());
    let identify = world.client.identify(&world.scopes);
    let answer = identify.identify_user(&connection, &tokens.access_token, expected).await;
    assert_eq!(answer, Err(UpstreamError::NotSupported));
    let validate = world.client.validate(&world.endpoints, &world.scopes).expect("validates");
    assert_eq!(validate.validate_token(&connection, &tokens.access_token).await, Ok(()), "the token is good");
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_tells_nothing_about_nobody_in_particular() {
    let world = asking_for("openid profile User.Read").await;
    let tokens = world.authorize("alice").await.unwrap_or_else(|error| panic!("{error}"));
    let identify = world.client.identify(&world.scopes);
    let answer = identify.identify_user(&world.connection(), &tokens.access_token, None).await;
    assert_eq!(answer, Err(UpstreamError::NotSupported));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_another_resource_is_not_shown_to_graph() {
    // The registration asks for Graph by now; the token is of a flow that did not.
    let world = asking_for("openid profile User.Read").await;
    let asked = Scopes::parse("openid profile https://outlook.office.com/IMAP.AccessAsUser.All");
    assert!(world.client.validate(&world.endpoints, &asked).is_none());
    let expected = ExpectedUser { issuer: "https://login.microsoftonline.com/t/v2.0", subject: "o" };
    let identify = world.client.identify(&asked);
    let answer = identify.identify_user(&world.connection(), &secret("for Outlook"), Some(expected)).await;
    assert_eq!(answer, Err(UpstreamError::NotSupported));
    assert!(world.site(&MICROSOFT).stats().userinfo_calls.is_empty());
}
