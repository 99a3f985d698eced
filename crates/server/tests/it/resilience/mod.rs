//! Processes that are killed or told to stop while they work.

mod deletions;
mod refreshes;
