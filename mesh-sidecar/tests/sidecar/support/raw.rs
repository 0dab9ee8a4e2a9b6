//! Clients that say what no library would, byte for byte.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::PATIENCE;

/// A connection, and what has been heard on it.
pub(crate) struct Raw {
    stream: TcpStream,
    heard: Vec<u8>,
}

/// All that was heard until the other side closed.
#[derive(Debug)]
pub(crate) struct Heard(pub(crate) String);

/// What is heard after these bytes, until the other side closes: they have to give it a reason.
pub(crate) async fn said(at: SocketAddr, bytes: &[u8]) -> Heard {
    let mut raw = Raw::connect(at).await;
    raw.say(bytes).await;
    raw.closed().await
}

impl Raw {
    pub(crate) async fn connect(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            heard: Vec::new(),
        }
    }

    /// A connection that may have closed already takes nothing more.
    pub(crate) async fn say(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .unwrap();
    }

    /// Listens until this has been heard, or the connection has ended.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let heard = async {
            while !String::from_utf8_lossy(&self.heard).contains(text) {
                if !matches!(self.stream.read_buf(&mut self.heard).await, Ok(1..)) {
                    break;
                }
            }
        };
        timeout(PATIENCE, heard).await.expect(text);
        String::from_utf8_lossy(&self.heard).into_owned()
    }

    /// Says that nothing more is said.
    pub(crate) async fn half_close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Listens until the other side closes by itself.
    pub(crate) async fn closed(mut self) -> Heard {
        let heard =
            async { while matches!(self.stream.read_buf(&mut self.heard).await, Ok(1..)) {} };
        timeout(PATIENCE, heard).await.expect("an end");
        Heard(String::from_utf8_lossy(&self.heard).into_owned())
    }
}

impl Heard {
    /// The statuses of the answers, in order.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let lines = self.0.split("HTTP/1.").skip(1);
        let statuses = lines.filter_map(|rest| {
            let status = rest.strip_prefix(['0', '1'])?.strip_prefix(' ')?;
            status.get(..3)?.parse().ok()
        });
        statuses.collect()
    }
}
