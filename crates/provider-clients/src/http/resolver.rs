//! Resolving names, with every address judged before a connection is made to it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::blocked;
use super::network_policy::{NetworkPolicy, Refusal, Transport};

/// Finds the addresses of a name.
#[async_trait]
pub(crate) trait Lookup: Send + Sync {
    /// All of them.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the machine.
pub(crate) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Gives the HTTP client addresses that the policy lets it call, for each connection anew, and it connects to exactly
/// those: a name cannot resolve to something else between the check and the connection (DNS rebinding).
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) policy: Arc<NetworkPolicy>,
    pub(crate) transport: Transport,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, policy, transport) =
            (Arc::clone(&self.lookup), Arc::clone(&self.policy), self.transport);
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            let judged = |address: IpAddr| match policy.judge(name.as_str(), address, transport) {
                // Port 0 stands for the port of the URL.
                Ok(()) => Ok(SocketAddr::new(address, 0)),
                Err(refusal) => {
                    blocked::report(name.as_str(), Some(address), refusal);
                    Err(refusal)
                }
            };
            // One refused address refuses the name: an honest name does not mix them.
            let judged: Result<Vec<SocketAddr>, Refusal> = found.into_iter().map(judged).collect();
            let addresses: Addrs = Box::new(judged?.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Vec<IpAddr>);

    #[async_trait]
    impl Lookup for Fixed {
        async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.clone())
        }
    }

    async fn resolve(addresses: &[&str]) -> Result<Vec<SocketAddr>, Refusal> {
        let resolver = GuardedResolver {
            lookup: Arc::new(Fixed(addresses.iter().map(|address| address.parse().unwrap()).collect())),
            policy: Arc::default(),
            transport: Transport::Tls,
        };
        let found = resolver.resolve("idp.example".parse().unwrap()).await;
        found.map(Iterator::collect).map_err(|error| *error.downcast::<Refusal>().unwrap())
    }

    #[tokio::test]
    async fn public_addresses_pass() {
        let found = resolve(&["93.184.215.14", "2606:2800:21f:cb07::1"]).await.unwrap();
        assert_eq!(found, ["93.184.215.14:0".parse().unwrap(), "[2606:2800:21f:cb07::1]:0".parse().unwrap()]);
    }

    #[tokio::test]
    async fn one_private_address_refuses_the_name() {
        for addresses in
            [["93.184.215.14", "127.0.0.1"], ["10.0.0.1", "93.184.215.14"], ["8.8.8.8", "::ffff:10.0.0.1"]]
        {
            assert_eq!(resolve(&addresses).await, Err(Refusal::Address), "{addresses:?}");
        }
    }
}
