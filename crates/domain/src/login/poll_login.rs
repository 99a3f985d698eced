//! Polling for the token of a login on the web.

use std::sync::Arc;

use super::{LoginError, LoginRoute, LoginStage, LoginStore, ReleaseToken};
use crate::Secret;
use crate::accounts::IssuedToken;
use crate::secret::SecretHash;
use crate::services::Clock;

/// Tells a client how its login stands, and releases the token. It never waits.
pub struct PollLogin {
    /// Reads logins.
    pub logins: Arc<dyn LoginStore>,
    /// Makes tokens.
    pub(crate) release: Arc<ReleaseToken>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// How a login stands.
pub enum LoginPoll {
    /// The person has not answered yet.
    Pending,
    /// Here is the token.
    Token(Box<IssuedToken>),
}

impl PollLogin {
    /// Polls with the client's state.
    pub async fn run(&self, state: &Secret, request_id: Option<&str>) -> Result<LoginPoll, LoginError> {
        let login = self.logins.login_by_handle(&SecretHash::of(state.expose())).await?;
        let is_web = |route: &LoginRoute| matches!(route, LoginRoute::Client { .. });
        let login = login.filter(|login| is_web(&login.route) && !login.is_over(self.clock.now()));
        let login = login.ok_or(LoginError::UnknownState)?;
        match login.stage {
            // Its process died while it asked: the code is used up, and nothing comes of it any more.
            LoginStage::Asking { .. } if !login.is_being_asked(self.clock.now()) => {
                Err(LoginError::Unavailable { reason: LoginError::INTERRUPTED.to_owned() })
            }
            LoginStage::Pending | LoginStage::Asking { .. } | LoginStage::Identified(_) => {
                Ok(LoginPoll::Pending)
            }
            LoginStage::Granted { .. } | LoginStage::Released { .. } => {
                Ok(LoginPoll::Token(Box::new(self.release.run(login, request_id).await?)))
            }
            LoginStage::Ended(end) => Err(end.into()),
        }
    }
}

#[cfg(test)]
mod tests;
