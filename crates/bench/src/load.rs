//! The load: connections that are kept open, each with one request at a time (a closed loop).
//!
//! It runs in this process, so that its CPU time is nobody's who is measured; on a small machine it still takes a part
//! of the cores, of all contenders alike.

use std::cell::RefCell;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::runtime;
use tokio::task::{JoinSet, LocalSet};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::http::Answer;
use crate::options::cores;
use crate::population::{Population, authorization_id, token_head};
use crate::sequence::Sequence;
use crate::stopwatch::now;
use crate::turns::Turns;

/// Requests for access tokens of random authorizations.
pub(crate) struct HandOuts {
    /// Who answers them.
    pub(crate) address: SocketAddr,
    /// How many authorizations there are.
    pub(crate) population: Population,
    /// Which of them are asked for, and when.
    pub(crate) asking: Asking,
    /// The API token of every account.
    pub(crate) api_tokens: Arc<[String]>,
    /// The one authorization whose token is in every answer, where the answers are from memory.
    pub(crate) always: Option<u64>,
}

/// Which authorizations are asked for, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Any of the first so many, each of another account as far as there are enough; as fast as the answers come.
    AtRandom(u64),
    /// One after the other, until it is the first one's turn again; so many requests a second over all connections, as
    /// far as the answers come that fast.
    InTurns(u32),
}

/// How many connections are open, and how many threads serve them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    /// Of all threads together.
    pub(crate) count: usize,
    /// At least one.
    pub(crate) threads: usize,
}

impl Connections {
    /// Half of the cores for those who ask: more would only be taken from those who answer.
    pub(crate) fn open(count: usize) -> Self {
        Self { count, threads: (cores() / 2).max(1) }
    }
}

/// What a round of requests came to.
pub(crate) struct Measured {
    /// From the beginning of a request to the end of its answer, in microseconds.
    pub(crate) latencies: Histogram<u64>,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
}

impl HandOuts {
    /// Asks for one token, and gives the whole answer.
    pub(crate) fn sample(&self, authorization: u64) -> Result<Vec<u8>, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async {
            let mut connection = Connection::open(self.address)?;
            let mut request = Vec::new();
            self.write_request(authorization, &mut request);
            connection.ask(&request, |answer| self.check(authorization, answer)).await?;
            Ok(connection.received().to_owned())
        })
    }

    /// Sends requests over all connections until the time is over; every connection sends at least one.
    /// Any answer but the right one is an error.
    pub(crate) fn round(
        self: &Arc<Self>,
        connections: Connections,
        length: Duration,
        seed: u64,
    ) -> Result<Measured, Failure> {
        let seeds = Sequence::new(seed);
        let dial = |_| Connection::dial(self.address);
        let dialled: Vec<_> = (0..connections.count).map(dial).collect::<Result<_, _>>()?;
        let start = now();
        let mut shares: Vec<Vec<Worker>> = (0..connections.threads).map(|_| Vec::new()).collect();
        for (number, connection) in dialled.into_iter().enumerate() {
            let random = Sequence::new(seeds.next());
            let turns = Turns::of(number, connections.count, start, seed, self.asking);
            shares[number % connections.threads].push(Worker { connection, random, turns });
        }
        let measured = thread::scope(|scope| {
            let threads: Vec<_> =
                shares.into_iter().map(|share| scope.spawn(|| self.run(share, start, length))).collect();
            let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?);
            joined.collect::<Result<Vec<_>, Failure>>()
        })?;
        let mut latencies = histogram();
        for part in measured {
            latencies.add(part)?;
        }
        Ok(Measured { latencies, elapsed: now() - start })
    }

    /// What one thread does.
    fn run(
        self: &Arc<Self>,
        share: Vec<Worker>,
        start: Instant,
        length: Duration,
    ) -> Result<Histogram<u64>, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let latencies = Rc::new(RefCell::new(histogram()));
        LocalSet::new().block_on(&runtime, async {
            let mut running = JoinSet::new();
            for worker in share {
                running.spawn_local(Self::drive(
                    Arc::clone(self),
                    worker,
                    start + length,
                    Rc::clone(&latencies),
                ));
            }
            while let Some(ended) = running.join_next().await {
                ended??;
            }
            Ok::<_, Failure>(())
        })?;
        Ok(latencies.replace(histogram()))
    }

    async fn drive(
        self: Arc<Self>,
        worker: Worker,
        end: Instant,
        latencies: Rc<RefCell<Histogram<u64>>>,
    ) -> Result<(), Failure> {
        let mut connection = Connection::over(worker.connection)?;
        let mut request = Vec::with_capacity(512);
        let mut turns = worker.turns;
        loop {
            let authorization = match self.asking {
                Asking::AtRandom(among) => worker.random.below(among),
                Asking::InTurns(_) => turns.next(self.population.authorizations).await,
            };
            self.write_request(authorization, &mut request);
            let (latency, ()) = connection.ask(&request, |answer| self.check(authorization, answer)).await?;
            let micros = u64::try_from(latency.as_micros())?;
            latencies.borrow_mut().record(micros)?;
            if now() >= end {
                return Ok(());
            }
        }
    }

    /// As the published SDK asks.
    fn write_request(&self, authorization: u64, into: &mut Vec<u8>) {
        let id = authorization_id(authorization);
        let api_token = &self.api_tokens[self.population.account_of(authorization)];
        into.clear();
        // Writing to a vector cannot fail.
        let _ = write!(
            into,
            "POST /api/v2/externalOAuth/authorizedProviders/{id}/token/ HTTP/1.1\r\nHost: {}\r\n\
             User-Agent: grantkeeper-bench\r\nAccept: */*\r\nAuthorization: Bearer {api_token}\r\n\
             Content-Length: 0\r\n\r\n",
            self.address
        );
    }

    fn check(&self, authorization: u64, answer: &Answer<'_>) -> Result<(), Failure> {
        let token = format!("\"accessToken\":\"{}", token_head(self.always.unwrap_or(authorization)));
        let has_token = answer.body.windows(token.len()).any(|window| window == token.as_bytes());
        if answer.status == 201 && has_token && answer.keeps_open {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)]);
        Err(format!("a wrong answer, with status {}: {body}", answer.status).into())
    }
}

