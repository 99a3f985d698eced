//! The few pages for people: plain HTML, no scripts, readable in light and dark.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::answers;
use crate::state::{ConsentQuestion, User};

const STYLE: &str = "
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 10vh auto; padding: 0 1rem; }
fieldset { margin: 1rem 0; border: 1px solid; border-radius: .5rem; }
label { display: block; padding: .25rem 0; }
input, button { font: inherit; }
button { padding: .5rem 1.25rem; margin: 0 .5rem 0 0; border-radius: .5rem; border: 1px solid; cursor: pointer; }
button[value=approve] { font-weight: 600; }
small { opacity: .8; }
";

/// Asks whether a client may have what it wants.
pub(crate) fn consent(question: &ConsentQuestion, action: &str) -> HttpResponse {
    let client = escape(&question.client_id);
    let item = |scope: &String| format!("<li><code>{}</code></li>", escape(scope));
    let scopes: String = question.scopes.iter().map(item).collect();
    let wish = if scopes.is_empty() {
        "<p>It asks for no scope.</p>".to_owned()
    } else {
        format!("<p>It asks for:</p><ul>{scopes}</ul>")
    };
    let main = format!(
        "<p><strong>{client}</strong> asks for access to an account.</p>{wish}\
         <form method=\"post\" action=\"{action}\">\
         <input type=\"hidden\" name=\"ticket\" value=\"{ticket}\">{users}{buttons}</form>",
        action = escape(action),
        ticket = escape(&question.ticket),
        users = choice_of_users(&question.users),
        buttons = BUTTONS,
    );
    page(StatusCode::OK, "Allow access?", &main)
}

/// Asks for the code that a device shows.
pub(crate) fn device(user_code: &str, action: &str) -> HttpResponse {
    let main = format!(
        "<form method=\"post\" action=\"{}\">\
         <label for=\"user_code\">The code that the device shows</label>\
         <input id=\"user_code\" name=\"user_code\" value=\"{}\" required autocomplete=\"off\" \
         autocapitalize=\"characters\" spellcheck=\"false\">{}{BUTTONS}</form>",
        escape(action),
        escape(user_code),
        choice_of_users(&User::offered()),
    );
    page(StatusCode::OK, "Connect a device", &main)
}

/// Tells something.
pub(crate) fn message(title: &str, text: &str) -> HttpResponse {
    page(StatusCode::OK, title, &format!("<p>{}</p>", escape(text)))
}

/// Tells what is wrong with a request.
pub(crate) fn refusal(reason: &str) -> HttpResponse {
    page(StatusCode::BAD_REQUEST, "This cannot be answered", &format!("<p>{}</p>", escape(reason)))
}

/// The text of a page as gateways send it when what is behind them fails.
pub(crate) fn gateway_error(status: StatusCode) -> String {
    format!(
        "<html>\n<head><title>{status}</title></head>\n<body>\n<center><h1>{status}</h1></center>\n\
         <hr><center>simulated gateway</center>\n</body>\n</html>\n"
    )
}

const BUTTONS: &str = "<p><button name=\"decision\" value=\"approve\">Approve</button>\
                       <button name=\"decision\" value=\"deny\">Deny</button></p>";

fn choice_of_users(users: &[User]) -> String {
    let choice = |(position, user): (usize, &User)| {
        format!(
            "<label><input type=\"radio\" name=\"user\" value=\"{}\"{}> {} <small>{}</small></label>",
            escape(&user.sub),
            if position == 0 { " checked" } else { "" },
            escape(&user.name),
            escape(&user.email),
        )
    };
    let choices: String = users.iter().enumerate().map(choice).collect();
    format!("<fieldset><legend>Sign in as</legend>{choices}</fieldset>")
}

fn page(status: StatusCode, title: &str, main: &str) -> HttpResponse {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – simulated provider</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{main}\n\
         <p><small>This is a simulated provider, for tests and demonstrations. Nobody here is real.</small></p>\n\
         </main>\n</body>\n</html>\n"
    );
    answers::uncached(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, security_policy()))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(html)
}

/// Only our own style sheet. There is no `form-action`: browsers apply it to the redirect back to the client, too.
fn security_policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'")
}

/// Makes text safe in HTML text and in quoted attributes.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
        assert_eq!(escape("plain"), "plain");
    }
}
