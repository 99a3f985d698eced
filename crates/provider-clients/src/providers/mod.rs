//! One file per type of provider.

mod bitbucket;
mod box_com;
mod github;
mod gitlab;
mod google;
mod microsoft;
mod oidc;

pub(crate) use bitbucket::BitbucketClient;
pub(crate) use box_com::BoxClient;
pub(crate) use github::GithubClient;
pub(crate) use gitlab::GitlabClient;
pub(crate) use google::GoogleClient;
pub(crate) use microsoft::MicrosoftClient;
pub(crate) use oidc::OidcClient;
