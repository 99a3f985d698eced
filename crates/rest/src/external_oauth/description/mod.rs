//! The description of this API: a function for each handler, under the same name. `routes!` brings the two together, so
//! that a route without a description does not compile.

pub(super) mod authorizations;
mod examples;
mod failures;
pub(super) mod jobs;
pub(super) mod providers;
pub(super) mod revocations;
pub(in super::super) mod values;

use super::BASES;
use crate::openapi::{Operation, Route};

/// A route below the base paths, with what holds for every one of them.
pub(super) fn route(method: &str, path: &str, mut operation: Operation) -> Route {
    use failures::{
        internal, invalid, not_for_agents, not_found, too_large, too_many, too_slow, unauthenticated,
        unavailable,
    };

    if path.contains("{id}") {
        operation = operation.path_parameter("id", "An id as this API gave it.", values::id());
        operation = operation.fails([not_found(), invalid()]);
    }
    if operation.has_query() {
        operation = operation.fails([invalid()]);
    }
    if operation.has_body() {
        operation = operation.fails([invalid(), too_large(), too_slow()]);
    }
    let operation = operation.or_fails([not_for_agents()]);
    let operation = operation.fails([unauthenticated(), too_many(), internal(), unavailable()]);
    Route::in_table(method, format!("{}{path}/", BASES[0]), operation)
}
