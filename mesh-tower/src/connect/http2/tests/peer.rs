//! A server on the `h2` crate whose requests the test answers itself.

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, mpsc};

use crate::connect::Executor;
use crate::connect::http2::{Http2Connection, Http2Settings, handshake};

pub(super) type Exchange = (Request<RecvStream>, SendResponse<Bytes>);

/// Both ends of a connection.
pub(super) struct Peer {
    pub(super) client: Http2Connection,
    requests: mpsc::UnboundedReceiver<Exchange>,
}

pub(super) fn executor() -> Executor {
    Executor::tokio(tokio::runtime::Handle::current())
}

impl Peer {
    pub(super) async fn start() -> Self {
        Self::with(&Http2Settings::default(), &Builder::new()).await
    }

    pub(super) async fn with(settings: &Http2Settings, server: &Builder) -> Self {
        let (near, far) = tokio::io::duplex(64 << 10);
        Self::over(near, far, settings, server).await
    }

    pub(super) async fn over_tcp() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap());
        let (near, far) = tokio::join!(near, listener.accept());
        let settings = Http2Settings::default();
        Self::over(near.unwrap(), far.unwrap().0, &settings, &Builder::new()).await
    }

    async fn over<IO>(near: IO, far: IO, settings: &Http2Settings, server: &Builder) -> Self
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, requests) = mpsc::unbounded_channel();
        let server = server.clone();
        tokio::spawn(async move {
            let mut connection = server.handshake::<_, Bytes>(far).await.unwrap();
            while let Some(Ok(exchange)) = connection.accept().await {
                let _ = sender.send(exchange);
            }
        });
        let changed = Notify::new().into();
        let (client, driver) = handshake(near, settings, executor(), changed)
            .await
            .unwrap();
        tokio::spawn(driver);
        Self { client, requests }
    }

    pub(super) async fn accept(&mut self) -> Exchange {
        super::soon(self.requests.recv()).await.unwrap()
    }
}
