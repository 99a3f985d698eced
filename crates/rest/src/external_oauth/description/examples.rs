//! Examples of what is sent and answered. The tests hold each against its schema.

use serde_json::{Value, json};

pub(super) const ID: &str = "019b76da-a87b-7cdf-8584-cac45c6cb651";
const ORGANIZATION: &str = "019b76da-a87b-715c-8289-ec2d0a9167ec";
const REGISTERED: &str = "2026-01-01T00:00:00.123456Z";
const EXPIRES: &str = "2026-01-01T01:00:00.123456Z";

pub(super) fn new_provider() -> Value {
    json!({
        "name": "Example",
        "type": "oidc",
        "clientId": "client-1",
        "clientSecret": "…",
        "host": "https://id.example.com",
        "scopes": ["offline_access", "openid"],
    })
}

pub(super) fn new_simulated_provider() -> Value {
    json!({ "name": "Simulated", "type": "test", "clientId": "client-1", "clientSecret": "…" })
}

pub(super) fn provider_change() -> Value {
    json!({ "clientSecret": "…", "status": "active" })
}

pub(super) fn provider() -> Value {
    json!({
        "id": ID,
        "orgId": ORGANIZATION,
        "name": "Example",
        "type": "oidc",
        "status": "active",
        "clientId": "client-1",
        "secureConfigId": "019b76da-a87b-7fc4-8a46-2a3a71e1e692",
        "skipConsent": false,
        "metadata": { "host": "https://id.example.com" },
        "createdAt": REGISTERED,
        "updatedAt": REGISTERED,
        "slug": "example",
        "scopes": ["offline_access", "openid"],
        "deviceFlow": false,
        "keepAlive": true,
        "callbackUrl": format!("https://auth.example.com/callback/{ID}"),
        "supportsRevocation": true,
        "revocationScope": "grant",
    })
}

pub(super) fn started_flow() -> Value {
    json!({
        "redirectUrl": "https://id.example.com/authorize?response_type=code&client_id=client-1&state=…",
        "state": "fUoC2vIz4oH5cBgV1m0rZw",
    })
}

pub(super) fn flow_completion() -> Value {
    json!({ "providerId": ID, "code": "SplxlOBeZQQYbYS6WxSbIA", "state": "fUoC2vIz4oH5cBgV1m0rZw" })
}

pub(super) fn completed_flow() -> Value {
    json!({ "authorizedProvider": authorization(), "userInfo": user_info() })
}

pub(super) fn authorization() -> Value {
    json!({
        "id": "019b76da-a87b-7039-acf0-973b47fb450b",
        "createdAt": REGISTERED,
        "userId": "019b76da-a87b-7330-b721-3230d9e47ad5",
        "orgId": ORGANIZATION,
        "oauthClientId": "client-1",
        "credentialId": "019b76da-a87b-75cc-a4c5-330c694d9a9c",
        "provider": provider(),
        "status": "active",
        "statusSince": REGISTERED,
        "grantedScopes": ["offline_access", "openid"],
        "missingScopes": [],
        "accessTokenExpiresAt": EXPIRES,
    })
}

pub(super) fn access_token() -> Value {
    json!({
        "accessToken": "2YotnFZFEjr1zCsicMWpAA",
        "authorizedOauthProvider": authorization(),
        "expiresAt": EXPIRES,
    })
}

pub(super) fn user_info() -> Value {
    json!({
        "sub": "1001",
        "email": "jane@example.com",
        "name": "Jane Doe",
        "nickName": "jane",
        "nickname": "jane",
        "raw": { "sub": "1001", "email": "jane@example.com", "name": "Jane Doe", "nickname": "jane" },
    })
}

pub(super) fn new_job() -> Value {
    json!({ "type": "STATS" })
}

pub(super) fn job_location() -> Value {
    json!({ "location": format!("https://auth.example.com{}/jobs/{ID}/", super::BASES[0]) })
}

pub(super) fn job() -> Value {
    json!({
        "id": ID,
        "name": "Count providers, authorizations and hand-outs",
        "orgId": ORGANIZATION,
        "type": "STATS",
        "status": "COMPLETED",
        "startedAt": REGISTERED,
        "finishedAt": REGISTERED,
        "details": [
            { "name": "providers_by_type", "value": "{\"oidc\":1}" },
            { "name": "hand_outs", "value": "17" },
        ],
    })
}

pub(super) fn revocation() -> Value {
    json!({
        "id": ID,
        "orgId": ORGANIZATION,
        "userId": "019b76da-a87b-7330-b721-3230d9e47ad5",
        "providerId": "019b76da-a87b-7fc4-8a46-2a3a71e1e692",
        "authorizationId": "019b76da-a87b-7039-acf0-973b47fb450b",
        "status": "failed",
        "reason": "timeout",
        "attempts": 178,
        "createdAt": REGISTERED,
        "finishedAt": "2026-01-08T00:00:00.123456Z",
        "settingsUrl": "https://id.example.com/settings/applications",
    })
}
