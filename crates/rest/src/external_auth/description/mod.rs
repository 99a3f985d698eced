//! The description of this API: a function for each handler, under the same name.

pub(super) mod device;
mod failures;
pub(super) mod values;

use super::BASE;
use crate::openapi::{Operation, Route, text};

/// A route below the base path, with what holds for every one of them.
pub(super) fn route(method: &str, path: &str, mut operation: Operation) -> Route {
    use failures::{internal, not_found, too_large, too_many, too_slow, unauthenticated, unavailable};

    if path.contains("{id}") {
        operation = operation.path_parameter("id", "The provider: its slug, or its id.", text());
        operation = operation.fails([not_found()]);
    }
    if operation.has_body() {
        operation = operation.fails([too_large(), too_slow()]);
    }
    let operation = operation.called_with(["coderSessionToken", "bearer"]).fails([
        unauthenticated(),
        too_many(),
        internal(),
        unavailable(),
    ]);
    Route::in_table(method, format!("{BASE}{path}"), operation)
}
