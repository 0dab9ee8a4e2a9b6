//! The answer to a request whose head never came: nobody but us can write it.

use std::time::{Duration, SystemTime};

use httpdate::fmt_http_date;
use mesh_core::local_reply::LocalReply;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

/// How long a client may take to take the answer.
const MOMENT: Duration = Duration::from_secs(1);

/// Says why, as far as the client listens. The connection ends with that.
pub(crate) async fn answer_late<I: AsyncWrite + Unpin>(mut io: I, reply: &LocalReply) {
    let text = format!(
        "HTTP/1.1 {}\r\ncontent-length: {}\r\ncontent-type: text/plain\r\ndate: {}\r\n\
         server: envoy\r\nconnection: close\r\n\r\n{}",
        reply.status,
        reply.body.len(),
        fmt_http_date(SystemTime::now()),
        reply.body,
    );
    // One that does not listen does not miss it.
    let _ = timeout(MOMENT, io.write_all(text.as_bytes())).await;
}
