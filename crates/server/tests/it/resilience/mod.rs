//! Processes that are killed, frozen or told to stop while they work, and what they work with that is away.

mod deletions;
mod frozen;
mod killed_refreshes;
mod outages;
mod stops;
mod wrong_secrets;
