//! Reading query strings, and telling all that is wrong with one at once.

use actix_web::HttpRequest;

use super::error::ApiError;
use crate::query::Query;

/// The parameters of a call, and what is wrong with them.
pub(super) struct Parameters {
    query: Query,
    issues: Vec<String>,
}

impl Parameters {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let query = Query::of(request).map_err(|unreadable| {
            let name = unreadable.name.unwrap_or_else(|| "query".to_owned());
            ApiError::invalid(format!("{name}: must be UTF-8 in percent-encoding"))
        })?;
        Ok(Self { query, issues: Vec::new() })
    }

    /// A parameter that must be there; empty where it is not, which [`Self::check`] then tells.
    pub(super) fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.refuse(name, "is required");
            String::new()
        })
    }

    /// A parameter, where it is there.
    pub(super) fn optional(&mut self, name: &str) -> Option<String> {
        let value = self.one(name)?;
        if value.is_empty() {
            self.refuse(name, "must not be empty");
        }
        Some(value)
    }

    /// Whether a parameter is there, which has one value only.
    pub(super) fn is_set(&mut self, name: &str, value: &str) -> bool {
        let given = self.one(name);
        if given.as_ref().is_some_and(|given| given != value) {
            self.refuse(name, &format!("must be {value:?}"));
        }
        given.is_some()
    }

    /// Takes note of what is wrong with a parameter.
    pub(super) fn refuse(&mut self, name: &str, message: &str) {
        self.issues.push(format!("{name}: {message}"));
    }

    /// Refuses the call if anything is wrong.
    pub(super) fn check(self) -> Result<(), ApiError> {
        if self.issues.is_empty() { Ok(()) } else { Err(ApiError::invalid_for(self.issues)) }
    }

    /// The first value; more of them are noted.
    fn one(&mut self, name: &str) -> Option<String> {
        if self.query.one(name).is_err() {
            self.refuse(name, "must come once");
        }
        self.query.all(name).next().map(str::to_owned)
    }
}
