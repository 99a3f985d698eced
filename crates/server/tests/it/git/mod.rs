//! The credential helper under the real git.

mod protocol;
mod repository;

use std::process::Command;

use reqwest::StatusCode;
use serde_json::json;

use self::repository::{FILE, RepositoryServer};
use crate::client_commands::person::{BINARY, Person, Said, Started};
use crate::external_auth::world::{LinkWorld, MEMBER, PROVIDER};
use crate::stores::StoreKind;

/// A member's machine with git, a service that they may link at, and a server with a repository.
struct Machine {
    world: LinkWorld,
    server: RepositoryServer,
    person: Person,
}

/// Another helper, that git asks after ours.
const NEXT_HELPER: &str = "!echo username=somebody; echo password=their-password; :";

impl Machine {
    /// `None` where git is not installed, loudly; in CI that is a failure.
    async fn new() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "git is missing: install it");
            eprintln!("*** SKIPPED: git is missing; install it ***");
            return None;
        }
        let world = LinkWorld::on(StoreKind::Sqlite).await;
        let server = RepositoryServer::start().await;
        server.open_to_tokens_of(world.upstream.url());
        let secret = world.installation.agent_token(MEMBER);
        let mut person = Person::calling(&world.installation.base_url, &secret);
        person.set("GIT_TERMINAL_PROMPT", "0");
        person.set("GIT_CONFIG_NOSYSTEM", "1");
        Some(Self { world, server, person })
    }

    /// The provider has the repositories of this place.
    async fn has_repositories_at(&self, place: &str) {
        let path = format!("/providers/{}/", self.world.provider);
        let (status, patched) = self.world.admin.patch_json(&path, &json!({ "gitHosts": [place] })).await;
        assert_eq!(status, StatusCode::OK, "{patched}");
    }

    async fn link(&self) {
        self.world.member.authorize_unattended(&self.world.provider).await;
    }

    fn clone_command(&self, more: &[&str]) -> tokio::process::Command {
        let mut command = self.person.command("git");
        command.arg("-c").arg(format!("credential.helper=!'{BINARY}' git-credential"));
        for setting in more {
            command.arg("-c").arg(setting);
        }
        command.args(["clone", &self.server.remote(), "app"]);
        command
    }

    async fn clone(&self, more: &[&str]) -> Said {
        Said::of(self.clone_command(more).output().await.unwrap())
    }

    fn assert_cloned(&self) {
        let file = self.person.home.path().join("app").join(FILE);
        assert_eq!(std::fs::read_to_string(file).unwrap(), "hello\n");
    }

    fn next_helper() -> String {
        format!("credential.helper={NEXT_HELPER}")
    }

    fn page(&self) -> String {
        format!("{}/external-auth/{PROVIDER}", self.world.installation.base_url)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_gets_the_token() {
    let Some(machine) = Machine::new().await else { return };
    machine.has_repositories_at(&machine.server.url).await;
    machine.link().await;
    let said = machine.clone(&[]).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    machine.assert_cloned();
    assert_eq!(machine.server.turned_away(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlinked_remote_prints_where_to_link_and_nobody_else_is_asked() {
    let Some(machine) = Machine::new().await else { return };
    machine.has_repositories_at(&machine.server.url).await;
    let said = machine.clone(&[&Machine::next_helper()]).await;
    assert!(said.status.is_some_and(|status| status != 0), "{said:?}");
    assert!(said.stderr.contains(&machine.page()), "{said:?}");
    assert_eq!(machine.server.turned_away(), [""; 0], "no password was tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlinked_remote_can_be_waited_for() {
    let Some(mut machine) = Machine::new().await else { return };
    machine.person.set("GRANTKEEPER_GIT_WAIT", "1");
    machine.has_repositories_at(&machine.server.url).await;
    let mut clone = Started::of(machine.clone_command(&[]));
    assert_eq!(clone.shows().await, machine.page());
    machine.link().await;
    let (status, _) = clone.ends().await;
    assert!(status.success());
    machine.assert_cloned();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_leaves_git_to_its_own_devices() {
    let Some(machine) = Machine::new().await else { return };
    machine.has_repositories_at("git.example").await;
    machine.server.open_to("somebody", "their-password");
    let said = machine.clone(&[&Machine::next_helper()]).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(!said.stderr.contains("grantkeeper") && !said.stderr.contains("error"), "{said:?}");
    machine.assert_cloned();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_paths_a_provider_can_have_a_part_of_a_host() {
    let Some(machine) = Machine::new().await else { return };
    machine.has_repositories_at(&format!("{}/another", machine.server.url)).await;
    machine.link().await;
    machine.server.open_to("somebody", "their-password");
    let with_path = "credential.useHttpPath=true";
    let said = machine.clone(&[with_path, &Machine::next_helper()]).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    assert_eq!(machine.server.turned_away(), [""; 0], "its token stays with it");

    std::fs::remove_dir_all(machine.person.home.path().join("app")).unwrap();
    machine.has_repositories_at(&format!("{}/acme", machine.server.url)).await;
    machine.server.open_to_tokens_of(machine.world.upstream.url());
    let said = machine.clone(&[with_path]).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    machine.assert_cloned();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_told_of_and_git_goes_on() {
    let Some(mut machine) = Machine::new().await else { return };
    machine.person.set("GRANTKEEPER_URL", "http://127.0.0.1:1");
    machine.server.open_to("somebody", "their-password");
    let said = machine.clone(&[&Machine::next_helper()]).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(
        said.stderr.contains("grantkeeper: the service at http://127.0.0.1:1 cannot be reached"),
        "{said:?}"
    );
    machine.assert_cloned();
}