/// The fewest microseconds are one, the most a minute; three digits are exact.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds make sense")
}

/// One connection to be, and what it asks for.
struct Worker {
    connection: TcpStream,
    random: Sequence,
    turns: Turns,
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A server that gives every request on every connection the same answer.
    fn serving(answer: String) -> HandOuts {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, answer) = (stream.unwrap(), answer.clone());
                thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    while let Some(Ok(line)) = lines.next() {
                        if line.is_empty() {
                            (&stream).write_all(answer.as_bytes()).unwrap();
                        }
                    }
                });
            }
        });
        let population = Population::of(50, 64);
        HandOuts {
            address,
            population,
            asking: Asking::AtRandom(50),
            api_tokens: ["gk_1".to_owned()].into(),
            always: Some(7),
        }
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    fn round(hand_outs: HandOuts) -> Result<Measured, Failure> {
        Arc::new(hand_outs).round(Connections { count: 5, threads: 2 }, Duration::ZERO, 1)
    }

    #[test]
    fn every_connection_sends_at_least_one_request() {
        let right = format!("{{\"accessToken\":\"{}xyz\"}}", token_head(7));
        let measured = round(serving(answer("201 Created", &right))).unwrap();
        assert_eq!(measured.latencies.len(), 5);
    }

    #[test]
    fn another_status_ends_the_round() {
        let right = format!("{{\"accessToken\":\"{}xyz\"}}", token_head(7));
        let failure = round(serving(answer("200 OK", &right))).err().unwrap().to_string();
        assert!(failure.contains("status 200"), "{failure}");
    }

    #[test]
    fn another_token_ends_the_round() {
        let wrong = format!("{{\"accessToken\":\"{}xyz\"}}", token_head(8));
        let failure = round(serving(answer("201 Created", &wrong))).err().unwrap().to_string();
        assert!(failure.starts_with("a wrong answer"), "{failure}");
    }

    #[test]
    fn two_answers_to_one_request_end_the_round() {
        let right = answer("201 Created", &format!("{{\"accessToken\":\"{}xyz\"}}", token_head(7)));
        assert!(round(serving(right.repeat(2))).is_err());
    }
}
