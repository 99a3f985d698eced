//! The commands, a file for each. A command reads its settings, does one thing, and returns a report.

mod account_create;
mod account_delete;
mod account_identities;
mod account_link;
mod account_list;
mod account_resume;
mod account_suspend;
mod account_unlink;
mod audit_list;
mod authorization_list;
mod client;
mod config_check;
mod demo;
mod doctor;
mod key_generate;
mod migrate;
mod named;
mod org_create;
mod org_delete;
mod org_list;
mod org_set;
mod serve;
mod shown;
mod token_create;
mod token_list;
mod token_revoke;

use std::process::ExitCode;

use clap::Subcommand;

use config_check::ConfigCheck;

use crate::cli::GlobalOptions;
use crate::failure::Failure;

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Migrate(migrate::Migrate),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make the key that secrets are sealed under.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Organizations: the tenants.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Accounts: the users of an organization.
    #[command(subcommand)]
    Account(AccountCommand),
    /// API tokens: what accounts call with.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Authorizations: what accounts were granted at providers.
    #[command(subcommand)]
    Authorization(AuthorizationCommand),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    Doctor(doctor::Doctor),
    #[command(flatten)]
    Client(client::ClientCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Check(ConfigCheck),
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    Generate(key_generate::KeyGenerate),
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    Create(org_create::OrgCreate),
    List(org_list::OrgList),
    Set(org_set::OrgSet),
    Delete(org_delete::OrgDelete),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    Create(account_create::AccountCreate),
    List(account_list::AccountList),
    Suspend(account_suspend::AccountSuspend),
    Resume(account_resume::AccountResume),
    Link(account_link::AccountLink),
    Unlink(account_unlink::AccountUnlink),
    Identities(account_identities::AccountIdentities),
    Delete(account_delete::AccountDelete),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    Create(token_create::TokenCreate),
    List(token_list::TokenList),
    Revoke(token_revoke::TokenRevoke),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuthorizationCommand {
    List(authorization_list::AuthorizationList),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    List(audit_list::AuditList),
}

impl Command {
    /// Does it, and prints what came of it.
    pub(crate) async fn run(self, options: &GlobalOptions) -> Result<ExitCode, Failure> {
        let done = match self {
            Self::Serve(command) => command.run(options).await,
            Self::Demo(command) => command.run(options).await,
            Self::Migrate(command) => options.print(&command.run(options).await?),
            Self::Config(ConfigCommand::Check(ConfigCheck {})) => options.print(&ConfigCheck::run(options)?),
            Self::Key(KeyCommand::Generate(command)) => options.print(&command.run()?),
            Self::Org(OrgCommand::Create(command)) => options.print(&command.run(options).await?),
            Self::Org(OrgCommand::List(command)) => options.print(&command.run(options).await?),
            Self::Org(OrgCommand::Set(command)) => options.print(&command.run(options).await?),
            Self::Org(OrgCommand::Delete(command)) => options.print(&command.run(options).await?),
            Self::Account(AccountCommand::Create(command)) => options.print(&command.run(options).await?),
            Self::Account(AccountCommand::List(command)) => options.print(&command.run(options).await?),
            Self::Account(AccountCommand::Suspend(command)) => options.print(&command.run(options).await?),
            Self::Account(AccountCommand::Resume(command)) => options.print(&command.run(options).await?),
            Self::Account(AccountCommand::Link(command)) => options.print(&command.run(options).await?),
            Self::Account(AccountCommand::Unlink(command)) => options.print(&command.run(options).await?),
            Self::Account(AccountCommand::Identities(command)) => options.print(&command.run(options).await?),
            Self::Account(AccountCommand::Delete(command)) => options.print(&command.run(options).await?),
            Self::Token(TokenCommand::Create(command)) => options.print(&command.run(options).await?),
            Self::Token(TokenCommand::List(command)) => options.print(&command.run(options).await?),
            Self::Token(TokenCommand::Revoke(command)) => options.print(&command.run(options).await?),
            Self::Authorization(AuthorizationCommand::List(command)) => {
                options.print(&command.run(options).await?)
            }
            Self::Audit(AuditCommand::List(command)) => options.print(&command.run(options).await?),
            Self::Doctor(command) => {
                let examination = command.run(options).await;
                options.print(&examination)?;
                examination.verdict()
            }
            Self::Client(command) => return command.run(options).await,
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests;
