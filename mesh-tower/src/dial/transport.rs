//! The byte stream under a connection.

use std::{net::SocketAddr, sync::Arc};

use mesh_core::server::ServerAddress;
use tokio::net::{TcpStream, UnixStream, lookup_host};

use super::{DialErrorKind, DialStep, limit::Limit, race};
use crate::connect::Io;

/// Connects by TCP or to a Unix socket.
pub(super) async fn connect(
    address: &ServerAddress,
    limit: Limit,
) -> Result<Box<dyn Io>, DialErrorKind> {
    match address {
        ServerAddress::Host { host, port } => {
            let addresses = limit.run(DialStep::Resolve, resolve(host, *port)).await?;
            let racing = async { race::first(addresses, tcp).await };
            let stream = limit.run(DialStep::Connect, racing).await?;
            Ok(Box::new(stream))
        }
        ServerAddress::Unix(path) => {
            let connecting = async {
                let stream = UnixStream::connect(path).await;
                stream.map_err(|source| DialErrorKind::Unix {
                    path: path.clone(),
                    source,
                })
            };
            Ok(Box::new(limit.run(DialStep::Connect, connecting).await?))
        }
    }
}

async fn resolve(host: &Arc<str>, port: u16) -> Result<Vec<SocketAddr>, DialErrorKind> {
    match lookup_host((&**host, port)).await {
        Ok(found) => Ok(found.collect()),
        Err(source) => Err(DialErrorKind::Resolve {
            host: Arc::clone(host),
            source,
        }),
    }
}

async fn tcp(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl From<race::Failures> for DialErrorKind {
    fn from(failures: race::Failures) -> Self {
        Self::Connect(failures.to_string())
    }
}
