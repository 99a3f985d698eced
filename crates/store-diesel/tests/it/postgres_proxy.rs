//! A wire to PostgreSQL that can be cut in the middle of a commit.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Where a wire is cut. The next commit meets it, and none after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never hears of the commit.
    BeforeCommit,
    /// The server commits, and its answer is lost.
    AfterCommit,
}

/// Passes bytes on, in both directions.
pub(crate) struct Proxy {
    url: String,
    next_cut: Arc<Mutex<Option<Cut>>>,
}

impl Proxy {
    /// In front of the server that a URL names.
    pub(crate) async fn to(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let next_cut = Arc::new(Mutex::new(None));
        let cuts = Arc::clone(&next_cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass_on(client, server, Arc::clone(&cuts)));
            }
        });
        Self { url: url.into(), next_cut }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn cut(&self, cut: Cut) {
        *self.next_cut.lock().unwrap() = Some(cut);
    }

    pub(crate) fn has_cut(&self) -> bool {
        self.next_cut.lock().unwrap().is_none()
    }
}

/// Ends when one side does, or is made to.
async fn pass_on(mut client: TcpStream, mut server: TcpStream, cuts: Arc<Mutex<Option<Cut>>>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            Ok(length) = client.read(&mut asked) => {
                let commits = asked[..length].windows(6).any(|word| word == b"COMMIT");
                let cut = if commits { cuts.lock().unwrap().take() } else { None };
                if length == 0 || cut == Some(Cut::BeforeCommit) {
                    return;
                }
                server.write_all(&asked[..length]).await.unwrap();
                if cut == Some(Cut::AfterCommit) {
                    // It answers when it has committed.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            Ok(length) = server.read(&mut answered) => {
                if length == 0 || client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}
