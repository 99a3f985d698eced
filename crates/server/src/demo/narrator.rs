//! Tells what happens: what was asked and what came back.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Write as _};

use super::cast::{ADMIN, MEMBER, ORGANIZATION, OTHER_ORGANIZATION, STRANGER};
use super::next_steps::NextSteps;
use super::stage::Scene;

/// Tells the walk on standard output, or on standard error where standard output is for JSON.
pub(super) struct Narrator {
    on_stderr: bool,
    steps: Cell<u32>,
}

/// How much of a token is shown.
const SHOWN: usize = 12;

/// A token as it may be shown: its beginning, enough to tell it from others.
pub(super) fn shortened(token: &str) -> String {
    match token.char_indices().nth(SHOWN) {
        None => token.to_owned(),
        Some((end, _)) => format!("{}…", &token[..end]),
    }
}

impl Narrator {
    pub(super) fn new(on_stderr: bool) -> Self {
        Self { on_stderr, steps: Cell::new(0) }
    }

    /// A line. When the stream is closed nobody listens, and the demo goes on all the same.
    fn line(&self, text: impl fmt::Display) {
        let _ =
            if self.on_stderr { writeln!(io::stderr(), "{text}") } else { writeln!(io::stdout(), "{text}") };
    }

    /// What there is.
    pub(super) fn introduce(&self, scene: &Scene) {
        self.line("Grantkeeper, a self-hosted OAuth token broker: its main job in one walk\n");
        self.line(format_args!("    the service        {}", scene.base_url));
        self.line(format_args!("    its database       {}", scene.database));
        self.line(format_args!("    simulated provider {}", scene.simulator_url));
        self.line(format_args!("    organization       {ORGANIZATION}: {ADMIN} and {MEMBER}"));
        self.line(format_args!("    another one        {OTHER_ORGANIZATION}: {STRANGER}"));
    }

    /// The headline of a step.
    pub(super) fn step(&self, headline: &str) {
        self.steps.set(self.steps.get() + 1);
        self.line(format_args!("\n{}. {headline}", self.steps.get()));
    }

    /// Something to know.
    pub(super) fn note(&self, text: impl fmt::Display) {
        self.line(format_args!("   {text}"));
    }

    /// What was asked, by whom.
    pub(super) fn asked(&self, who: &str, request: impl fmt::Display) {
        self.line(format_args!("   {who} → {request}"));
    }

    /// What came back.
    pub(super) fn answered(&self, status: impl fmt::Display, fields: &[(&str, String)]) {
        self.line(format_args!("     ← {status}"));
        for (name, value) in fields {
            self.line(format_args!("       {name}: {value}"));
        }
    }

    /// What the browser shows, or the person does.
    pub(super) fn seen(&self, text: impl fmt::Display) {
        self.line(format_args!("     {text}"));
    }

    /// What to try.
    pub(super) fn next_steps(&self, next: &NextSteps<'_>) {
        self.line(format_args!("\n{next}"));
    }

    /// What becomes of the data.
    pub(super) fn farewell(&self, scene: &Scene) {
        if scene.is_temporary {
            self.line("\nThe demo is over; its data are removed.");
        } else {
            self.line(format_args!("\nThe demo is over; its data stay in {}.", scene.database));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_token_twelve_characters_are_shown() {
        assert_eq!(shortened("sim_at_0123456789"), "sim_at_01234…");
        assert_eq!(shortened("twelve_chars"), "twelve_chars");
        assert_eq!(shortened("ÄÖÜÄÖÜÄÖÜÄÖÜÄ"), "ÄÖÜÄÖÜÄÖÜÄÖÜ…");
    }
}
