//! What the REST API of GitHub tells about a user.

use serde_json::{Value, json};

use crate::sites::joined;
use crate::state::{Access, Provider};

/// `GET /user`. The address is private, as most users keep it.
pub(super) fn user(provider: &Provider, access: &Access) -> Value {
    let login = access.user.login();
    let id: u64 = access.sub.parse().unwrap_or_default();
    let at = |rest: &str| format!("{}/users/{login}{rest}", provider.place.api_name);
    let own = json!({
        "login": login,
        "id": id,
        "node_id": format!("U_{id}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "gravatar_id": "",
        "url": at(""),
        "html_url": format!("{}/{login}", provider.place.web_name),
        "followers_url": at("/followers"),
        "following_url": at("/following{/other_user}"),
        "gists_url": at("/gists{/gist_id}"),
        "starred_url": at("/starred{/owner}{/repo}"),
        "subscriptions_url": at("/subscriptions"),
        "organizations_url": at("/orgs"),
        "repos_url": at("/repos"),
        "events_url": at("/events{/privacy}"),
        "received_events_url": at("/received_events"),
        "name": access.user.name,
    });
    joined([own, same_for_all()])
}

/// What is the same for all users.
fn same_for_all() -> Value {
    json!({
        "type": "User",
        "user_view_type": "private",
        "site_admin": false,
        "company": "Example Labs",
        "blog": "",
        "location": "Lisbon",
        "email": null,
        "hireable": null,
        "bio": "Made up for tests",
        "twitter_username": null,
        "notification_email": null,
        "public_repos": 14,
        "public_gists": 2,
        "followers": 31,
        "following": 9,
        "created_at": "2018-06-04T09:12:44Z",
        "updated_at": "2026-08-30T17:05:10Z",
        "private_gists": 1,
        "total_private_repos": 3,
        "owned_private_repos": 3,
        "disk_usage": 20480,
        "collaborators": 1,
        "two_factor_authentication": true,
        "plan": {"name": "pro", "space": 976_562_499, "collaborators": 0, "private_repos": 9999},
    })
}

/// `GET /user/emails`. The first address is not the primary one.
pub(super) fn emails(access: &Access) -> Value {
    let login = access.user.login();
    let noreply = format!("{}+{login}@users.noreply.github.com", access.sub);
    json!([
        {"email": noreply, "primary": false, "verified": true, "visibility": null},
        {"email": access.user.email, "primary": true, "verified": true, "visibility": "private"},
        {"email": format!("old-{login}@mail.example"), "primary": false, "verified": false, "visibility": null},
    ])
}
