//! The operator's commands over a database, one after the other, and the shapes of what they print.

use clap::Parser;
use grantkeeper_domain::Change;
use grantkeeper_domain::accounts::{ApiToken, TokenPurpose};
use grantkeeper_domain::providers::{Provider, ProviderKind, ProviderStatus, Slug};
use grantkeeper_testkit::entities;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::report::Report;
use crate::wiring::Administration;

/// An installation with a database of its own.
struct Installation {
    folder: TempDir,
    options: GlobalOptions,
}

/// Reads a command's arguments as the command line does.
#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

impl Installation {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite://{}", folder.path().join("grantkeeper.db").display());
        let own = [("database_url", database.as_str()), ("public_url", "http://127.0.0.1:8080")];
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let overrides = own.iter().chain(settings).map(owned).collect();
        Self { options: GlobalOptions::only(overrides), folder }
    }

    /// With a key in a file.
    fn with_key() -> Self {
        let mut here = Self::new();
        let file = here.key_file();
        let Command::Key(KeyCommand::Generate(generate)) = parsed(&format!("key generate --out {file}"))
        else {
            panic!("another command");
        };
        generate.run().expect("there is no such file yet");
        let overrides = [here.options.overrides(), &[("keys.file".to_owned(), file)]].concat();
        here.options = GlobalOptions::only(overrides);
        here
    }

    fn key_file(&self) -> String {
        self.folder.path().join("grantkeeper.key").display().to_string()
    }

    async fn administration(&self) -> Administration {
        let settings = self.options.settings(&[]).expect("good settings");
        Administration::open(&settings).await.expect("the store opens")
    }

    /// A provider of the organization Acme, which is not registered yet.
    async fn provider(&self, slug: &str) -> Provider {
        let with = self.administration().await;
        let acme = with.store.organization_named("Acme").await.expect("a store").expect("it was made");
        Provider { slug: Some(Slug::parse(slug).expect("a slug")), ..entities::provider(&acme) }
    }

    async fn register(&self, provider: Provider) {
        let with = self.administration().await;
        with.store.commit(vec![Change::insert(provider)]).await.expect("a new row");
    }

    async fn change(&self, provider: Provider) {
        let with = self.administration().await;
        with.store.commit(vec![Change::update(provider)]).await.expect("a row");
    }

    /// Runs a command that administers; returns what it says to people and to machines.
    async fn says(&self, line: &str) -> Result<(String, Value), Failure> {
        let options = &self.options;
        match parsed(line) {
            Command::Org(OrgCommand::Create(command)) => command.run(options).await.map(said),
            Command::Org(OrgCommand::List(command)) => command.run(options).await.map(said),
            Command::Org(OrgCommand::Set(command)) => command.run(options).await.map(said),
            Command::Org(OrgCommand::Delete(command)) => command.run(options).await.map(said),
            Command::Account(AccountCommand::Create(command)) => command.run(options).await.map(said),
            Command::Account(AccountCommand::List(command)) => command.run(options).await.map(said),
            Command::Account(AccountCommand::Suspend(command)) => command.run(options).await.map(said),
            Command::Account(AccountCommand::Resume(command)) => command.run(options).await.map(said),
            Command::Account(AccountCommand::Link(command)) => command.run(options).await.map(said),
            Command::Account(AccountCommand::Unlink(command)) => command.run(options).await.map(said),
            Command::Account(AccountCommand::Identities(command)) => command.run(options).await.map(said),
            Command::Account(AccountCommand::Delete(command)) => command.run(options).await.map(said),
            Command::Token(TokenCommand::Create(command)) => command.run(options).await.map(said),
            Command::Token(TokenCommand::List(command)) => command.run(options).await.map(said),
            Command::Token(TokenCommand::Revoke(command)) => command.run(options).await.map(said),
            Command::Authorization(AuthorizationCommand::List(command)) => {
                command.run(options).await.map(said)
            }
            Command::Audit(AuditCommand::List(command)) => command.run(options).await.map(said),
            Command::Migrate(command) => command.run(options).await.map(said),
            Command::Config(ConfigCommand::Check(_)) => ConfigCheck::run(options).map(said),
            Command::Doctor(command) => Ok(said(command.run(options).await)),
            Command::Serve(_) | Command::Demo(_) | Command::Key(_) | Command::Client(_) => {
                panic!("{line} does not administer")
            }
        }
    }

    async fn json(&self, line: &str) -> Value {
        self.says(line).await.unwrap_or_else(|failure| panic!("{line}: {failure}")).1
    }

    async fn text(&self, line: &str) -> String {
        self.says(line).await.unwrap_or_else(|failure| panic!("{line}: {failure}")).0
    }

    async fn failure(&self, line: &str) -> String {
        self.says(line).await.err().unwrap_or_else(|| panic!("{line} goes well")).to_string()
    }
}

