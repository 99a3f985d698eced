//! Providers that cannot be registered as somebody tried to: the API names the field, says what to do, and keeps
//! nothing.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::callers::{Caller, answer, client};
use crate::installation::{Installation, Running};

/// The types whose host is the base of a server, which is asked before anything is stored.
const WITH_A_BASE: [&str; 4] = ["github", "gitlab", "bitbucket", "oidc"];

/// A base that none of them takes, and what the API says about it, one way or the other.
const BASES: &[(&str, &str)] = &[
    // Nobody is there.
    ("https://git.invalid", "could not be asked"),
    ("https://git.invalid:8443/context", "could not be asked"),
    // Not a base.
    ("git.example.com", "URL"),
    ("ftp://git.example.com", "URL"),
    ("https://git.example.com?a", "query"),
    ("https://git.example.com#a", "fragment"),
    ("https://me:hunter2@git.example.com", "user name|an https URL"),
    ("https://me@git.example.com", "user name|an https URL"),
    // http, whether or not the address is public.
    ("http://git.example.com", "plain http"),
    ("http://1.1.1.1", "plain http"),
    ("http://10.0.0.1", "plain http"),
    ("http://localhost", "plain http"),
    // Addresses outside the public Internet, by name or written out in whatever way.
    ("https://localhost", "network policy"),
    ("https://10.0.0.1", "network policy"),
    ("https://127.0.0.2", "network policy"),
    ("https://2130706433", "network policy"),
    ("https://0x7f.1", "network policy"),
    ("https://192.168.1.1:8443/git", "network policy"),
    ("https://169.254.169.254", "network policy"),
    ("https://[::1]", "network policy"),
    ("https://[::ffff:10.0.0.1]", "network policy"),
    ("https://[fd00:ec2::254]", "network policy"),
];

/// A registration, the field that is at fault, and what the API says about it. A host that begins with a
/// slash is at the simulator.
type Refusal = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

const REFUSALS: &[Refusal] = &[
    // Another product is there, or another path.
    ("github", &[("host", "/self-managed/gitlab")], "host", "GitHub"),
    ("github", &[("host", "/self-managed/github/nowhere")], "host", "GitHub"),
    ("github", &[("host", "https://typo.ghe.com")], "host", "data residency"),
    ("github", &[("host", "https://octo.ghe.com:8443")], "host", "without port"),
    ("github", &[("host", "https://github.com/octo")], "host", "without port"),
    ("gitlab", &[("host", "/self-managed/bitbucket")], "host", "GitLab"),
    ("gitlab", &[("host", "/self-managed")], "host", "GitLab"),
    ("bitbucket", &[("host", "/self-managed/github")], "host", "Bitbucket"),
    ("oidc", &[("host", "/self-managed/github")], "host", "metadata"),
    ("oidc", &[], "host", "required"),
    // A slash at the end is part of an issuer, and of nothing else.
    ("github", &[("host", "https://git.example.com/")], "host", "slash"),
    ("gitlab", &[("host", "https://git.example.com/context/")], "host", "slash"),
    ("bitbucket", &[("host", "https://git.example.com/")], "host", "slash"),
    // There is only one of these.
    ("google", &[("host", "https://accounts.google.com")], "host", "leave it out"),
    ("box", &[("host", "https://api.box.com")], "host", "leave it out"),
    // A directory that does not exist, an authority that is not one.
    ("microsoft", &[("host", "nobody.example")], "host", "does not exist"),
    ("microsoft", &[("host", "00000000-0000-0000-0000-000000000001")], "host", "does not exist"),
    ("microsoft", &[("host", "login.microsoftonline.us/nobody.example")], "host", "does not exist"),
    ("microsoft", &[("host", "https://login.example.com/common")], "host", "login.microsoftonline.us"),
    ("microsoft", &[("host", "https://10.0.0.1/common")], "host", "login.microsoftonline.us"),
    (
        "microsoft",
        &[("host", "https://me:hunter2@login.microsoftonline.com/common")],
        "host",
        "must be a tenant",
    ),
    ("microsoft", &[("host", "http://login.microsoftonline.com/common")], "host", "http"),
    // Scopes without which nobody can be identified.
    ("microsoft", &[("scopes", "User.Read")], "scopes", "openid"),
    ("google", &[("appSlug", "app")], "appSlug", "GitHub"),
    ("gitlab", &[("appSlug", "app")], "appSlug", "GitHub"),
    ("oidc", &[("appSlug", "app"), ("host", "/")], "appSlug", "GitHub"),
];

