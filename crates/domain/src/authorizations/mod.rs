//! Authorizations: what a user granted at a provider, and the flow that gets it.

mod authorization;
mod begin_device_flow;
mod complete_flow;
mod confirm_flow;
mod delete_authorization;
mod device_flow;
mod exchange;
mod flow;
mod keep_grant;
mod look_up_user;
mod poll_device_flow;
mod ports;
mod redirect_uri;
mod scopes;
mod start_flow;
mod user_info;
mod view_authorizations;

pub use authorization::{Authorization, AuthorizationStatus, AuthorizationView, GrantState};
pub(crate) use authorization::{if_own, is_own};
pub use begin_device_flow::{BeginDeviceFlow, BeginDeviceFlowError, BegunDeviceFlow};
pub use complete_flow::{Callback, CompleteFlow, CompleteFlowError, CompletedFlow, ConnectResult};
pub use confirm_flow::{ConfirmFlow, ConfirmFlowError, ConfirmedFlow, FlowProgress, FlowSummary};
pub(crate) use delete_authorization::DetachError;
pub use delete_authorization::{DeleteAuthorization, DeleteAuthorizationError};
pub use device_flow::{DeviceFlow, DeviceStage, LONGEST_DEVICE_FLOW};
pub use exchange::ExchangeCode;
pub use flow::{CodeInUse, EXCHANGE_LIMIT, FLOW_LIFETIME, Flow, FlowOutcome, FlowRoute, FlowStage};
pub use keep_grant::KeepGrant;
pub use look_up_user::{LookUpUser, LookUpUserError};
pub use poll_device_flow::{DeviceFlowStatus, PollDeviceFlow, PollDeviceFlowError};
pub use ports::*;
pub use redirect_uri::{RedirectAllowList, RedirectUri, RedirectUriError};
pub use scopes::Scopes;
pub use start_flow::{StartFlow, StartFlowError, StartFlowRequest, StartedFlow};
pub use user_info::UserInfo;
pub use view_authorizations::{AuthorizationNotFound, ViewAuthorizations};