fn parsed(line: &str) -> Command {
    let line = Line::try_parse_from(std::iter::once("grantkeeper").chain(line.split(' ')));
    line.unwrap_or_else(|error| panic!("{error}")).command
}

fn said(report: impl Report) -> (String, Value) {
    (report.to_string(), serde_json::to_value(&report).expect("reports are plain"))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn organizations() {
    let here = Installation::new();
    assert!(here.text("org list").await.contains("org create"));
    let acme = here.json("org create Acme").await;
    assert_eq!(keys(&acme), ["createdAt", "id", "name", "redirectUris", "standing"]);
    assert_eq!(acme["redirectUris"], json!([]));
    assert!(here.failure("org create Acme").await.contains("exists"));

    let id = acme["id"].as_str().expect("an id");
    let set = here.json(&format!("org set {id} --redirect-uri https://a.example/cb")).await;
    assert_eq!(set["redirectUris"], json!(["https://a.example/cb"]));
    assert_eq!(here.json("org list").await, json!({ "organizations": [set] }));
    let back = here.json("org set Acme --default-redirect-uris").await;
    assert_eq!(back, acme);
    assert!(here.text("org list").await.contains("loopback"));

    let wrong = here.failure("org set Acme --redirect-uri http://a.example/cb").await;
    assert!(wrong.contains("http://a.example/cb") && wrong.contains("https"), "{wrong}");
    assert!(here.failure("org set Nobody --default-redirect-uris").await.contains("org list"));
}

#[tokio::test]
async fn accounts_and_their_tokens() {
    let here = Installation::new();
    here.json("org create Acme").await;
    let account = here.json("account create --org Acme --email ada@acme.example --admin").await;
    assert_eq!(keys(&account), ["createdAt", "email", "id", "organizationId", "role", "standing"]);
    assert_eq!(account["role"], "admin");
    let member = here.json("account create --org Acme --email bo@acme.example").await;
    assert_eq!(member["role"], "member");

    let issued = here.json("token create --account ada@acme.example --expires-in 90d").await;
    assert_eq!(keys(&issued), ["accountId", "createdAt", "expiresAt", "id", "kind", "status", "token"]);
    assert_eq!(issued["accountId"], account["id"]);
    let secret = issued["token"].as_str().expect("the token");
    assert!(secret.starts_with("gk_"));
    let shown = here.text("token create --account ada@acme.example").await;
    assert!(shown.starts_with("gk_") && shown.contains("expires never"), "its first line is the token alone");

    let id = issued["id"].as_str().expect("an id");
    assert_eq!(here.json(&format!("token revoke {id}")).await["status"], "revoked");
    let by_id = format!("token list --account {}", account["id"].as_str().expect("an id"));
    let list = here.json(&by_id).await;
    let statuses: Vec<_> =
        list["tokens"].as_array().expect("a list").iter().map(|token| &token["status"]).collect();
    assert_eq!(statuses, ["revoked", "usable"]);
    assert!(!list.to_string().contains(secret), "a token is shown once");
    assert!(here.text("token list --account bo@acme.example").await.contains("no API tokens"));
}

#[tokio::test]
async fn agents_have_tokens_of_their_own_kind() {
    let here = Installation::new();
    here.json("org create Acme").await;
    here.json("account create --org Acme --email ada@acme.example").await;
    let of = |kind: &str| format!("token create --account ada@acme.example{kind}");
    assert_eq!(here.json(&of("")).await["kind"], "api");
    let agent = here.json(&of(" --agent --expires-in 30d")).await;
    assert_eq!(agent["kind"], "agent");
    assert!(agent["token"].as_str().is_some_and(|token| token.starts_with("gk_")), "{agent}");
    let shown = here.text(&of(" --agent")).await;
    assert!(shown.contains("\nagent token ") && shown.contains("expires never"), "{shown}");

    let list = here.json("token list --account ada@acme.example").await;
    let kinds: Vec<_> =
        list["tokens"].as_array().expect("a list").iter().map(|token| &token["kind"]).collect();
    assert_eq!(kinds, ["api", "agent", "agent"]);
    let id = agent["id"].as_str().expect("an id");
    assert_eq!(here.json(&format!("token revoke {id}")).await["status"], "revoked");
}

#[tokio::test]
async fn an_account_is_named_so_that_it_can_only_be_one() {
    let here = Installation::new();
    for organization in ["Acme", "Bolt"] {
        here.json(&format!("org create {organization}")).await;
        here.json(&format!("account create --org {organization} --email ada@example.com")).await;
    }
    let several = here.failure("token create --account ada@example.com").await;
    assert!(several.contains("several") && several.contains("organization"), "{several}");
    assert!(here.failure("token create --account bo@example.com").await.contains("no account"));
    assert!(here.failure("token create --account bo").await.contains("neither"));
}

#[tokio::test]
async fn an_account_is_deleted_only_by_who_says_so() {
    let here = Installation::new();
    here.json("org create Acme").await;
    let account = here.json("account create --org Acme --email ada@acme.example").await;
    here.json("token create --account ada@acme.example").await;
    let delete = "account delete --org Acme --email ada@acme.example";
    let asked = here.failure(delete).await;
    assert!(asked.contains("--yes") && asked.contains("0 authorizations and 1 API tokens"), "{asked}");
    assert_eq!(here.json("account list").await["accounts"][0]["standing"], "active");

    let deleting = here.json(&format!("{delete} --yes")).await;
    assert_eq!((&deleting["id"], &deleting["standing"]), (&account["id"], &json!("deleting")));
    assert!(deleting["jobId"].is_string());
    assert!(here.text("account list").await.contains("deleting"));
    assert!(here.failure("token create --account ada@acme.example").await.contains("being deleted"));
    // Asked again it goes on.
    assert!(here.text(&format!("{delete} --yes")).await.contains("gets in no more"));
    let unknown = here.failure("account delete --org Acme --email bo@acme.example --yes").await;
    assert!(unknown.contains("no account") && unknown.contains("account list"), "{unknown}");
}

#[tokio::test]
async fn an_organization_is_deleted_only_by_who_says_so() {
    let here = Installation::new();
    here.json("org create Acme").await;
    here.json("account create --org Acme --email ada@acme.example").await;
    let asked = here.failure("org delete Acme").await;
    assert!(asked.contains("--yes") && asked.contains("1 accounts, 0 providers"), "{asked}");

    let deleting = here.json("org delete Acme --yes").await;
    assert_eq!(deleting["standing"], "deleting");
    assert_eq!(here.json("account list").await["accounts"][0]["standing"], "deleting");
    let refused = here.failure("account create --org Acme --email bo@acme.example").await;
    assert!(refused.contains("being deleted"), "{refused}");
    assert!(here.text("org list").await.contains("deleting"));
    let log = here.json("audit list --org Acme").await;
    let actions: Vec<_> =
        log["entries"].as_array().expect("a list").iter().map(|entry| &entry["action"]).collect();
    assert!(actions.contains(&&json!("organization.deletion_requested")), "{actions:?}");
}

#[tokio::test]
async fn what_operators_do_is_in_the_audit_log() {
    let here = Installation::new();
    here.json("org create Acme").await;
    here.json("account create --org Acme --email ada@acme.example").await;
    here.json("token create --account ada@acme.example").await;
    let log = here.json("audit list --org Acme").await;
    let entries = log["entries"].as_array().expect("a list");
    let actions: Vec<_> = entries.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["api_token.issued", "account.created", "organization.created"]);
    assert!(entries.iter().all(|entry| entry["actor"] == "operator" && entry["outcome"] == "done"));
    assert_eq!(
        here.json("audit list --org Acme --limit 1").await["entries"].as_array().map(Vec::len),
        Some(1)
    );
    assert!(here.text("audit list --org Acme").await.starts_with("AT"));
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let here = Installation::new();
    let pending = here.json("migrate --dry-run").await;
    assert_eq!(pending["dryRun"], true);
    assert!(!pending["migrations"].as_array().expect("a list").is_empty());
    assert_eq!(std::fs::read_dir(here.folder.path()).expect("a folder").count(), 0);
    assert_eq!(here.json("migrate").await["migrations"], pending["migrations"]);
    assert_eq!(here.text("migrate --dry-run").await, "the schema is up to date");
}

