//! The way to a provider's token endpoint, on which requests and answers can be kept from getting on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::waiting::eventually;

/// Passes bytes on in both directions, unless it was told to keep something.
pub(crate) struct Gate {
    url: String,
    orders: watch::Sender<Orders>,
    stopped: Arc<AtomicUsize>,
}

/// What is kept from getting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    /// The provider does not hear of them.
    Requests,
    /// The provider has made them, and nobody hears of it.
    Answers,
}

#[derive(Clone, Copy)]
struct Orders {
    held: Held,
    /// Goes up when those who were stopped are to move.
    turn: u32,
    /// They are turned away then: their connections end.
    turned_away: bool,
}

impl Gate {
    /// In front of the server that a URL names.
    pub(crate) async fn before(url: &str) -> Self {
        let server = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let orders = watch::Sender::new(Orders { held: Held::Nothing, turn: 0, turned_away: false });
        let stopped = Arc::new(AtomicUsize::new(0));
        let gate = Self { url, orders: orders.clone(), stopped: Arc::clone(&stopped) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let way = Way { orders: orders.subscribe(), stopped: Arc::clone(&stopped) };
                tokio::spawn(way.pass_on(client, server));
            }
        });
        gate
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Keeps whatever of this comes from now on.
    pub(crate) fn hold(&self, held: Held) {
        self.orders.send_modify(|orders| orders.held = held);
    }

    /// Waits until so many are kept.
    pub(crate) async fn has_stopped(&self, number: usize) {
        eventually("the gate to stop them", async || {
            (self.stopped.load(Ordering::SeqCst) == number).then_some(())
        })
        .await;
    }

    /// Lets everybody else pass; who was stopped stays so.
    pub(crate) fn let_others_pass(&self) {
        self.hold(Held::Nothing);
    }

    /// Lets everybody pass.
    pub(crate) fn open(&self) {
        self.move_on(false);
    }

    /// What was stopped never arrives, and everybody else passes.
    pub(crate) fn turn_away(&self) {
        self.move_on(true);
    }

    fn move_on(&self, turned_away: bool) {
        self.orders.send_modify(|orders| {
            *orders = Orders { held: Held::Nothing, turn: orders.turn + 1, turned_away };
        });
    }
}

/// One connection through the gate.
struct Way {
    orders: watch::Receiver<Orders>,
    stopped: Arc<AtomicUsize>,
}

impl Way {
    /// Ends when one side does, or when it is turned away.
    async fn pass_on(mut self, mut client: TcpStream, mut server: TcpStream) {
        let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                Ok(length) = client.read(&mut asked) => {
                    let gets_on = length > 0 && self.gets_on(Held::Requests).await;
                    if !gets_on || server.write_all(&asked[..length]).await.is_err() {
                        return;
                    }
                }
                Ok(length) = server.read(&mut answered) => {
                    let gets_on = length > 0 && self.gets_on(Held::Answers).await;
                    if !gets_on || client.write_all(&answered[..length]).await.is_err() {
                        return;
                    }
                }
                else => return,
            }
        }
    }

    /// Waits where it is stopped; whether it may go on.
    async fn gets_on(&mut self, what: Held) -> bool {
        let Orders { held, turn, .. } = *self.orders.borrow_and_update();
        if held != what {
            return true;
        }
        self.stopped.fetch_add(1, Ordering::SeqCst);
        let moved = self.orders.wait_for(|orders| orders.turn != turn).await;
        let gets_on = moved.is_ok_and(|orders| !orders.turned_away);
        self.stopped.fetch_sub(1, Ordering::SeqCst);
        gets_on
    }
}
