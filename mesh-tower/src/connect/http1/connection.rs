//! The handle of an HTTP/1 connection and its task.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode, Version};
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::body::{RequestBody, ResponseBody};
use crate::connect::{SendFailure, SendFailureKind, hop_by_hop};

use super::body::Http1Body;
use super::failure;
use super::request;
use super::upload::{self, Upload};

/// Settings of one HTTP/1 client connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http1Settings {
    /// Bytes that reading and writing may buffer; also the largest response head. At least 8 KiB.
    /// Default 64 KiB.
    pub max_buffer: usize,
    /// Most response header lines. 100 by default, and cheapest so.
    pub max_headers: usize,
}

/// A client connection that carries one request at a time. Dropping it closes it.
#[derive(Debug)]
pub struct Http1Connection {
    sender: SendRequest<RequestBody>,
}

/// Where a connection goes once it may carry another request.
pub trait Http1Home: Send + Sync {
    /// Takes the connection back. It may need a moment before [`Http1Connection::is_ready`].
    fn give_back(&self, connection: Http1Connection);
}

/// Drives one connection; its owner spawns it. Completes when the connection is gone.
#[must_use = "a connection does nothing until its driver is polled"]
pub struct Http1Driver<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    connection: Connection<TokioIo<IO>, RequestBody>,
}

/// Starts HTTP/1.1 on `io`. Gives the handle and the driver to spawn.
///
/// # Errors
/// None today; hyper reserves the right.
pub async fn handshake<IO>(
    io: IO,
    settings: &Http1Settings,
) -> io::Result<(Http1Connection, Http1Driver<IO>)>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_buf_size(settings.max_buffer.max(8 << 10));
    if settings.max_headers != Http1Settings::default().max_headers {
        builder.max_headers(settings.max_headers);
    }
    let (sender, connection) = builder
        .handshake(TokioIo::new(io))
        .await
        .map_err(io::Error::other)?;
    Ok((Http1Connection { sender }, Http1Driver { connection }))
}

impl Default for Http1Settings {
    fn default() -> Self {
        Self {
            max_buffer: 64 << 10,
            max_headers: 100,
        }
    }
}

impl Http1Connection {
    /// Sends one request and gives its response.
    ///
    /// The request line is the URI's path and query, `host` its authority (or the `host` header of
    /// a URI without one); hop-by-hop headers are removed. The body goes with `content-length`
    /// when its size is known, chunked otherwise. Interim (1xx) responses are skipped.
    ///
    /// When the response body has been read in full and both sides keep the connection alive, it
    /// is given to `home`; otherwise it closes. `home` is held until then.
    ///
    /// # Errors
    /// [`SendFailureKind::Unsent`] with the request if the connection had closed before any of it
    /// was written; the other kinds as they say. A 101 that nobody asked for is an error.
    pub async fn send(
        mut self,
        request: Request<RequestBody>,
        home: Option<Arc<dyn Http1Home>>,
    ) -> Result<Response<ResponseBody>, SendFailure> {
        let (request, uri) = request::prepare(request)?;
        if self.sender.ready().await.is_err() {
            let request = request::restore(request, uri);
            return Err(SendFailure::with_request(SendFailureKind::Unsent, request));
        }
        let (request, upload) = upload::track(request);
        let response = match self.sender.try_send_request(request).await {
            Ok(response) => response,
            Err(error) => return Err(failure::of_send(error, uri, upload.as_ref())),
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let text = "the peer switched protocols unasked";
            return Err(SendFailure::new(SendFailureKind::Protocol(text.into())));
        }
        if let Some(text) = contradiction(&response) {
            return Err(SendFailure::new(SendFailureKind::Protocol(text.into())));
        }
        Ok(self.receive(response, upload, home))
    }

    /// Whether a request could be sent at once. False while the last exchange is being finished,
    /// and for ever once the connection is closed.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Whether the connection is known to be closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until a request can be sent; false if the connection closes instead.
    pub async fn ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    fn receive(
        self,
        response: Response<hyper::body::Incoming>,
        upload: Option<Upload>,
        home: Option<Arc<dyn Http1Home>>,
    ) -> Response<ResponseBody> {
        let keep = keeps_alive(&response);
        let (mut parts, incoming) = response.into_parts();
        hop_by_hop::strip_response(&mut parts.headers);
        let home = match home {
            Some(home) if !keep => Some(Arc::new(Departing(home)) as _),
            home => home,
        };
        let body = Http1Body::new(incoming, self, upload, home);
        Response::from_parts(parts, ResponseBody::http1(body))
    }
}

/// Holds the home of a connection that does not return there but closes.
struct Departing(
    #[expect(dead_code, reason = "held until the connection is let go")] Arc<dyn Http1Home>,
);

impl Http1Home for Departing {
    fn give_back(&self, connection: Http1Connection) {
        drop(connection);
    }
}

/// What an answer says of its body that cannot be: who reads it next might believe something else (RFC
/// 9112 section 6.3, RFC 9110 section 8.6).
fn contradiction<B>(response: &Response<B>) -> Option<&'static str> {
    let headers = response.headers();
    let length = headers.get(CONTENT_LENGTH)?;
    if headers.contains_key(TRANSFER_ENCODING) {
        return Some("the peer told a length and sent chunks");
    }
    let no_content = response.status() == StatusCode::NO_CONTENT;
    (no_content && length != "0").then_some("the peer told the length of a body that cannot be")
}

/// RFC 9112 section 9.3.
fn keeps_alive<B>(response: &Response<B>) -> bool {
    let headers = response.headers();
    if hop_by_hop::connection_has(headers, "close") {
        return false;
    }
    response.version() == Version::HTTP_11 || hop_by_hop::connection_has(headers, "keep-alive")
}

impl<IO> Future for Http1Driver<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Errors reach the exchange they hit; between exchanges there is nobody to tell.
        Pin::new(&mut self.get_mut().connection).poll(cx).map(drop)
    }
}

impl<IO> fmt::Debug for Http1Driver<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1Driver").finish_non_exhaustive()
    }
}
