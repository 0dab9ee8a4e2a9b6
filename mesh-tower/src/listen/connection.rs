//! One connection, from its first byte to its end.

use std::{convert::Infallible, error::Error as _, pin::pin};

use http::Request;
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
use crate::{alarm::Alarm, clock, connect::Executor, proxy::Proxy};

/// How much a client may send on an HTTP/2 stream, and on all streams of a connection together,
/// before it is read: the memory that a client can claim.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// What it takes to serve the connections of a listener.
pub(super) struct Serving {
    pub(super) proxy: Proxy,
    pub(super) options: ListenOptions,
    pub(super) draining: Draining,
    pub(super) http1: http1::Builder,
    http2: http2::Builder<Tasks>,
}

pub(super) type Io = Heard<Lingering>;

impl Serving {
    pub(super) fn new(
        proxy: Proxy,
        options: ListenOptions,
        executor: Executor,
        draining: Draining,
    ) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            // A watch of ours looks at the time.
            .header_read_timeout(None)
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
        let says_something = async {
            tokio::select! {
                said = stream.says_something() => said,
                () = draining.begun() => {
                    timeout(IDLE_GRACE, stream.says_something()).await.unwrap_or(false)
                }
            }
        };
        let at = clock::now();
        let idle = self.limits().idle();
        let said = tokio::select! {
            biased;
            said = says_something => said,
            () = clock::sleep_until(idle.and_then(|idle| at.checked_add(idle))) => false,
        };
        if !said {
            return;
        }
        let Ok(Ok(Some((spoken, io)))) = timeout(self.options.preface_timeout, hear(stream)).await
        else {
            return;
        };
        let ended = match spoken {
            Spoken::Http1 => self.serve_http1(io).await,
            Spoken::Http2 => self.serve_http2(io).await,
        };
        if let Err(error) = ended {
            count(&error);
            tracing::debug!(%error, "a client's connection failed");
        }
    }

    async fn serve_http2(&self, io: Io) -> hyper::Result<()> {
        let (proxy, max_headers) = (self.proxy.clone(), self.options.max_headers);
        let service = service_fn(move |request: Request<Incoming>| {
            let proxy = proxy.clone();
            async move {
                Ok::<_, Infallible>(match request.headers().len() > max_headers {
                    true => proxy.too_large(&request),
                    false => proxy.answer(request, &mut Alarm::default(), None).await,
                })
            }
        });
        let mut connection = pin!(self.http2.serve_connection(TokioIo::new(io), service));
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
