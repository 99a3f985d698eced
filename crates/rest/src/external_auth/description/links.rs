//! Descriptions of links.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::super::wire::{WireLinks, WireUnlinked, WireView};
use crate::openapi::{Operation, Tag};

pub(in super::super) fn list() -> Operation {
    Operation::new(Tag::Links, "listLinks", "List the caller's links, and what can be linked")
        .described(
            "Every link is checked at its provider, all at once and each within two seconds; an expired access token is \
             refreshed first. A provider that cannot be asked leaves its link as it was known, and `validate_error` says why. \
             Where a user holds several accounts at a provider, the one that was authorized last is the link.",
        )
        .gives_a::<WireLinks<'_>>(StatusCode::OK, "The providers and the links.", links())
}

fn links() -> Value {
    json!({
        "providers": [{
            "id": "github",
            "type": "github",
            "device": true,
            "display_name": "GitHub",
            "display_icon": "",
            "allow_refresh": true,
            "allow_validate": true,
            "supports_revocation": true,
            "code_challenge_methods_supported": ["S256"],
        }],
        "links": [{
            "provider_id": "github",
            "created_at": "2026-01-01T00:00:00.123456Z",
            "updated_at": "2026-01-01T08:00:00.123456Z",
            "has_refresh_token": false,
            "expires": "0001-01-01T00:00:00Z",
            "authenticated": true,
            "validate_error": "",
        }],
    })
}

pub(in super::super) fn show() -> Operation {
    Operation::new(Tag::Links, "getLink", "Get the caller's link to a provider")
        .described("Who the user is there, as the provider tells it now. Without a link it is answered too.")
        .gives_a::<WireView<'_>>(StatusCode::OK, "The link, or that there is none.", view())
}

fn view() -> Value {
    json!({
        "authenticated": true,
        "device": true,
        "display_name": "GitHub",
        "user": {
            "id": 1001,
            "login": "ada",
            "name": "Ada Example",
            "avatar_url": "https://avatars.example.com/u/1001",
            "profile_url": "https://github.com/ada",
        },
        "app_installable": true,
        "installations": [{
            "id": 7,
            "account": {
                "id": 2002,
                "login": "acme",
                "name": "",
                "avatar_url": "https://avatars.example.com/u/2002",
                "profile_url": "https://github.com/acme",
            },
            "configure_url": "https://github.com/organizations/acme/settings/installations/7",
        }],
        "app_install_url": "https://github.com/apps/example/installations/new",
        "supports_revocation": true,
    })
}

pub(in super::super) fn unlink() -> Operation {
    Operation::new(Tag::Links, "deleteLink", "End the caller's link to a provider")
        .described(
            "With the accounts that the user holds there, all of them. The link is gone whatever is answered, and the tokens \
             are revoked at the provider: the first attempt is made at once, and what fails is tried again for days.",
        )
        .gives_a::<WireUnlinked>(StatusCode::OK, "The link is gone.", unlinked())
}

fn unlinked() -> Value {
    json!({ "token_revoked": true, "token_revocation_error": "" })
}
