//! Providers: the OAuth clients that organizations registered, and the port to the providers themselves.

mod capabilities;
mod client;
mod delete_provider;
mod endpoints;
mod find_git_provider;
mod find_provider;
mod git_remote;
mod kind;
mod list_providers;
mod ports;
mod provider;
mod register_provider;
mod slug;
mod update_provider;
mod view_provider;

pub use capabilities::*;
pub use client::*;
pub use delete_provider::{DeleteProvider, DeleteProviderError};
pub use endpoints::{ClientAuthentication, PkceSupport, ProviderEndpoints};
pub use find_git_provider::{FindGitProvider, FindGitProviderError};
pub use find_provider::FindProvider;
pub use git_remote::{GitHost, GitHostError, GitHosts, GitRemote, GitRemoteError};
pub use kind::ProviderKind;
pub use list_providers::ListProviders;
pub use ports::*;
pub use provider::{Provider, ProviderStatus};
pub use register_provider::{NewProvider, RegisterProvider, RegisterProviderError};
pub use slug::{Slug, SlugError};
pub use update_provider::{ProviderUpdate, RequestedStatus, UpdateProvider, UpdateProviderError};
pub use view_provider::{ProviderNotFound, ProviderView, ViewProvider};
