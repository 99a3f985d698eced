//! The description of this API: a function for each handler, under the same name.

pub(super) mod device;
pub(super) mod exchange;
mod failures;
pub(super) mod tokens;
pub(super) mod values;
pub(super) mod web;

use crate::openapi::{Operation, Route, text};

/// A route, with what holds for every one of them.
pub(super) fn route(method: &str, path: &str, mut operation: Operation) -> Route {
    use failures::{internal, not_for_agents, not_signed_in, too_many};

    if path.contains("{provider}") {
        operation = operation.path_parameter("provider", "The name of the login provider.", text());
    }
    if path.contains("{id}") {
        operation = operation.path_parameter("id", "The token's id.", text());
    }
    operation = match path {
        "/v1/login/token" => operation.called_with(["bearer"]).fails([not_signed_in()]),
        "/v1/me/tokens" | "/v1/me/tokens/{id}" => {
            operation.called_with(["bearer"]).fails([not_signed_in(), not_for_agents()])
        }
        "/v1/login/oauth2/web/poll" | "/login/oauth2/device/complete" => operation.open_to_all(),
        _ => operation.open_to_all().fails([too_many()]),
    };
    Route::in_table(method, path, operation.fails([internal()]))
}
