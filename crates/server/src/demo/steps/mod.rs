//! The steps of the walk, a file each.

mod authorize;
mod delete;
mod device;
mod every_type;
mod expire;
mod leave;
mod lend;
mod look_up_user;
mod refresh;
mod register;
mod revoke;

pub(super) use authorize::authorize_for_a_moment;
pub(super) use delete::delete;
pub(super) use device::device;
pub(super) use every_type::every_type;
pub(super) use expire::expire;
pub(super) use leave::{LeftBehind, leave};
pub(super) use lend::{LentToken, lend};
pub(super) use look_up_user::look_up_user;
pub(super) use refresh::refresh;
pub(super) use register::register;
pub(super) use revoke::revoke;
