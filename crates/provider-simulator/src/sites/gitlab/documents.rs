//! What GitLab tells about itself and about a user.

use serde_json::{Map, Value, json};

use crate::sites::joined;
use crate::state::{Access, Provider};
use crate::subjects;

/// The discovery document.
pub(super) fn metadata(provider: &Provider) -> Value {
    let at = |path: &str| format!("{}{path}", provider.place.web);
    let mut document = json!({
        "issuer": provider.place.issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "device_authorization_endpoint": at("/oauth/authorize_device"),
        "jwks_uri": at("/oauth/discovery/keys"),
        "scopes_supported": ["api", "read_api", "read_user", "read_repository", "openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "sub_legacy", "name", "nickname", "preferred_username", "email",
            "email_verified", "website", "profile", "picture", "groups", "groups_direct",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    if provider.settings.announce_iss {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    }
    document
}

/// The claims of `/oauth/userinfo`. Without the scope `email` there is only the public address, and these users have
/// none.
pub(super) fn userinfo(access: &Access, base: &str) -> Map<String, Value> {
    let login = access.user.login();
    let mut claims = Map::new();
    let mut insert = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    insert("sub", json!(access.sub));
    insert("sub_legacy", json!(subjects::uuid(&access.sub).replace('-', "")));
    if access.has("profile") || access.has("openid") {
        insert("name", json!(access.user.name));
        insert("nickname", json!(login));
        insert("preferred_username", json!(login));
        insert("profile", json!(format!("{base}/{login}")));
        insert("picture", json!(picture(access, base)));
        insert("groups", json!(["example", "example/release"]));
    }
    if access.has("email") {
        insert("email", json!(access.user.email));
        insert("email_verified", json!(true));
    }
    claims
}

fn picture(access: &Access, base: &str) -> String {
    format!("{base}/uploads/-/system/user/avatar/{}/avatar.png", access.sub)
}

/// `GET /api/v4/user`.
pub(super) fn user(access: &Access, base: &str) -> Value {
    let login = access.user.login();
    let own = json!({
        "id": access.sub.parse::<u64>().unwrap_or_default(),
        "username": login,
        "public_email": "",
        "name": access.user.name,
        "avatar_url": picture(access, base),
        "web_url": format!("{base}/{login}"),
        "email": access.user.email,
        "commit_email": access.user.email,
    });
    joined([own, same_for_all()])
}

/// What is the same for all users.
fn same_for_all() -> Value {
    json!({
        "state": "active",
        "locked": false,
        "created_at": "2017-02-19T11:40:03.512Z",
        "bio": "Made up for tests",
        "location": "Bergen",
        "linkedin": "",
        "twitter": "",
        "discord": "",
        "github": "",
        "website_url": "",
        "organization": "Example",
        "job_title": "Release engineer",
        "pronouns": "",
        "bot": false,
        "work_information": "Release engineer at Example",
        "local_time": "4:22 PM",
        "last_sign_in_at": "2026-09-01T07:14:55.120Z",
        "confirmed_at": "2017-02-19T11:52:10.004Z",
        "last_activity_on": "2026-09-02",
        "theme_id": 1,
        "color_scheme_id": 1,
        "projects_limit": 100_000,
        "current_sign_in_at": "2026-09-02T06:58:31.870Z",
        "identities": [],
        "can_create_group": true,
        "can_create_project": true,
        "two_factor_enabled": true,
        "external": false,
        "private_profile": false,
        "preferred_language": "en",
        "shared_runners_minutes_limit": null,
        "extra_shared_runners_minutes_limit": null,
    })
}

/// `GET /api/v4/user/emails`: the addresses beside the primary one.
pub(super) fn emails(access: &Access) -> Value {
    let login = access.user.login();
    let confirmed_at = "2021-03-26T19:07:56.248Z";
    json!([
        {"id": 91, "email": format!("{login}.private@mail.example"), "confirmed_at": confirmed_at},
        {"id": 92, "email": format!("{login}.new@mail.example"), "confirmed_at": null},
    ])
}