/// An installation that may call public addresses and the simulator.
async fn start() -> (Installation, Running, Caller) {
    let mut installation = Installation::with_simulator();
    installation.set("SIMULATOR__PLAYS_EVERYONE", "true");
    installation.unset("NETWORK__ALLOW");
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let running = installation.serve().await;
    (installation, running, admin)
}

/// Tries to register; the answer has to blame that field alone, and nothing may be stored.
async fn is_refused(admin: &Caller, kind: &str, fields: &[(&str, Value)], (field, says): (&str, &str)) {
    let mut body = json!({ "name": "E2E", "type": kind, "clientId": "client", "clientSecret": "hunter3" });
    for (name, value) in fields {
        body[*name] = value.clone();
    }
    let (status, refused) = admin.post_json("/providers/", &body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {refused}");
    let errors = refused["errorFields"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["name"] == field) && errors.len() == 1, "{body}: {refused}");
    let message = errors[0]["message"].as_str().unwrap();
    assert!(says.split('|').any(|says| message.contains(says)), "{body}: {refused}");
    assert!(!refused.to_string().contains("hunter"), "{refused}");
    assert_eq!(admin.get("/providers/").await.1["data"], json!([]), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_be_the_base_of_a_server_is_refused_for_every_type_that_has_one() {
    let (_installation, _running, admin) = start().await;
    for kind in WITH_A_BASE {
        for (host, says) in BASES {
            is_refused(&admin, kind, &[("host", json!(host))], ("host", says)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_cannot_be_right_names_its_field_and_leaves_nothing() {
    let (_installation, running, admin) = start().await;
    for (kind, fields, field, says) in REFUSALS {
        let written = |(name, value): &(&'static str, &'static str)| {
            let value = match *name {
                "scopes" => json!([value]),
                "host" if value.starts_with('/') => json!(format!("{}{value}", running.simulator())),
                _ => json!(value),
            };
            (*name, value)
        };
        let fields: Vec<_> = fields.iter().map(written).collect();
        is_refused(&admin, kind, &fields, (field, says)).await;
    }
}

/// The right hosts, while something else stands before them: a login page that answers everything with 200, a
/// gateway that lets nobody pass, another product, a server in trouble.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_where_something_else_answers_is_refused_until_it_is_gone() {
    let (_installation, running, admin) = start().await;
    let simulator = running.simulator();
    for (kind, path, site) in [
        ("github", "/self-managed/github", "github-enterprise"),
        ("gitlab", "/self-managed/gitlab", "gitlab-self-managed"),
        ("bitbucket", "/self-managed/bitbucket", "bitbucket-data-center"),
        ("oidc", "", "oidc"),
    ] {
        let host = ("host", json!(format!("{simulator}{path}")));
        for (status, says) in [
            (200, "does not look like|metadata"),
            (403, "does not look like|metadata"),
            (404, "does not look like|metadata"),
            (503, "trouble|metadata"),
        ] {
            let fault = json!({ "where": "all", "status": status, "times": -1 });
            control(&simulator, site, "faults", &fault).await;
            is_refused(&admin, kind, std::slice::from_ref(&host), ("host", says)).await;
            control(&simulator, site, "faults", &json!({})).await;
        }
        let id = admin.register(kind, host.1.as_str(), ("client", "secret")).await;
        let job = admin.delete_provider(&id).await;
        admin.finished(&job).await;
    }
}

async fn control(simulator: &str, site: &str, what: &str, body: &Value) {
    let url = format!("{simulator}/control/sites/{site}/{what}");
    let (status, changed) = answer(client().post(url).body(body.to_string())).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
}
