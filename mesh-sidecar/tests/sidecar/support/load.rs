//! Clients that ask all the time.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::PATIENCE;

/// How many clients there are for each protocol.
const CLIENTS: usize = 4;

/// What became of requests: statuses with bodies where they are errors, and what went wrong.
pub(crate) type Tally = BTreeMap<String, u64>;

/// Clients of both protocols at once. Each asks again as soon as it is answered, and connects anew when
/// it is told to leave.
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<Tally>,
}

#[derive(Default)]
struct Shared {
    answered: AtomicU64,
    ends: AtomicBool,
    stays: AtomicBool,
}

/// A connection of either protocol.
pub(crate) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Load {
    /// Requests for paths below `path` at `shop.test`.
    pub(crate) fn start(at: SocketAddr, path: &'static str) -> Self {
        let shared = Arc::<Shared>::default();
        let mut clients = JoinSet::new();
        for number in 0..2 * CLIENTS {
            let shared = Arc::clone(&shared);
            clients.spawn(async move { ask(at, path, number, &shared).await });
        }
        Self { shared, clients }
    }

    /// Waits until that many more are answered.
    pub(crate) async fn answered(&self, count: u64) {
        let until = self.shared.answered.load(Ordering::Relaxed) + count;
        let reached = async {
            while self.shared.answered.load(Ordering::Relaxed) < until {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, reached).await.expect("answers");
    }

    /// From now on, clients that are told to leave do so.
    pub(crate) fn connect_no_more(&self) {
        self.shared.stays.store(true, Ordering::Relaxed);
    }

    /// Waits until all have left by themselves.
    pub(crate) async fn left(self) -> Tally {
        let tallies = timeout(PATIENCE, self.clients.join_all()).await;
        let mut all = Tally::new();
        for (what, times) in tallies.expect("clients that leave").into_iter().flatten() {
            *all.entry(what).or_default() += times;
        }
        all
    }

    /// Has them end, and says what became of all requests.
    pub(crate) async fn end(self) -> Tally {
        self.shared.ends.store(true, Ordering::Relaxed);
        self.left().await
    }
}

impl Connection {
    pub(crate) async fn http1(at: SocketAddr) -> Self {
        let io = TokioIo::new(TcpStream::connect(at).await.unwrap());
        let (sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        Self::Http1(sender)
    }

    pub(crate) async fn http2(at: SocketAddr) -> Self {
        let io = TokioIo::new(TcpStream::connect(at).await.unwrap());
        let handshake = http2::handshake(TokioExecutor::new(), io);
        let (sender, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    pub(crate) async fn both(at: SocketAddr) -> [Self; 2] {
        [Self::http1(at).await, Self::http2(at).await]
    }

    /// A request for `path` at `shop.test` with this body, as the protocol has it.
    pub(crate) fn request(&self, path: &str, body: &str) -> Request<Full<Bytes>> {
        let request = match self {
            Self::Http1(_) => Request::post(path).header("host", "shop.test"),
            Self::Http2(_) => Request::post(format!("http://shop.test{path}")),
        };
        request.body(Full::from(body.to_owned())).unwrap()
    }

    /// Whether it still takes requests.
    pub(crate) async fn ready(&mut self) -> bool {
        match self {
            Self::Http1(sender) => sender.ready().await.is_ok(),
            Self::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender) => sender.try_send_request(request).await,
        }
    }
}

async fn ask(at: SocketAddr, path: &str, number: usize, shared: &Shared) -> Tally {
    let mut tally = Tally::new();
    let mut connection: Option<Connection> = None;
    let mut asked = 0;
    while !shared.ends.load(Ordering::Relaxed) {
        let usable = match &mut connection {
            Some(connection) => connection.ready().await,
            None => false,
        };
        if !usable {
            if connection.is_some() && shared.stays.load(Ordering::Relaxed) {
                break;
            }
            connection = Some(match number % 2 {
                0 => Connection::http1(at).await,
                _ => Connection::http2(at).await,
            });
        }
        let connection = connection.as_mut().unwrap();
        asked += 1;
        let request = connection.request(&format!("{path}/{number}/{asked}"), "a body");
        let what = match connection.send(request).await {
            Ok(answer) => what_came(answer).await,
            // What is given back has not left: the connection was told to end just then.
            Err(mut error) => match error.take_message() {
                Some(_) => continue,
                None => format!("{:?}", error.into_error()),
            },
        };
        *tally.entry(what).or_default() += 1;
        shared.answered.fetch_add(1, Ordering::Relaxed);
    }
    tally
}

async fn what_came(answer: Response<Incoming>) -> String {
    let status = answer.status();
    match answer.into_body().collect().await {
        Ok(_) if status == 200 => "200".to_owned(),
        Ok(body) => {
            let body = body.to_bytes();
            format!("{} {}", status.as_u16(), String::from_utf8_lossy(&body))
        }
        Err(error) => format!("{} {error:?}", status.as_u16()),
    }
}
