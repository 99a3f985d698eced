//! The operator's commands.

use serde_json::json;

use crate::installation::Installation;
use crate::stores::StoreKind;
use crate::waiting::what_was_read_before_is_too_old;

#[test]
fn organizations_accounts_and_tokens() {
    StoreKind::ALL.map(Installation::on).iter().for_each(manage_organizations_accounts_and_tokens);
}

fn manage_organizations_accounts_and_tokens(installation: &Installation) {
    let acme = installation.run(&["org", "create", "Acme"]);
    assert_eq!(acme["name"], "Acme");
    assert!(installation.refuses(&["org", "create", "Acme"]).contains("exists"));
    let uri = "https://app.example/cb";
    let set = installation.run(&["org", "set", "Acme", "--redirect-uri", uri]);
    assert_eq!(set["redirectUris"], json!([uri]));
    assert!(
        installation.refuses(&["org", "set", "Acme", "--redirect-uri", "https://x/?q"]).contains("query")
    );
    let email = "ada@acme.example";
    let account = installation.run(&["account", "create", "--org", "Acme", "--email", email, "--admin"]);
    assert_eq!((&account["role"], &account["organizationId"]), (&json!("admin"), &acme["id"]));
    assert!(installation.refuses(&["account", "create", "--org", "None", "--email", email]).contains("None"));
    installation.run(&["token", "create", "--account", email, "--expires-in", "90d"]);
    let listed = installation.run(&["token", "list", "--account", email]);
    let id = listed["tokens"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(listed["tokens"][0]["status"], "usable");
    assert!(!listed.to_string().contains("gk_"), "{listed}");
    installation.run(&["token", "revoke", &id]);
    assert_eq!(installation.run(&["token", "list", "--account", email])["tokens"][0]["status"], "revoked");
    let audit = installation.run(&["audit", "list", "--org", "Acme"]).to_string();
    for action in [
        "organization.created",
        "organization.changed",
        "account.created",
        "api_token.issued",
        "api_token.revoked",
    ] {
        assert!(audit.contains(action), "no {action} in {audit}");
    }
}

#[test]
fn accounts_and_tokens_are_listed_across_organizations_or_of_one() {
    StoreKind::ALL.map(Installation::on).iter().for_each(list_across_organizations_or_of_one);
}

fn list_across_organizations_or_of_one(installation: &Installation) {
    let owners = [("Acme", "ada@acme.example"), ("Acme", "bo@acme.example"), ("Bolt", "cy@bolt.example")];
    for organization in ["Acme", "Bolt"] {
        installation.run(&["org", "create", organization]);
    }
    for (organization, email) in owners {
        installation.run(&["account", "create", "--org", organization, "--email", email]);
        installation.run(&["token", "create", "--account", email]);
    }
    for (list, owners) in [
        (&["account", "list"][..], &owners[..]),
        (&["account", "list", "--org", "Acme"], &owners[..2]),
        (&["token", "list"], &owners[..]),
        (&["token", "list", "--org", "Acme"], &owners[..2]),
        (&["token", "list", "--account", "cy@bolt.example"], &owners[2..]),
    ] {
        let listed = installation.run(list);
        let rows = listed[if list[0] == "account" { "accounts" } else { "tokens" }].as_array().unwrap();
        let shown: Vec<_> = rows.iter().map(|row| (&row["organization"], &row["email"])).collect();
        assert_eq!(json!(shown), json!(owners), "{list:?}");
    }
    for list in [["account", "list"], ["token", "list"]] {
        assert!(installation.refuses(&[&list[..], &["--org", "None"]].concat()).contains("None"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_until_it_is_revoked() {
    let installation = Installation::new();
    let token = installation.token("ada@acme.example", true);
    let caller = installation.caller(&token);
    let _running = installation.serve().await;
    assert_eq!(caller.get("/providers/").await.0.as_u16(), 200);
    let id = installation.run(&["token", "list", "--account", "ada@acme.example"])["tokens"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    installation.run(&["token", "revoke", &id]);
    // A running service has read it a moment ago, and soon reads it again.
    what_was_read_before_is_too_old().await;
    assert_eq!(caller.get("/providers/").await.0.as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_account_gets_in_no_more_until_it_is_resumed() {
    let installation = Installation::new();
    let token = installation.token("ada@acme.example", true);
    let caller = installation.caller(&token);
    let _running = installation.serve().await;
    assert_eq!(caller.get("/providers/").await.0.as_u16(), 200);
    for (command, status) in [("suspend", 401), ("resume", 200)] {
        installation.run(&["account", command, "ada@acme.example"]);
        what_was_read_before_is_too_old().await;
        assert_eq!(caller.get("/providers/").await.0.as_u16(), status, "{command}");
    }
}

#[test]
fn accounts_are_suspended_and_identities_linked() {
    StoreKind::ALL.map(Installation::on).iter().for_each(suspend_and_link);
}

fn suspend_and_link(installation: &Installation) {
    let email = "ada@acme.example";
    installation.run(&["org", "create", "Acme"]);
    let account = installation.run(&["account", "create", "--org", "Acme", "--email", email]);
    let suspended = installation.run(&["account", "suspend", email]);
    let listed = installation.run(&["account", "list"]);
    assert_eq!(listed["accounts"][0]["suspendedAt"], suspended["suspendedAt"]);
    assert!(suspended["suspendedAt"].is_string(), "{suspended}");
    assert_eq!(installation.run(&["account", "resume", account["id"].as_str().unwrap()]), account);
    let link = ["account", "link", email, "--issuer", "https://idp.example", "--subject", "1"];
    assert!(installation.refuses(&link).contains("no provider"));
    assert_eq!(installation.run(&["account", "identities", email]), json!({ "identities": [] }));
}

#[test]
fn a_doctor_tells_of_login_providers_that_are_not_there() {
    let mut installation = Installation::new();
    installation.run(&["migrate"]);
    installation.run(&["doctor"]);
    installation.set("LOGIN__PROVIDERS__GITHUB__ORGANIZATION", "Acme");
    installation.set("LOGIN__PROVIDERS__GITHUB__PROVIDER", "github");
    let refused = installation.refuses(&["doctor"]);
    assert!(refused.contains("login github"), "{refused}");
    let settings = installation.run(&["config", "check"]);
    assert_eq!(settings["settings"]["login"]["providers"]["github"]["organization"], "Acme");
    installation.set("LOGIN__DEVICE_PROVIDER", "gitlab");
    let refused = installation.refuses(&["config", "check"]);
    assert!(refused.contains("login.device_provider") && refused.contains("there are github"), "{refused}");
}

#[test]
fn a_key_file_is_for_its_owner_and_is_not_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let installation = Installation::new();
    let file = installation.path("grantkeeper.key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&file).unwrap();
    installation.refuses(&["key", "generate", "--out", file.to_str().unwrap()]);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
