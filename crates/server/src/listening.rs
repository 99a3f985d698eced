//! The socket that the service listens on.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::failure::Failure;

/// Binds an address; port 0 takes a free one.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| refused(address, &error))
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
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_told_with_the_flag_to_use() {
        let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("there is a free port");
        let address = taken.local_addr().expect("it is bound");
        let failure = bind(address).expect_err("one program a port").to_string();
        assert!(failure.contains(&address.to_string()), "{failure}");
        assert!(failure.contains("--listen 127.0.0.1:0"), "{failure}");
    }
}
