//! The description of this API: a function for each handler, under the same name.

pub(super) mod agent;
pub(super) mod device;
mod failures;
pub(super) mod links;
pub(super) mod values;

use crate::openapi::{Operation, Route, text};

/// A route, with what holds for every one of them.
pub(super) fn route(method: &str, path: &str, mut operation: Operation) -> Route {
    use failures::{
        internal, not_for_agents, not_found, too_large, too_many, too_slow, unauthenticated, unavailable,
    };

    if path.contains("{id}") {
        operation = operation.path_parameter("id", "The provider: its slug, or its id.", text());
        operation = operation.fails([not_found()]);
    }
    if path.starts_with("/api/v2/external-auth") {
        operation = operation.fails([not_for_agents()]);
    }
    if operation.has_body() {
        operation = operation.fails([too_large(), too_slow()]);
    }
    let operation = operation.called_with(["coderSessionToken", "bearer", "coderSessionCookie"]).fails([
        unauthenticated(),
        too_many(),
        internal(),
    ]);
    let operation = operation.or_fails([unavailable()]);
    Route::in_table(method, path, operation)
}
