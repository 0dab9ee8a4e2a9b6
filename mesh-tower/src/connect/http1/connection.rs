//! The handle of an HTTP/1 connection.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use http::{Request, Response};
use tokio::task::coop::{has_budget_remaining, poll_proceed};

use crate::body::{RequestBody, ResponseBody};
use crate::connect::{Executor, Io, SendFailure, SendFailureKind};

use super::body::Http1Body;
use super::lease::Lease;
use super::response::{Answer, AnswerReader};
use super::upload::Upload;
use super::wire::{self, Wire};

/// Settings of one HTTP/1 client connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http1Settings {
    /// The largest response head in bytes. At least 8 KiB. Default 64 KiB.
    pub max_head: usize,
    /// Most response header lines. 100 by default, and cheapest so.
    pub max_headers: usize,
}

/// A client connection that carries one request at a time. Dropping it closes it.
#[derive(Debug)]
pub struct Http1Connection {
    pub(super) wire: Wire,
    settings: Http1Settings,
    executor: Executor,
}

/// Where a connection goes once it may carry another request.
pub trait Http1Home: Send + Sync {
    /// Takes the connection back.
    fn give_back(self: Arc<Self>, connection: Http1Connection);
}

impl Default for Http1Settings {
    fn default() -> Self {
        Self {
            max_head: 64 << 10,
            max_headers: 100,
        }
    }
}

impl Http1Connection {
    /// A connection over `io`, to be spoken to as HTTP/1.1. `executor` runs the exchanges whose
    /// responses begin before their requests have been sent.
    #[must_use]
    pub fn new(io: Box<dyn Io>, settings: Http1Settings, executor: Executor) -> Self {
        Self {
            wire: Wire::new(io),
            settings,
            executor,
        }
    }

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
        turn().await;
        if self.is_closed() {
            return Err(SendFailure::with_request(SendFailureKind::Unsent, request));
        }
        self.send_open(request, home).await
    }

    /// [`send`](Self::send) on a connection that was not closed a moment ago.
    pub(crate) async fn send_open(
        self,
        request: Request<RequestBody>,
        home: Option<Arc<dyn Http1Home>>,
    ) -> Result<Response<ResponseBody>, SendFailure> {
        let mut lease = Lease {
            connection: self,
            home,
            keeps: true,
            sent: true,
        };
        let connection = &mut lease.connection;
        let mut upload = match Upload::new(request, &mut connection.wire.out) {
            Ok(upload) => upload,
            Err(failure) => {
                // Nothing has been written.
                lease.end();
                return Err(failure);
            }
        };
        let mut reader = AnswerReader::new(connection.settings, upload.request().method());
        let answer = poll_fn(|cx| connection.poll_answer(&mut upload, &mut reader, cx)).await;
        match answer {
            Ok(answer) => Ok(lease.receive(answer, upload)),
            Err(SendFailureKind::Unsent) => Err(upload.unsent()),
            Err(kind) => Err(SendFailure::new(kind)),
        }
    }

    /// Whether the peer has closed the connection, or sends what nobody asked for.
    #[must_use]
    pub fn is_closed(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.poll_closed(&mut cx).is_ready()
    }

    /// Ready when [`is_closed`](Self::is_closed) is true.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.wire.poll_over(cx)
    }

    fn poll_answer(
        &mut self,
        upload: &mut Upload,
        reader: &mut AnswerReader,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answer, SendFailureKind>> {
        // The peer may answer before it has the whole request.
        if let Poll::Ready(Err(kind)) = upload.poll(&mut self.wire, cx) {
            return Poll::Ready(Err(kind));
        }
        loop {
            if let Some(answer) = reader.read(&mut self.wire.read)? {
                return Poll::Ready(Ok(answer));
            }
            // Interim responses may come without end, over a stream that is always ready.
            let turn = ready!(poll_proceed(cx));
            let end = ready!(self.wire.poll_read(cx));
            turn.made_progress();
            if !matches!(end, Ok(1..)) {
                // What writing met says more.
                let cause = upload.take_broken().map_or(end, Err);
                return Poll::Ready(Err(wire::lost(cause)));
            }
        }
    }

    pub(super) fn executor(&self) -> Executor {
        self.executor.clone()
    }
}

/// Lets others run if the task has had its turn: streams say nothing then, and one that is closed would
/// be taken for one that is not.
pub(crate) async fn turn() {
    if !has_budget_remaining() {
        tokio::task::yield_now().await;
    }
}

impl Lease {
    fn receive(mut self, answer: Answer, upload: Upload) -> Response<ResponseBody> {
        let Answer { parts, body, keeps } = answer;
        let wire = &mut self.connection.wire;
        let whole = body.take_whole(&mut wire.read);
        (self.keeps, self.sent) = (keeps, upload.is_sent(&wire.out));
        let body = match whole {
            Ok(data) => {
                self.end();
                ResponseBody::full(data)
            }
            Err(body) => ResponseBody::http1(Http1Body::new(body, self, upload)),
        };
        Response::from_parts(parts, body)
    }
}
