//! Rules that only GitLab has.

use super::deployment::{CLIENT, Deployment, Visit};
use crate::browser::REDIRECT_URI;

const TABLES: [&str; 2] = ["gitlab", "gitlab-self-managed"];

/// <https://docs.gitlab.com/api/oauth2/>
#[tokio::test]
async fn a_refresh_repeats_the_redirect_uri() {
    for name in TABLES {
        let deployment = Deployment::open(name).await;
        let tokens = deployment.sign_in(deployment.visit()).await;
        let refresh = async |redirect_uri: &str| {
            let params = [
                ("grant_type", "refresh_token"),
                ("refresh_token", tokens.refresh()),
                ("redirect_uri", redirect_uri),
            ];
            deployment.token(deployment.client(CLIENT), &params).await
        };
        let answer = refresh("http://127.0.0.1:7/other").await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &"invalid_grant".into()));
        assert!(refresh(REDIRECT_URI).await.json()["access_token"].is_string());
    }
}

/// <https://gitlab.com/gitlab-org/gitlab/-/blob/master/config/initializers/doorkeeper_openid_connect.rb>
#[tokio::test]
async fn both_documents_and_the_token_info_name_the_same_user() {
    for name in TABLES {
        let deployment = Deployment::open(name).await;
        let scope = "openid profile email read_user";
        let tokens = deployment.sign_in(Visit { scope, user: "jonas", ..deployment.visit() }).await;
        let web = deployment.facts.token.path.strip_suffix("/oauth/token").expect("the token endpoint");
        let read = async |path: &str| deployment.get(&format!("{web}{path}"), &tokens.access).await.json();
        let (claims, user) = (read("/oauth/userinfo").await, read("/api/v4/user").await);
        let id = user["id"].as_u64().expect("a number");
        assert_eq!(claims["sub"], id.to_string());
        assert_eq!(read("/oauth/token/info").await["resource_owner_id"], id);
        assert_eq!((&claims["preferred_username"], &claims["email"]), (&user["username"], &user["email"]));
    }
}

/// <https://docs.gitlab.com/api/oauth2/>
#[tokio::test]
async fn a_token_says_when_it_was_made() {
    let deployment = Deployment::open("gitlab").await;
    let tokens = deployment.sign_in(deployment.visit()).await;
    assert_eq!(tokens.answer["created_at"], deployment.now());
    deployment.pass(60);
    let info = deployment.get(&deployment.facts.access_token.probe, &tokens.access).await.json();
    assert_eq!((&info["expires_in"], &info["created_at"]), (&7140.into(), &tokens.answer["created_at"]));
}
