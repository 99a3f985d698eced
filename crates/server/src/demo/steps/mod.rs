//! The steps of the walk, a file each.

mod authorize;
mod delete;
mod device;
mod every_type;
mod expire;
mod leave;
mod lend;
mod look_up_user;
mod read_by_agent;
mod refresh;
mod register;
mod revoke;
mod sign_in;
mod sign_in_by_browser;
mod sign_in_by_device;
mod sign_out;

pub(super) use authorize::authorize_for_a_moment;
pub(super) use delete::delete;
pub(super) use device::device;
pub(super) use every_type::every_type;
pub(super) use expire::expire;
pub(super) use leave::{LeftBehind, leave};
pub(super) use lend::{LentToken, lend};
pub(super) use look_up_user::look_up_user;
pub(super) use read_by_agent::read_by_agent;
pub(super) use refresh::refresh;
pub(super) use register::register;
pub(super) use revoke::revoke;
pub(super) use sign_in::SignedIn;
pub(super) use sign_in_by_browser::sign_in_by_browser;
pub(super) use sign_in_by_device::sign_in_by_device;
pub(super) use sign_out::sign_out;
