//! The newcomer's first minute: a whole installation that brings everything along, and a walk through the main job.
//!
//! - `stage` sets up the service, the simulated provider beside it, and the `cast`: organizations, accounts, tokens.
//! - `walk` goes through the `steps`, a file each, as a newcomer would: by the public HTTP API (`api_client`), with a
//!   person's `browser` in between, telling all of it to the `narrator`. The only thing that a newcomer would not do
//!   is to look behind the provider's back (`provider_watch`).
//! - `next_steps` is what to try afterwards.

mod api_client;
mod browser;
mod cast;
mod cookies;
mod narrator;
mod newcomer_http;
mod next_steps;
mod page;
mod patience;
mod provider_watch;
mod stage;
mod steps;
mod walk;

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use crate::cli::GlobalOptions;
use crate::failure::Failure;
use crate::stop_signals::StopSignals;
use narrator::Narrator;
use next_steps::NextSteps;
use stage::{Scene, Stage};

/// What was asked for.
pub(crate) struct Wishes {
    /// Where the service listens.
    pub(crate) listen: SocketAddr,
    /// A database in place of the one in a temporary folder.
    pub(crate) database: Option<String>,
    /// Whether nobody is asked for consent.
    pub(crate) auto_consent: bool,
    /// Whether to end after the walk.
    pub(crate) once: bool,
}

/// Sets the stage, walks, and serves until it is told to stop. Nothing is left behind but a database that was asked
/// for.
pub(crate) async fn run(wishes: &Wishes, options: &GlobalOptions) -> Result<(), Failure> {
    let mut signals = StopSignals::listen()?;
    let narrator = Narrator::new(options.json);
    let mut stage = Stage::set(wishes, options.overrides()).await?;
    let result = perform(&mut stage, &narrator, wishes, options, &mut signals).await;
    let scene = stage.strike().await;
    if result.is_ok() {
        narrator.farewell(&scene);
    }
    result
}

async fn perform(
    stage: &mut Stage,
    narrator: &Narrator,
    wishes: &Wishes,
    options: &GlobalOptions,
    signals: &mut StopSignals,
) -> Result<(), Failure> {
    let Stage { scene, running, .. } = stage;
    narrator.introduce(scene);
    let left_behind = tokio::select! {
        walked = walk::walk(scene, narrator) => walked?,
        failure = running.broken() => return Err(failure),
        signal = signals.next() => return Err(Failure::of(format!("{signal} ended the demo in the middle of its walk"))),
    };
    if options.json {
        options.print(&Handles::of(scene))?;
    }
    if wishes.once {
        return Ok(());
    }
    narrator.next_steps(&NextSteps { scene, left_behind: &left_behind });
    tokio::select! {
        _ = signals.next() => Ok(()),
        failure = running.broken() => Err(failure),
    }
}

/// What a program needs to go on from here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Handles<'a> {
    base_url: &'a str,
    simulator_url: &'a str,
    admin_token: &'a str,
    member_token: &'a str,
    agent_token: &'a str,
    stranger_token: &'a str,
}

impl<'a> Handles<'a> {
    fn of(scene: &'a Scene) -> Self {
        Self {
            base_url: &scene.base_url,
            simulator_url: &scene.simulator_url,
            admin_token: &scene.cast.admin,
            member_token: &scene.cast.member,
            agent_token: &scene.cast.agent,
            stranger_token: &scene.cast.stranger,
        }
    }
}

/// For people the next steps say all of this.
impl fmt::Display for Handles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with the simulated provider at {}", self.base_url, self.simulator_url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cast::Cast;

    #[test]
    fn the_handles_have_their_published_names_and_order() {
        let scene = Scene {
            base_url: "b".to_owned(),
            simulator_url: "s".to_owned(),
            database: String::new(),
            is_temporary: true,
            auto_consent: true,
            cast: Cast {
                admin: "1".to_owned(),
                member: "2".to_owned(),
                agent: "3".to_owned(),
                stranger: "4".to_owned(),
            },
        };
        assert_eq!(
            serde_json::to_string(&Handles::of(&scene)).expect("texts"),
            r#"{"baseUrl":"b","simulatorUrl":"s","adminToken":"1","memberToken":"2","agentToken":"3","strangerToken":"4"}"#
        );
    }
}
