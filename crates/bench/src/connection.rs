//! One connection that is kept open, with one request on it at a time.

use std::net::{SocketAddr, TcpStream as StdStream};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::failure::{Failure, while_doing};
use crate::http::Answer;
use crate::stopwatch::now;

/// A connection to a web server.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects; for [`Connection::over`] on another thread.
    pub(crate) fn dial(address: SocketAddr) -> Result<StdStream, Failure> {
        let stream = StdStream::connect(address).map_err(while_doing("connecting"))?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> Result<Self, Failure> {
        Self::over(Self::dial(address)?)
    }

    /// Uses what was dialled, on the runtime of the caller.
    pub(crate) fn over(stream: StdStream) -> Result<Self, Failure> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: TcpStream::from_std(stream)?, received: Vec::with_capacity(16 * 1_024) })
    }

    /// Sends a request and waits for its answer; gives how long that took, and what `read` makes of the answer.
    pub(crate) async fn ask<T>(
        &mut self,
        request: &[u8],
        read: impl FnOnce(&Answer<'_>) -> Result<T, Failure>,
    ) -> Result<(Duration, T), Failure> {
        self.received.clear();
        let start = now();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed a connection that was in use".into());
            }
            if let Some(answer) = Answer::read(&self.received)? {
                let latency = now() - start;
                if answer.length != self.received.len() {
                    return Err("there is more than one answer to a request".into());
                }
                return Ok((latency, read(&answer)?));
            }
        }
    }

    /// The last answer, byte by byte.
    pub(crate) fn received(&self) -> &[u8] {
        &self.received
    }
}
