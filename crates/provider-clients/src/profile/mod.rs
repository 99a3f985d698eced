//! What providers tell about a user, in our own words: one pure function per document that a provider has.
//!
//! All of them go by the same rules. The subject is the provider's stable id as text, never a login or an e-mail
//! address; a document without one is about nobody (`None`). Empty values are absent. Whether an address is verified is
//! told only together with the address. A picture is an absolute https URL. Given and family names come from fields of
//! their own, never by splitting a display name. The documents are kept beside it as they came.

mod bitbucket;
mod box_com;
mod documents;
mod fields;
mod github;
mod gitlab;
mod google;
mod microsoft;
mod oidc;

pub(crate) use bitbucket::{bitbucket_cloud, bitbucket_data_center};
pub(crate) use box_com::box_com;
pub(crate) use documents::ClaimsSource;
pub(crate) use github::github;
pub(crate) use gitlab::{gitlab_api, gitlab_oidc};
pub(crate) use google::google;
pub(crate) use microsoft::{microsoft_graph, microsoft_id_token};
pub(crate) use oidc::oidc;

#[cfg(test)]
mod goldens;
#[cfg(test)]
mod properties;