#[tokio::test]
async fn a_checked_configuration_is_shown_without_its_key() {
    let here = Installation::with_key();
    let checked = here.json("config check").await;
    assert_eq!(keys(&checked), ["keyId", "settings", "warnings"]);
    assert_eq!(checked["settings"]["public_url"], "http://127.0.0.1:8080");
    let key = std::fs::read_to_string(here.key_file()).expect("it is there");
    assert!(!checked.to_string().contains(key.trim()));
    let wrong =
        Installation::with(&[("tokens.caller_wait", "9"), ("nope", "1")]).failure("config check").await;
    assert!(wrong.contains("tokens.caller_wait") && wrong.contains("nope"), "all at once: {wrong}");
}

#[tokio::test]
async fn a_doctor_finds_what_is_wrong_and_touches_nothing() {
    let here = Installation::with_key();
    let checks = |examination: &Value| -> Vec<(String, bool)> {
        let list = examination["checks"].as_array().expect("a list").iter();
        list.map(|check| (check["name"].as_str().unwrap_or_default().to_owned(), check["ok"] == true))
            .collect()
    };
    let names = |ok: [bool; 3]| {
        ["configuration", "key", "store"].map(str::to_owned).into_iter().zip(ok).collect::<Vec<_>>()
    };
    assert_eq!(checks(&here.json("doctor").await), names([true; 3]));
    assert!(!here.folder.path().join("grantkeeper.db").exists());
    here.json("migrate").await;
    assert!(here.text("doctor").await.contains("binds it to the key"));
    assert_eq!(checks(&Installation::new().json("doctor").await), names([true, false, true]));
}

