//! Makes the calls of the `login` API with the published client of the reference system, unchanged.
//!
//! `golem-client BASE_URL` takes one call a line on standard input, as a JSON array (its name, then its arguments), and answers
//! each with a line on standard output: `{"ok":…}` with what the client read, as it would write it, or `{"error":"Error401"}`
//! with the variant of the client's own error, and what it says.

use std::fmt::{Debug, Display};
use std::io::{BufRead, Write};

use golem_client::api::{LoginClient, LoginClientLive};
use golem_client::{Context, Error, Security};
use reqwest::{Client, Url};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let base_url = std::env::args().nth(1).expect("the base URL is the argument");
    let base_url: Url = base_url.parse().expect("a URL");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input can be read");
        let call: Vec<String> = serde_json::from_str(&line).expect("a JSON array of strings");
        let told = make(&base_url, &call).await;
        writeln!(std::io::stdout(), "{told}").expect("standard output can be written");
    }
}

async fn make(base_url: &Url, call: &[String]) -> Value {
    let call: Vec<&str> = call.iter().map(String::as_str).collect();
    let anonymous = client(base_url, Security::Empty);
    match call[..] {
        ["start_login_oauth_2"] => told(anonymous.start_login_oauth_2().await),
        ["complete_login_oauth_2", session] => told(anonymous.complete_login_oauth_2(session).await),
        ["oauth_2_web_flow_start", provider] => told(anonymous.oauth_2_web_flow_start(provider, None).await),
        ["oauth_2_web_flow_start", provider, redirect] => {
            told(anonymous.oauth_2_web_flow_start(provider, Some(redirect)).await)
        }
        ["oauth_2_web_flow_callback_github", code, state] => {
            told(anonymous.oauth_2_web_flow_callback_github(code, state).await)
        }
        ["oauth_2_web_flow_poll", state] => told(anonymous.oauth_2_web_flow_poll(state).await),
        ["login_oauth_2", provider, access_token] => {
            told(anonymous.login_oauth_2(provider, access_token).await)
        }
        ["current_login_token", secret] => {
            told(client(base_url, Security::bearer(secret)).current_login_token().await)
        }
        _ => panic!("no such call: {call:?}"),
    }
}

fn client(base_url: &Url, security_token: Security) -> LoginClientLive {
    LoginClientLive { context: Context { client: Client::new(), base_url: base_url.clone(), security_token } }
}

fn told<T: serde::Serialize, E: Debug + Display>(result: Result<T, Error<E>>) -> Value {
    match result {
        Ok(read) => json!({ "ok": read }),
        Err(error) => json!({ "error": variant(&error), "says": error.to_string() }),
    }
}

/// `Error401`, say; what is no answer of the API has the name of the outer error.
fn variant<E: Debug>(error: &Error<E>) -> String {
    let debug = match error {
        Error::Item(item) => format!("{item:?}"),
        outer => return format!("{outer:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    };
    debug.split('(').next().unwrap_or_default().to_owned()
}
