//! Dialling the servers that the mesh itself calls, such as control planes.
//!
//! Each [`dial`](Dialer::dial) is one HTTP/2 connection: name and files are looked up anew, so that a
//! moved server is found and a rotated certificate is used. Who needs another connection dials again.

mod channel;
mod error;
mod limit;
mod origin;
mod race;
mod transport;

use std::{fmt, sync::Arc, time::Duration};

use mesh_core::server::{ChannelCredentials, Server};

use crate::{
    connect::{
        Executor, Io,
        http2::{self, Http2Connection, Http2Settings},
    },
    tls::ClientTls,
};

pub use crate::tls::TlsError;
pub use channel::ServerChannel;
pub use error::{DialError, DialErrorKind, DialStep};

use limit::Limit;
use origin::Origin;

/// How long a connection may take in all: name, TCP, TLS and the server's first HTTP/2 frame.
const TIMEOUT: Duration = Duration::from_secs(10);

/// While a call is open, a server that says nothing for this long is asked whether it lives...
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// ... and has this long to answer.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects to servers. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    executor: Executor,
    tls: ClientTls,
}

impl Dialer {
    /// A dialer whose connections run on `executor`. Sockets belong to the tokio runtime in which
    /// [`dial`](Self::dial) is polled.
    #[must_use]
    pub fn new(executor: Executor) -> Self {
        Self {
            executor,
            tls: ClientTls::new(),
        }
    }

    /// Makes a connection to `server` and waits until the server has spoken HTTP/2 on it.
    ///
    /// All addresses of a host are tried, both families in turn. A connection that is no longer
    /// wanted ends with the future.
    ///
    /// # Errors
    /// When there is no connection after 10 s, or for sure before that. The text names the server,
    /// and the address, file or step at fault.
    pub async fn dial(&self, server: &Server) -> Result<ServerChannel, DialError> {
        let connected = self.connect(server, Limit::of(TIMEOUT)).await;
        connected.map_err(|kind| DialError::new(server.uri.clone(), kind))
    }

    async fn connect(&self, server: &Server, limit: Limit) -> Result<ServerChannel, DialErrorKind> {
        let origin = Origin::of(server)?;
        // First, because no connection is needed to know that a file is missing.
        let tls = match &server.credentials {
            ChannelCredentials::Insecure => None,
            ChannelCredentials::Tls(files) => {
                let prepared = self.tls.prepare(files, origin.host());
                Some(limit.run(DialStep::Files, prepared).await?)
            }
        };
        let io = transport::connect(&server.address, limit).await?;
        let io: Box<dyn Io> = match tls {
            None => io,
            Some(tls) => Box::new(limit.run(DialStep::Tls, tls.run(io)).await?),
        };
        let connection = limit.run(DialStep::Http2, self.open(io)).await?;
        Ok(ServerChannel::new(connection, origin))
    }

    /// Starts HTTP/2 and waits for the server's SETTINGS: before that it may be anything.
    async fn open(&self, io: Box<dyn Io>) -> Result<Http2Connection, DialErrorKind> {
        let (executor, changed) = (self.executor.clone(), Arc::default());
        let (connection, driver) = http2::handshake(io, &settings(), executor, changed)
            .await
            .map_err(|error| DialErrorKind::Http2(error.to_string()))?;
        self.executor.spawn(driver);
        // No stream is allowed until the SETTINGS are here, so the first slot tells of them.
        if connection.reserve().await.is_some() {
            return Ok(connection);
        }
        connection.closed().await;
        let cause = connection.close_cause().unwrap_or("the server closed it");
        Err(DialErrorKind::Http2(cause.to_owned()))
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

fn settings() -> Http2Settings {
    Http2Settings {
        initial_max_streams: 0,
        keepalive_interval: Some(KEEPALIVE_INTERVAL),
        keepalive_timeout: KEEPALIVE_TIMEOUT,
        ..Http2Settings::default()
    }
}
