//! The userinfo endpoint (OpenID Connect Core, 5.3).

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::UserInfo;
use grantkeeper_domain::providers::{
    ExpectedUser, IdentifyUser, Identity, ProviderConnection, UpstreamError,
};
use reqwest::header::CONTENT_TYPE;

use super::ReadClaims;
use crate::failure::{unavailable, untrusted};
use crate::http::{Answer, Call, GuardedClient};
use crate::identity::of_expected_user;
use crate::profile::ClaimsSource;
use crate::resources::refusal;

/// Asks the pinned userinfo endpoint.
pub(crate) struct UserinfoEndpoint {
    pub(crate) http: Arc<GuardedClient>,
    /// Reads the claims.
    pub(crate) profile: ReadClaims,
}

#[async_trait]
impl IdentifyUser for UserinfoEndpoint {
    async fn identify_user<'a>(
        &self,
        connection: &ProviderConnection,
        access_token: &Secret,
        expected: Option<ExpectedUser<'a>>,
    ) -> Result<Identity, UpstreamError> {
        let endpoints = &connection.client.endpoints;
        let url = endpoints.userinfo.as_ref().ok_or(UpstreamError::NotSupported)?;
        let answer = self.http.send(Call::get_json(url).bearer(access_token)?).await?;
        let user = read_userinfo(&answer, self.profile, self.http.now())?;
        let identity = Identity { issuer: endpoints.issuer.clone(), subject: user.sub.clone(), user };
        of_expected_user(identity, expected)
    }
}

fn read_userinfo(
    answer: &Answer,
    profile: ReadClaims,
    now: DateTime<Utc>,
) -> Result<UserInfo, UpstreamError> {
    if let Some(refusal) = refusal(answer, now) {
        return Err(refusal);
    }
    if !answer.status.is_success() {
        return Err(unavailable("unknown_error"));
    }
    if is_jwt(answer) {
        return Err(untrusted("signed_userinfo"));
    }
    let claims = serde_json::from_slice(&answer.body).map_err(|_| unavailable("unreadable_answer"))?;
    profile(claims, ClaimsSource::Userinfo).ok_or_else(|| untrusted("userinfo_subject_missing"))
}

/// A signed answer (OpenID Connect Core, 5.3.2). Only a client that registered for it gets one.
fn is_jwt(answer: &Answer) -> bool {
    let content_type =
        answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/jwt"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tests_answer as answer;

    fn read(status: u16, headers: &[(&str, &str)], body: &str) -> Result<String, UpstreamError> {
        let now = DateTime::UNIX_EPOCH;
        read_userinfo(&answer(status, headers, body.as_bytes()), crate::profile::oidc, now)
            .map(|user| user.sub)
    }

    #[test]
    fn the_subject_is_read_whatever_the_content_type() {
        assert_eq!(read(200, &[], r#"{"sub":"u1"}"#), Ok("u1".into()));
        assert_eq!(read(200, &[("content-type", "text/plain")], r#"{"sub":7}"#), Ok("7".into()));
    }

    #[test]
    fn a_refused_token_is_told_from_everything_else() {
        let challenge = ("www-authenticate", r#"Bearer realm="x", error="invalid_token""#);
        for (status, headers) in
            [(401, &[][..]), (401, &[challenge]), (400, &[challenge]), (403, &[challenge])]
        {
            assert_eq!(read(status, headers, ""), Err(UpstreamError::TokenRefused), "{status}");
        }
        let scope = ("www-authenticate", r#"Bearer error="insufficient_scope""#);
        for (status, headers, reason) in [
            (403, &[scope][..], "unknown_error"),
            (404, &[], "unknown_error"),
            (502, &[challenge], "server_trouble"),
            (302, &[], "redirect"),
            (200, &[], "unreadable_answer"),
        ] {
            assert_eq!(read(status, headers, "<html>"), Err(unavailable(reason)), "{status}");
        }
        assert_eq!(read(429, &[], ""), Err(UpstreamError::RateLimited { retry_after: None }));
    }

    #[test]
    fn what_cannot_be_checked_is_not_trusted() {
        let jwt = ("content-type", "Application/JWT; charset=utf-8");
        assert_eq!(read(200, &[jwt], "a.b.c"), Err(untrusted("signed_userinfo")));
        assert_eq!(read(200, &[], r#"{"name":"Nobody"}"#), Err(untrusted("userinfo_subject_missing")));
        assert_eq!(read(200, &[], r#"["sub"]"#), Err(unavailable("unreadable_answer")));
    }
}
