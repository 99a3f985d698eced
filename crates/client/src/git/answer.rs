//! What git is told.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use super::GitProtocolError;
use crate::tokens::LentToken;

/// Tells git to ask nobody else, no helper and no person, and to give up.
pub const QUIT: &str = "quit=1\n";

/// Credentials for git.
pub struct CredentialAnswer<'a> {
    username: &'a str,
    password: &'a str,
    expires_at: Option<DateTime<Utc>>,
}

impl<'a> CredentialAnswer<'a> {
    /// The credentials that a token makes.
    pub fn of(token: &'a LentToken) -> Self {
        Self {
            username: token.username.expose(),
            password: token.password.expose(),
            expires_at: token.expires_at(),
        }
    }

    /// The lines; older versions of git pass by what they do not know.
    pub fn lines(&self) -> Result<Zeroizing<String>, GitProtocolError> {
        if [self.username, self.password].into_iter().any(|value| value.contains(char::is_control)) {
            return Err(GitProtocolError::Unspeakable);
        }
        // So long that it never grows, and leaves no copy behind.
        let mut lines = Zeroizing::new(String::with_capacity(self.username.len() + self.password.len() + 80));
        for (key, value) in [("username", self.username), ("password", self.password)] {
            lines.extend([key, "=", value, "\n"]);
        }
        if let Some(at) = self.expires_at {
            let _ = writeln!(lines, "password_expiry_utc={}", at.timestamp());
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer<'a>(username: &'a str, password: &'a str, expires_at: Option<i64>) -> CredentialAnswer<'a> {
        let expires_at = expires_at.and_then(DateTime::from_timestamp_secs);
        CredentialAnswer { username, password, expires_at }
    }

    #[test]
    fn credentials_are_lines() {
        let lines = answer("oauth2", "t=1", Some(1_795_348_800)).lines().expect("good values");
        assert_eq!(*lines, "username=oauth2\npassword=t=1\npassword_expiry_utc=1795348800\n");
        assert_eq!(*answer("token", "", None).lines().expect("good values"), "username=token\npassword=\n");
    }

    #[test]
    fn no_value_makes_a_line_of_its_own() {
        for value in ["a\nhost=b.example", "a\r", "a\0", "\u{85}"] {
            assert_eq!(answer(value, "", None).lines().err(), Some(GitProtocolError::Unspeakable));
            assert_eq!(answer("", value, None).lines().err(), Some(GitProtocolError::Unspeakable));
        }
    }
}
