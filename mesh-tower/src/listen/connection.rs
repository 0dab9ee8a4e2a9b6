//! One connection, from its first byte to its end.

use std::{
    convert::Infallible,
    error::Error as _,
    pin::pin,
    sync::{Mutex, PoisonError},
};

use http::{HeaderValue, Request, Response, header::CONNECTION};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use mesh_core::bounds::Bound;
use tokio::time::timeout;

use super::{
    Draining, ListenOptions,
    drain::IDLE_GRACE,
    linger::Lingering,
    preface::{Heard, Spoken, hear},
};
use crate::{
    alarm::Alarm,
    connect::Executor,
    proxy::{Proxy, ProxyBody},
};

/// How much a client may send on an HTTP/2 stream, and on all streams of a connection together,
/// before it is read: the memory that a client can claim.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// What it takes to serve the connections of a listener.
pub(super) struct Serving {
    proxy: Proxy,
    options: ListenOptions,
    draining: Draining,
    http1: http1::Builder,
    http2: http2::Builder<Tasks>,
}

type Io = TokioIo<Heard<Lingering>>;

impl Serving {
    pub(super) fn new(
        proxy: Proxy,
        options: ListenOptions,
        executor: Executor,
        draining: Draining,
    ) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(options.idle_timeout)
            .max_headers(options.max_headers)
            .max_header_size(options.max_header_bytes)
            // A client that closes its half has left, and its request goes no further, as with Envoy.
            .half_close(false);
        let mut http2 = http2::Builder::new(Tasks(executor));
        let max_header_bytes = u32::try_from(options.max_header_bytes).unwrap_or(u32::MAX);
        http2
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(options.max_concurrent_streams)
            .max_header_list_size(max_header_bytes);
        Self {
            proxy,
            options,
            draining,
            http1,
            http2,
        }
    }

    /// Serves a connection until it ends.
    pub(super) async fn serve(&self, stream: Lingering) {
        let mut draining = self.draining.clone();
        // A client that says nothing holds nothing but its place, and leaves when all do.
        let said = tokio::select! {
            said = stream.says_something() => said,
            () = draining.begun() => {
                timeout(IDLE_GRACE, stream.says_something()).await.unwrap_or(false)
            }
        };
        if !said {
            return;
        }
        let Ok(Ok(Some((spoken, io)))) = timeout(self.options.preface_timeout, hear(stream)).await
        else {
            return;
        };
        let io = TokioIo::new(io);
        let ended = match spoken {
            Spoken::Http1 => self.serve_http1(io).await,
            Spoken::Http2 => self.serve_http2(io).await,
        };
        if let Err(error) = ended {
            count(&error);
            tracing::debug!(%error, "a client's connection failed");
        }
    }

    async fn serve_http1(&self, io: Io) -> hyper::Result<()> {
        // For its requests, of which there is one at a time.
        let alarm = Mutex::default();
        let service = service_fn(|request| self.answer_http1(request, &alarm));
        let mut connection = pin!(self.http1.serve_connection(io, service));
        tokio::select! {
            biased;
            ended = connection.as_mut() => return ended,
            () = self.draining.begin() => {}
        }
        // A connection that is in use ends with its next answer, which says so.
        if let Ok(ended) = timeout(IDLE_GRACE, connection.as_mut()).await {
            return ended;
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }

    async fn answer_http1(
        &self,
        request: Request<Incoming>,
        place: &Mutex<Alarm>,
    ) -> Result<Response<ProxyBody>, Infallible> {
        let in_place = || place.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alarm = in_place().take();
        let mut response = self.proxy.answer(request, &mut alarm).await;
        *in_place() = alarm;
        if self.draining.has_begun() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        Ok(response)
    }

    async fn serve_http2(&self, io: Io) -> hyper::Result<()> {
        let (proxy, max_headers) = (self.proxy.clone(), self.options.max_headers);
        let service = service_fn(move |request: Request<Incoming>| {
            let proxy = proxy.clone();
            async move {
                Ok::<_, Infallible>(match request.headers().len() > max_headers {
                    true => proxy.too_large(&request),
                    false => proxy.answer(request, &mut Alarm::default()).await,
                })
            }
        });
        let mut connection = pin!(self.http2.serve_connection(io, service));
        tokio::select! {
            biased;
            ended = connection.as_mut() => return ended,
            () = self.draining.begin() => {}
        }
        // GOAWAY: first one that refuses nothing, then, when the client has seen that, the last.
        connection.as_mut().graceful_shutdown();
        connection.await
    }
}

/// Counts a bound that ended a connection.
fn count(error: &hyper::Error) {
    let of_http2 = error.source().and_then(|it| it.downcast_ref::<h2::Error>());
    if error.is_parse_too_large() {
        Bound::RequestHead.exceeded();
    } else if of_http2
        .is_some_and(|it| it.is_library() && it.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
    {
        Bound::ClientFrames.exceeded();
    }
}

/// Runs the requests of HTTP/2 connections.
#[derive(Clone)]
struct Tasks(Executor);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}
