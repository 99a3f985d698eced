//! Reading the members of a JSON object, and telling all that is wrong with them at once.

use grantkeeper_domain::Secret;
use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::GitHosts;
use serde_json::{Map, Value};

use super::error::{ApiError, FieldError};

/// The members of an object. A reader takes those it knows; [`Fields::finish`] refuses what is left.
pub(super) struct Fields {
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

/// What a text may be.
#[derive(Clone, Copy)]
pub(super) struct TextRule {
    pub(super) longest: usize,
    /// Line breaks and other control characters; a secret may have any character.
    pub(super) control_characters: bool,
}

/// A name for people.
pub(super) const NAME: TextRule = TextRule { longest: 255, control_characters: false };
/// An id of somebody else's making.
pub(super) const FOREIGN_ID: TextRule = TextRule { longest: 1024, control_characters: false };
/// A URL.
pub(super) const URL: TextRule = TextRule { longest: 2048, control_characters: false };
/// A secret, code or state.
pub(super) const SECRET: TextRule = TextRule { longest: 64 * 1024, control_characters: true };

/// Places of git repositories that one provider may have.
pub(super) const MOST_GIT_HOSTS: usize = 32;

impl Fields {
    pub(super) fn new(members: Map<String, Value>) -> Self {
        Self { members, errors: Vec::new() }
    }

    /// Notes what is wrong with a field.
    pub(super) fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError { name: name.to_owned(), message: message.into() });
    }

    /// A text that must be there; empty where it is not, which [`Self::finish`] then tells.
    pub(super) fn required_text(&mut self, name: &str, rule: TextRule) -> String {
        if !self.members.contains_key(name) {
            self.refuse(name, "is required");
            return String::new();
        }
        self.text(name, rule).unwrap_or_default()
    }

    /// A secret that must be there.
    pub(super) fn required_secret(&mut self, name: &str) -> Secret {
        Secret::new(self.required_text(name, SECRET))
    }

    /// A text, where it is there.
    pub(super) fn text(&mut self, name: &str, rule: TextRule) -> Option<String> {
        let Value::String(text) = self.members.remove(name)? else {
            self.refuse(name, "must be a string");
            return None;
        };
        match wrong_with(&text, rule) {
            None => Some(text),
            Some(message) => {
                self.refuse(name, message);
                None
            }
        }
    }

    /// A secret, where it is there.
    pub(super) fn secret(&mut self, name: &str) -> Option<Secret> {
        self.text(name, SECRET).map(Secret::new)
    }

    /// A boolean, where it is there.
    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.members.remove(name)?;
        if !value.is_boolean() {
            self.refuse(name, "must be true or false");
        }
        value.as_bool()
    }

    /// A list of scopes, where it is there.
    pub(super) fn scopes(&mut self, name: &str) -> Option<Scopes> {
        let Value::Array(items) = self.members.remove(name)? else {
            self.refuse(name, "must be a list of strings");
            return None;
        };
        let scope = |item: &Value| item.as_str().filter(|text| Scopes::is_scope(text)).map(str::to_owned);
        let scopes: Option<Scopes> =
            items.iter().map(scope).collect::<Option<Vec<_>>>().map(Scopes::from_iter);
        if scopes.as_ref().is_none_or(Scopes::is_empty) {
            self.refuse(
                name,
                "must be a list of scopes: not empty, each printable ASCII without spaces, commas, \" and \\",
            );
            return None;
        }
        scopes
    }

    /// A list of places of git repositories, where it is there; it may be empty.
    pub(super) fn git_hosts(&mut self, name: &str) -> Option<GitHosts> {
        let value = self.members.remove(name)?;
        let items = value.as_array().filter(|items| items.len() <= MOST_GIT_HOSTS);
        let texts = items.and_then(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let Some(texts) = texts else {
            self.refuse(name, format!("must be a list of at most {MOST_GIT_HOSTS} strings"));
            return None;
        };
        let hosts = GitHosts::parse(texts);
        if let Err(error) = &hosts {
            self.refuse(name, format!("has one that {error}"));
        }
        hosts.ok()
    }

    /// A text that names one of a few things, where it is there.
    pub(super) fn choice<T>(
        &mut self,
        name: &str,
        choose: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let text = self.text(name, NAME)?;
        let chosen = choose(&text);
        if chosen.is_none() {
            self.refuse(name, format!("must be one of {expected}"));
        }
        chosen
    }

    /// The end: unknown members are refused, and all that was wrong is told.
    pub(super) fn finish(mut self) -> Result<(), ApiError> {
        let unknown: Vec<String> = self.members.keys().cloned().collect();
        for name in unknown {
            self.refuse(&shortened(&name), "is not a field of this request");
        }
        if self.errors.is_empty() { Ok(()) } else { Err(ApiError::invalid_fields(self.errors)) }
    }
}

fn wrong_with(text: &str, rule: TextRule) -> Option<String> {
    if text.trim().is_empty() {
        return Some("must not be empty".to_owned());
    }
    if text.chars().count() > rule.longest {
        return Some(format!("must not be longer than {} characters", rule.longest));
    }
    if !rule.control_characters && text.chars().any(char::is_control) {
        return Some("must not have control characters".to_owned());
    }
    None
}

/// Somebody else's field name is repeated, but not endlessly.
fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}