#[tokio::test]
async fn an_account_is_suspended_and_resumed() {
    let here = Installation::new();
    here.json("org create Acme").await;
    let account = here.json("account create --org Acme --email ada@acme.example").await;
    let suspended = here.json("account suspend ada@acme.example").await;
    assert_eq!((&suspended["id"], &suspended["standing"]), (&account["id"], &json!("active")));
    assert!(suspended["suspendedAt"].is_string(), "{suspended}");
    assert_eq!(here.json("account suspend ada@acme.example").await, suspended, "since when it was");
    assert!(here.text("account list").await.contains("suspended"));
    assert_eq!(here.json("account list").await["accounts"][0]["suspendedAt"], suspended["suspendedAt"]);

    let id = account["id"].as_str().expect("an id");
    assert!(here.text(&format!("account suspend {id}")).await.contains(&format!("account resume {id}")));
    assert_eq!(here.json(&format!("account resume {id}")).await, account);
    assert_eq!(here.json(&format!("account resume {id}")).await, account, "it changes nothing");
    assert!(!here.text("account list").await.contains("suspended"));
    let log = here.json("audit list --org Acme").await;
    let actions: Vec<_> =
        log["entries"].as_array().expect("a list").iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["account.resumed", "account.suspended", "account.created", "organization.created"]);

    here.json("account delete --org Acme --email ada@acme.example --yes").await;
    for command in ["account suspend", "account resume"] {
        let refused = here.failure(&format!("{command} {id}")).await;
        assert!(refused.contains("being deleted"), "{refused}");
    }
    assert!(here.failure("account suspend bo@acme.example").await.contains("no account"));
}

