//! The simulator held to what is known of the providers it plays.
//!
//! `tables/` has a file per deployment of a provider, in which every row names the pages that say so; a deployment that
//! differs little from another one inherits from it. `topics/` has what is checked of every deployment by those rows;
//! rules that only one provider has are tests beside this file. Nothing in here knows a client: requests are made and
//! answers are read as plain HTTP.

mod bitbucket;
mod deployment;
mod github;
mod gitlab;
mod google;
mod microsoft;
mod rows;
mod table;
mod tables;
mod topics;

/// A test per topic.
macro_rules! topics {
    ($table:literal: $($topic:ident)*) => {
        $(#[tokio::test]
        async fn $topic() {
            super::topics::$topic::check($table).await;
        })*
    };
}

/// Tests of every deployment: by the topics that all tables have rows for, and by those that this one has, too.
macro_rules! deployments {
    ($($deployment:ident: $table:literal and $($topic:ident)*;)*) => {
        /// The tables that are checked, each with the topics that not all have.
        const TABLES: &[(&str, &[&str])] = &[$(($table, &[$(stringify!($topic)),*])),*];

        $(mod $deployment {
            topics! {
                $table: access_tokens authorization client_authentication documents mistakes pkce refresh_tokens
                    rotation token_answers
            }
            topics! { $table: $($topic)* }
        })*
    };
}

deployments! {
    bitbucket_cloud: "bitbucket" and nothing rate_limits refresh_token_lifetime scopes;
    bitbucket_data_center: "bitbucket-data-center"
        and code_lifetime metadata nothing refresh_token_lifetime revocation scopes;
    box_cloud: "box" and code_lifetime nothing rate_limits refresh_token_lifetime revocation;
    github_app: "github-app"
        and code_lifetime device introspection live_tokens metadata nothing rate_limits refresh_token_lifetime
            revocation scopes;
    github_com: "github"
        and code_lifetime device introspection live_tokens metadata nothing rate_limits refresh_token_lifetime
            revocation scopes;
    github_enterprise_server: "github-enterprise"
        and code_lifetime device introspection live_tokens metadata nothing rate_limits refresh_token_lifetime
            revocation scopes;
    github_with_data_residency: "github-residency"
        and code_lifetime device introspection live_tokens metadata nothing rate_limits refresh_token_lifetime
            revocation scopes;
    gitlab_com: "gitlab" and code_lifetime device id_tokens introspection metadata rate_limits revocation scopes;
    gitlab_self_managed: "gitlab-self-managed"
        and code_lifetime device id_tokens introspection metadata rate_limits revocation scopes;
    google_cloud: "google"
        and device id_tokens introspection live_tokens metadata nothing rate_limits refresh_token_lifetime
            revocation scopes;
    microsoft_china: "microsoft-china"
        and code_lifetime device id_tokens metadata nothing rate_limits refresh_token_lifetime scopes;
    microsoft_global: "microsoft"
        and code_lifetime device id_tokens metadata nothing rate_limits refresh_token_lifetime scopes;
    microsoft_us_government: "microsoft-us-government"
        and code_lifetime device id_tokens metadata nothing rate_limits refresh_token_lifetime scopes;
    plain_openid: "oidc" and device id_tokens introspection metadata revocation scopes;
}
