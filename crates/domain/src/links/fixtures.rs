//! What the tests of links stand on: an installation with one member, whose provider can tell of tokens and refresh them.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::TimeDelta;

use crate::accounts::TokenPurpose;
use crate::authorizations::Authorization;
use crate::fixtures::{START, account, api_token, authorization, caller, provider, sealed, uuid};
use crate::ids::{AuthorizationId, ProviderId};
use crate::login::fixtures::Installation;
use crate::providers::{Provider, RevocationScope};
use crate::{Change, Row, UnitOfWork as _, Version};

/// One provider, with a device flow; nothing is linked.
pub(super) async fn installation() -> Installation {
    let at = Installation::new().await;
    {
        let mut script = at.idp.script();
        script.validates = true;
        script.refreshes = Some(VecDeque::new());
        script.revokes = Some(RevocationScope::Pair);
    }
    insert(&at, account()).await;
    // The one that the caller came with.
    insert(&at, api_token(3, TokenPurpose::Api)).await;
    at
}

/// The same, linked with a token for an hour that is `token`.
pub(super) async fn linked(token: &str) -> Installation {
    let at = installation().await;
    insert(&at, link(&provider(), token)).await;
    at
}

/// The same, with a token that has expired.
pub(super) async fn expired(token: &str) -> Installation {
    let at = installation().await;
    insert(&at, Authorization { expires_at: Some(START), ..link(&provider(), token) }).await;
    at
}

/// Writes as another process does: nobody is told.
pub(super) async fn insert(at: &Installation, row: impl Into<Row>) {
    at.store.commit(vec![Change::insert(row)]).await.unwrap();
}

/// Writes as this process does.
pub(super) async fn announce(at: &Installation, row: impl Into<Row>) {
    at.cases.poll_device_flow.store.commit(vec![Change::insert(row)]).await.unwrap();
}

/// Another provider, by its number; the greater the younger.
pub(super) fn provider_no(number: u128) -> Provider {
    let mut other = Provider {
        id: ProviderId::from_uuid(uuid(1000 + number)),
        name: format!("Provider {number}"),
        created_at: START + TimeDelta::seconds(i64::try_from(number).unwrap()),
        ..provider()
    };
    other.client_secret = sealed(other.secret_place(), "client secret");
    other
}

/// The caller's link to a provider, with that token for an hour and a refresh token.
pub(super) fn link(at: &Provider, token: &str) -> Authorization {
    let mut link = Authorization {
        id: AuthorizationId::from_uuid(uuid(2000 + at.id.as_uuid().as_u128())),
        provider_id: at.id,
        ..authorization()
    };
    link.access_token = sealed(link.access_token_place(), token);
    link.refresh_token = Some(sealed(link.refresh_token_place(), "old refresh"));
    link
}

/// Another account of the same person there, authorized so much later.
pub(super) fn later(link: &Authorization, seconds: i64, subject: &str, token: &str) -> Authorization {
    let mut later = Authorization {
        id: AuthorizationId::from_uuid(uuid(link.id.as_uuid().as_u128() + 5000)),
        subject: subject.to_owned(),
        authorized_at: link.authorized_at + TimeDelta::seconds(seconds),
        version: Version::FIRST,
        ..link.clone()
    };
    later.access_token = sealed(later.access_token_place(), token);
    later.refresh_token = Some(sealed(later.refresh_token_place(), "old refresh"));
    later
}

/// The link as it is stored.
pub(super) async fn stored(at: &Installation) -> Authorization {
    let link = super::Link::at(provider().id, &caller(), &*at.store).await.unwrap();
    link.expect("a link").authorization.as_ref().clone()
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