#[tokio::test]
async fn somebody_at_a_provider_is_linked_to_an_account_by_hand() {
    let here = Installation::new();
    here.json("org create Acme").await;
    let account = here.json("account create --org Acme --email ada@acme.example").await;
    here.json("account create --org Acme --email bo@acme.example").await;
    let own = entities::endpoints("idp.example");
    here.register(Provider { endpoints: own, ..here.provider("idp").await }).await;
    assert!(here.text("account identities ada@acme.example").await.contains("account link"));

    let linked = "--issuer https://idp.example --subject 583231";
    let identity = here.json(&format!("account link ada@acme.example {linked}")).await;
    assert_eq!(keys(&identity), ["accountId", "email", "id", "issuer", "linkedAt", "subject"]);
    assert_eq!((&identity["accountId"], &identity["email"]), (&account["id"], &account["email"]));
    let list = here.json("account identities ada@acme.example").await;
    let shown = &list["identities"][0];
    assert_eq!((&shown["id"], &shown["subject"]), (&identity["id"], &json!("583231")));
    assert!(here.text("account identities ada@acme.example").await.contains("https://idp.example"));
    for email in ["ada@acme.example", "bo@acme.example"] {
        assert!(here.failure(&format!("account link {email} {linked}")).await.contains("already"));
    }
    let unlinked = here.json(&format!("account unlink ada@acme.example {linked}")).await;
    assert_eq!(unlinked["id"], identity["id"]);
    assert!(
        here.failure(&format!("account unlink ada@acme.example {linked}")).await.contains("does not sign in")
    );
    assert_eq!(here.json("account identities ada@acme.example").await["identities"], json!([]));
    here.json(&format!("account link bo@acme.example {linked}")).await;
    let log = here.json("audit list --org Acme").await.to_string();
    assert_eq!(
        (log.matches("identity.linked").count(), log.matches("identity.unlinked").count()),
        (2, 1),
        "{log}"
    );
}

#[tokio::test]
async fn an_issuer_that_nobody_has_is_told_with_those_that_there_are() {
    let here = Installation::new();
    here.json("org create Acme").await;
    here.json("account create --org Acme --email ada@acme.example").await;
    let link = "account link ada@acme.example --issuer https://idp.example/ --subject 583231";
    assert!(here.failure(link).await.contains("it has none yet"));
    let own = entities::endpoints("idp.example");
    here.register(Provider { endpoints: own, ..here.provider("idp").await }).await;
    let told = here.failure(link).await;
    assert!(
        told.contains(r#""https://idp.example/""#) && told.ends_with("theirs are https://idp.example"),
        "{told}"
    );
    assert_eq!(here.json("account identities ada@acme.example").await, json!({ "identities": [] }));
}

/// Sign-ins compare byte for byte with what ID tokens say, and these have small letters.
#[tokio::test]
async fn a_person_of_a_microsoft_tenant_is_linked_as_id_tokens_spell_them() {
    let here = Installation::new();
    here.json("org create Acme").await;
    here.json("account create --org Acme --email ada@acme.example").await;
    let mut endpoints = entities::endpoints("login.example");
    endpoints.issuer = "https://login.example/{tenantid}/v2.0".to_owned();
    let kind = ProviderKind::Microsoft;
    here.register(Provider { kind, endpoints, ..here.provider("microsoft").await }).await;
    let issuer = "https://login.example/8F0C9D1E-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v2.0";
    let link = format!("account link ada@acme.example --issuer {issuer} --subject");
    for subject in ["ada", "0f1e2d3c4b5a6978", "3f1b8a52-2d4c-4f6e-9b0a-7c5d1e2f3a4g"] {
        assert!(
            here.failure(&format!("{link} {subject}")).await.contains("is not an object id"),
            "{subject}"
        );
    }
    let linked = here.json(&format!("{link} 3F1B8A52-2d4c-4f6e-9b0a-7c5d1e2f3a4b")).await;
    assert_eq!(linked["issuer"], "https://login.example/8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f/v2.0");
    assert_eq!(linked["subject"], "3f1b8a52-2d4c-4f6e-9b0a-7c5d1e2f3a4b");
}

#[tokio::test]
async fn a_browser_that_signed_in_at_a_provider_is_listed_and_signed_out() {
    let here = Installation::new();
    here.json("org create Acme").await;
    here.json("account create --org Acme --email ada@acme.example").await;
    let issued = here.json("token create --account ada@acme.example").await;
    assert_eq!(issued["kind"], "api");
    let with = here.administration().await;
    let account = named::account(&*with.store, "ada@acme.example").await.expect("it was made");
    let token = entities::api_token(&account);
    let session = ApiToken { purpose: TokenPurpose::Session { opened_with: token.id }, ..token };
    with.store.commit(vec![Change::insert(session.clone())]).await.expect("a new row");

    let list = here.json("token list").await;
    let kinds: Vec<_> =
        list["tokens"].as_array().expect("a list").iter().map(|token| &token["kind"]).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "browser").count(), 1, "{kinds:?}");
    assert!(here.text("token list").await.contains("browser"));
    let told = here.text(&format!("token revoke {}", session.id)).await;
    assert!(told.contains("signed out"), "{told}");
    let revoked = here.json(&format!("token revoke {}", session.id)).await;
    assert_eq!((&revoked["kind"], &revoked["status"]), (&json!("browser"), &json!("revoked")));
}

