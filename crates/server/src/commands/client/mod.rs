//! The commands of those who use a service, as programs and people on their own machines do. They call it over its APIs, and
//! read nothing of a server's configuration.

mod access_token;
mod git_credential;
mod link;
mod list;
mod login;
mod logout;
mod patience;
mod said;
mod signed_in;
mod unlink;

use std::process::ExitCode;

use clap::Subcommand;

use crate::adapters::SystemClock;
use crate::cli::GlobalOptions;
use crate::failure::Failure;

/// What can be asked of a service.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    Login(login::Login),
    Logout(logout::Logout),
    /// The caller's links to providers, and the tokens they are good for.
    #[command(subcommand)]
    ExternalAuth(ExternalAuthCommand),
    GitCredential(git_credential::GitCredential),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExternalAuthCommand {
    List(list::LinkList),
    Link(link::LinkMake),
    Unlink(unlink::LinkRemove),
    AccessToken(access_token::AccessToken),
}

impl ClientCommand {
    /// Does it, and prints what came of it. That there is no link is told by the exit status alone.
    pub(super) async fn run(self, options: &GlobalOptions) -> Result<ExitCode, Failure> {
        match self {
            Self::Login(command) => options.print(&command.run(&SystemClock).await?)?,
            Self::Logout(command) => options.print(&command.run().await?)?,
            Self::ExternalAuth(ExternalAuthCommand::List(command)) => options.print(&command.run().await?)?,
            Self::ExternalAuth(ExternalAuthCommand::Link(command)) => {
                options.print(&command.run(&SystemClock).await?)?;
            }
            Self::ExternalAuth(ExternalAuthCommand::Unlink(command)) => {
                options.print(&command.run().await?)?;
            }
            Self::ExternalAuth(ExternalAuthCommand::AccessToken(command)) => {
                let found = command.run().await?;
                options.print(&found)?;
                return Ok(found.exit_code());
            }
            Self::GitCredential(command) => {
                command.run(&SystemClock).await.map_err(|failure| failure.in_context("grantkeeper"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
