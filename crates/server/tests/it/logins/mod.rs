//! Signing in, end to end: at npm `oidc-provider`, which nobody here wrote, over SQLite, and at the simulated provider over
//! PostgreSQL.

pub(crate) mod client;
mod device;
mod exchange;
mod leaving;
mod processes;
mod secrets;
mod suspension;
mod tokens;
pub(crate) mod upstream;
mod web;
pub(crate) mod world;

/// Makes a test at each provider of every function that is named.
macro_rules! at_either_provider {
    ($($test:ident),+ $(,)?) => {
        mod at_an_openid_provider {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(world) = super::LoginWorld::at_an_openid_provider().await else { return };
                super::$test(world).await;
            })+
        }

        mod at_the_simulator {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::LoginWorld::at_the_simulator().await).await;
            })+
        }
    };
}
use at_either_provider;