#[tokio::test]
async fn a_doctor_looks_at_every_login_provider() {
    let here = Installation::with(&[
        ("login.device_provider", "hub"),
        ("login.providers.hub.organization", "Acme"),
        ("login.providers.hub.provider", "github"),
        ("login.providers.work.organization", "Acme"),
        ("login.providers.work.provider", "microsoft"),
        ("login.providers.work.new_accounts", "listed"),
        ("login.providers.work.email_domains", "acme.example"),
    ]);
    let of_logins = async || -> Vec<(String, bool, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = here.json("doctor").await["checks"].as_array().expect("a list").clone();
        let all = all.iter().map(|check| (text(&check["name"]), check["ok"] == true, text(&check["detail"])));
        all.filter(|(name, ..)| name.starts_with("login ")).collect()
    };
    let expect = async |wanted: [(bool, &str); 2]| {
        let found = of_logins().await;
        assert_eq!(found.len(), 2, "{found:?}");
        for ((name, ok, detail), (wanted_ok, words)) in found.iter().zip(wanted) {
            assert!(*ok == wanted_ok && detail.contains(words), "{name}: {ok}, {detail:?}, not {words:?}");
        }
    };
    assert!(of_logins().await.is_empty(), "there is no store yet");
    here.json("migrate").await;
    expect([(false, "no organization \"Acme\""); 2]).await;
    here.json("org create Acme").await;
    expect([(false, "no provider with the id or slug github"), (false, "slug microsoft")]).await;

    let microsoft = Provider { kind: ProviderKind::Microsoft, ..here.provider("microsoft").await };
    let github = Provider { kind: ProviderKind::Github, device_flow: false, ..here.provider("github").await };
    here.register(microsoft.clone()).await;
    here.register(github.clone()).await;
    expect([(false, "deviceFlow"), (true, "list tenants")]).await;
    let paused = Provider { device_flow: true, status: ProviderStatus::Inactive, ..github };
    here.change(paused.clone()).await;
    expect([(false, "inactive"), (true, "new accounts: listed")]).await;
    here.change(Provider { status: ProviderStatus::Active, version: paused.version.next(), ..paused }).await;
    expect([(true, "new accounts: nobody"), (true, "new accounts: listed")]).await;
    here.change(Provider { kind: ProviderKind::Google, ..microsoft }).await;
    expect([(true, "new accounts: nobody"), (true, "Internal")]).await;
    here.json("org delete Acme --yes").await;
    expect([(false, "being deleted"); 2]).await;
}
