//! The provider's token endpoint alone: refreshes by a plain loop, over connections that are kept open.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::runtime;
use tokio::task::{JoinSet, LocalSet};

use super::Refreshed;
use super::provider::Provider;
use crate::connection::Connection;
use crate::contender::Usage;
use crate::failure::Failure;
use crate::figures::micros;
use crate::http::Answer;
use crate::stopwatch::now;

/// How many refreshes are under way at once.
const CONNECTIONS: u64 = 32;
const CLIENT_ID: &str = "client-0";

/// The answer to a refresh, as far as the next one needs it.
#[derive(Deserialize)]
struct Tokens {
    refresh_token: String,
}

/// Refreshes grants of their own for so long, each with the token that the last refresh has brought; every connection
/// sends at least one request.
pub(super) fn measure(provider: &Provider, length: Duration) -> Result<Refreshed, Failure> {
    let grants = provider.grants(CLIENT_ID, CONNECTIONS)?;
    let usage = Usage::of(Some(provider.id()));
    let count = Rc::new(Cell::new(0_u32));
    let start = now();
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut running = JoinSet::new();
        for grant in grants {
            let connection = Connection::open(provider.address())?;
            let token = grant.into_refresh_token();
            running.spawn_local(refresh(
                connection,
                provider.address().to_string(),
                token,
                start + length,
                Rc::clone(&count),
            ));
        }
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        Ok::<_, Failure>(())
    })?;
    let (count, elapsed) = (f64::from(count.get()), now() - start);
    Ok(Refreshed {
        per_second: count / elapsed.as_secs_f64(),
        cpu: None,
        database_cpu: None,
        provider_cpu: usage.since().map(|time| micros(time) / count),
    })
}

async fn refresh(
    mut connection: Connection,
    host: String,
    mut token: String,
    end: Instant,
    count: Rc<Cell<u32>>,
) -> Result<(), Failure> {
    loop {
        let form = format!(
            "grant_type=refresh_token&client_id={CLIENT_ID}&client_secret=secret&refresh_token={token}"
        );
        let request = format!(
            "POST /token HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let (_, tokens) = connection.ask(request.as_bytes(), read).await?;
        token = tokens.refresh_token;
        count.set(count.get() + 1);
        if now() >= end {
            return Ok(());
        }
    }
}

fn read(answer: &Answer<'_>) -> Result<Tokens, Failure> {
    if answer.status != 200 {
        return Err(format!("the provider refreshes no token: {}", answer.status).into());
    }
    Ok(serde_json::from_slice(&answer.body)?)
}
