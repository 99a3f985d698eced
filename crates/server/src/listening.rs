//! The socket that the service listens on, and what its connections may do.
//!
//! The head of a request has room for 128 KiB and 96 headers, and its target for 64 KiB; what is larger is answered 431
//! or 400. These are the web framework's own limits: a bearer token or cookie of 4 KiB is far below them, and no setting
//! of ours could lower them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::web::Data;
use grantkeeper_rest::Api;
use socket2::{Domain, Protocol, Socket, Type};

use crate::failure::Failure;

/// How long the head of a connection's first request may take to come.
const LONGEST_HEAD: Duration = Duration::from_secs(5);
/// How long a connection may rest between two requests: longer than proxies leave theirs, which is a minute mostly. A
/// proxy that is not the first to close would send a request into a connection that is just being closed.
const LONGEST_REST: Duration = Duration::from_secs(75);
/// How long is read on after an answer that did not wait for the body: if the connection were closed with something
/// unread in it, the answer would be lost with it.
const LONGEST_FAREWELL: Duration = Duration::from_secs(2);
/// How many connections may wait to be accepted, as far as the system allows. The standard library's 128 are fewer than a
/// proxy may open in a moment; the client of one too many hears nothing, and asks again a second later.
const MOST_UNACCEPTED: i32 = 4_096;

/// How the web server is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerSettings {
    /// How many threads answer requests.
    pub(crate) threads: usize,
    /// How many connections may be open at a time; more of them wait to be accepted.
    pub(crate) connections: u32,
    /// How long requests may take to end after the server was told to stop.
    pub(crate) shutdown_timeout: Duration,
}

/// Serves the REST surface. The server runs as long as the future does.
pub(crate) fn serve(listener: TcpListener, api: Data<Api>, settings: &ServerSettings) -> io::Result<Server> {
    let connections = usize::try_from(settings.connections).unwrap_or(usize::MAX);
    Ok(HttpServer::new(move || grantkeeper_rest::app(api.clone()))
        .workers(settings.threads)
        .max_connections(connections.div_ceil(settings.threads))
        .client_request_timeout(LONGEST_HEAD)
        .keep_alive(LONGEST_REST)
        .client_disconnect_timeout(LONGEST_FAREWELL)
        .tcp_nodelay(true)
        // A client that has hung up waits for nothing: a call that blocks ends with it.
        .h1_allow_half_closed(false)
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals()
        .listen(listener)?
        .run())
}

/// Binds an address; port 0 takes a free one.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    listen_at(address).map_err(|error| refused(address, &error))
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A new server may take the address while connections of the one before are still on their way out. Windows would let
    // two servers share it.
    socket.set_reuse_address(cfg!(unix))?;
    socket.bind(&address.into())?;
    socket.listen(MOST_UNACCEPTED)?;
    Ok(socket.into())
}

fn refused(address: SocketAddr, error: &io::Error) -> Failure {
    let host = SocketAddr::new(address.ip(), 0);
    match error.kind() {
        io::ErrorKind::AddrInUse => Failure::of(format!(
            "{address} is in use by another program; give another address with --listen, such as --listen {host} \
             for a free port"
        )),
        io::ErrorKind::PermissionDenied => Failure::of(format!(
            "{address} may not be listened on by this user; give another port with --listen, above 1023"
        )),
        io::ErrorKind::AddrNotAvailable => Failure::of(format!(
            "{} is not an address of this machine; give one that is with --listen",
            address.ip()
        )),
        _ => Failure::of(format!("cannot listen on {address}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    // Elsewhere the system's own limit may be lower.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_burst_of_connections_waits_to_be_accepted() {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        // Less than the second after which a client tries again.
        let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(900));
        let burst: io::Result<Vec<_>> = (0..300).map(connect).collect();
        burst.expect("nobody is told nothing");
    }

    #[test]
    fn a_port_that_is_taken_is_told_with_the_flag_to_use() {
        let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("there is a free port");
        let address = taken.local_addr().expect("it is bound");
        let failure = bind(address).expect_err("one program a port").to_string();
        assert!(failure.contains(&address.to_string()), "{failure}");
        assert!(failure.contains("--listen 127.0.0.1:0"), "{failure}");
    }
}
