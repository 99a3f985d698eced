//! What an operator types.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, error::ErrorKind};
use grantkeeper_config::Settings;

use crate::commands::Command;
use crate::failure::Failure;
use crate::report::{self, Report};

/// The exit status of a command that was typed wrongly.
const USAGE: u8 = 2;

/// Grantkeeper, a self-hosted OAuth token broker.
#[derive(Debug, Parser)]
#[command(name = "grantkeeper", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    options: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct GlobalOptions {
    /// The configuration file (TOML).
    #[arg(long, global = true, env = "GRANTKEEPER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting, stronger than the file and the environment; may be repeated: --set log.level=debug
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<(String, String)>,
    /// Print JSON: the result on standard output, an error as {"error": "…"} on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl GlobalOptions {
    /// The settings, with a command's own flags as the strongest.
    pub(crate) fn settings(&self, flags: &[(String, String)]) -> Result<Settings, Failure> {
        let overrides = [self.overrides.as_slice(), flags].concat();
        Ok(Settings::load(self.config.as_deref(), environment(), &overrides)?)
    }

    /// Options that say nothing but these settings.
    #[cfg(test)]
    pub(crate) fn only(overrides: Vec<(String, String)>) -> Self {
        Self { overrides, ..Self::default() }
    }

    /// What was given with `--set`.
    pub(crate) fn overrides(&self) -> &[(String, String)] {
        &self.overrides
    }

    /// Prints what a command has to say.
    pub(crate) fn print(&self, report: &impl Report) -> Result<(), Failure> {
        report::print(report, self.json)
    }
}

/// The environment; what is no Unicode is no setting of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("give KEY=VALUE, such as log.level=debug".to_owned()),
    }
}

/// Reads the arguments (the program's name first), does what they say and tells how it went.
pub(crate) async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return mistyped(&error, arguments.iter().any(|argument| argument == "--json")),
    };
    let json = cli.options.json;
    match cli.command.run(&cli.options).await {
        Ok(status) => status,
        Err(failure) => {
            report::print_failure(&failure, json);
            ExitCode::FAILURE
        }
    }
}

/// Help and version are wanted, and no mistakes.
fn mistyped(error: &clap::Error, json: bool) -> ExitCode {
    let wanted = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if json && !wanted {
        report::print_failure(&Failure::of(without_label(&error.to_string())), json);
    } else {
        // Nobody reads when the stream is closed.
        let _ = error.print();
    }
    if wanted { ExitCode::SUCCESS } else { ExitCode::from(USAGE) }
}

fn without_label(text: &str) -> &str {
    let text = text.trim_end();
    text.strip_prefix("error: ").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_is_explained() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no help", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn commands_are_understood() {
        let lines = [
            "grantkeeper serve --listen 127.0.0.1:0 --public-url http://127.0.0.1:8080 --database-url sqlite://x.db",
            "grantkeeper --config c.toml serve --set log.level=debug --set jobs.shutdown_timeout=1",
            "grantkeeper demo --listen 127.0.0.1:0 --database sqlite://x.db --auto-consent --once --json",
            "grantkeeper migrate --dry-run",
            "grantkeeper config check",
            "grantkeeper key generate --out grantkeeper.key",
            "grantkeeper org create Acme",
            "grantkeeper org list --json",
            "grantkeeper org set Acme --redirect-uri https://a.example/cb --redirect-uri https://b.example/cb",
            "grantkeeper org set Acme --default-redirect-uris",
            "grantkeeper account create --org Acme --email a@acme.example --admin",
            "grantkeeper token create --account a@acme.example --expires-in 90d",
            "grantkeeper account list",
            "grantkeeper account list --org Acme",
            "grantkeeper account suspend a@acme.example",
            "grantkeeper account resume 0199c1f0-0000-7000-8000-000000000000",
            "grantkeeper account link a@acme.example --issuer https://github.com --subject 583231",
            "grantkeeper account identities a@acme.example",
            "grantkeeper account delete --org Acme --email a@acme.example --yes",
            "grantkeeper org delete Acme --yes",
            "grantkeeper token list",
            "grantkeeper token list --account a@acme.example",
            "grantkeeper token list --org Acme",
            "grantkeeper token revoke 0199c1f0-0000-7000-8000-000000000000",
            "grantkeeper audit list --org Acme --limit 10",
            "grantkeeper doctor",
            "grantkeeper login",
            "grantkeeper login https://auth.example.com --provider hub",
            "grantkeeper login auth.example.com --device",
            "grantkeeper login http://127.0.0.1:8080 --token-stdin --json",
            "grantkeeper logout https://auth.example.com",
            "grantkeeper external-auth list --json",
            "grantkeeper external-auth link github",
            "grantkeeper external-auth unlink github",
            "grantkeeper external-auth access-token github --extra scope",
            "grantkeeper external-auth access-token --match git@github.com:acme/app.git",
            "grantkeeper git-credential get --wait",
            "grantkeeper git-credential an-operation-of-later-versions",
        ];
        for line in lines {
            assert!(parse(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let lines = [
            "grantkeeper",
            "grantkeeper sing",
            "grantkeeper serve --listen here",
            "grantkeeper serve --set log.level",
            "grantkeeper org set Acme",
            "grantkeeper org set Acme --default-redirect-uris --redirect-uri https://a.example/cb",
            "grantkeeper account create --org Acme",
            "grantkeeper account delete --org Acme",
            "grantkeeper account suspend",
            "grantkeeper account link a@acme.example --issuer https://github.com",
            "grantkeeper org delete --yes",
            "grantkeeper token create --account a@acme.example --expires-in 0d",
            "grantkeeper token list --account a@acme.example --org Acme",
            "grantkeeper token revoke tomorrow",
            "grantkeeper audit list --org Acme --limit 0",
            "grantkeeper login http://auth.example.com",
            "grantkeeper login --device --token-stdin",
            "grantkeeper login --device --provider hub",
            "grantkeeper external-auth link",
            "grantkeeper external-auth access-token",
            "grantkeeper external-auth access-token github --match https://github.com/acme/app",
            "grantkeeper git-credential",
        ];
        for line in lines {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_mistake_is_told_without_its_label() {
        assert_eq!(
            without_label("error: unexpected argument\n\nUsage: …\n"),
            "unexpected argument\n\nUsage: …"
        );
    }
}
