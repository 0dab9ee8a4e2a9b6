//! The HTTP/2 connections of an endpoint: one, until its streams are used up; then another.
//!
//! A connection takes requests from the moment that the peer's SETTINGS are here, which is part of
//! connecting and of its timeout (as in gRPC; Envoy sends ahead of them). It costs a round trip once
//! a connection, mostly less, since a server speaks first. In return no request is refused for
//! exceeding a limit that was not known yet, and a peer that accepts and dies, or does not speak
//! HTTP/2, counts as one that could not be connected to: its back-off holds.
//!
//! A request that finds a free stream takes no lock of the pool. Those that find none wait, and may
//! be overtaken by one that comes just as a stream is freed.

mod core;
mod live;

use std::sync::Arc;

use http::{Request, Response};
use mesh_core::{
    ErrorKind,
    config::{ClusterConfig, Http2Config, Limits},
};

use self::{
    core::{Core, Look},
    live::Reserved,
};
use super::{DialError, Dialer, OFFERS, SendError};
use crate::{
    body::{RequestBody, ResponseBody},
    clock,
    connect::http2::Http2Settings,
};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Http2Pool {
    core: Arc<Core>,
}

/// Why a request got no stream.
enum Refusal {
    Connect(DialError),
    Overloaded,
}

impl Http2Pool {
    pub(super) fn new(dialer: Dialer, config: &ClusterConfig, http2: &Http2Config) -> Self {
        let settings = Http2Settings {
            initial_stream_window: http2.initial_stream_window,
            initial_connection_window: http2.initial_connection_window,
            max_streams: http2.max_concurrent_streams as usize,
            keepalive_interval: http2.keepalive_interval,
            keepalive_timeout: http2.keepalive_timeout,
            ..Http2Settings::default()
        };
        Self {
            core: Arc::new(Core::new(dialer, settings, config)),
        }
    }

    pub(super) fn start_connecting(&self) {
        self.core.start_connecting();
    }

    /// Whatever needs the lock waits until this is dropped.
    #[cfg(test)]
    pub(super) fn hold_lock(&self) -> impl Drop {
        self.core.lock()
    }

    pub(super) async fn send(
        &self,
        request: &mut Request<RequestBody>,
        limits: &Limits,
    ) -> Result<Response<ResponseBody>, SendError> {
        let mut offers = 0;
        loop {
            let reserved = match self.core.reserve() {
                Some(reserved) => reserved,
                // Boxed: few requests wait, and all would carry the room for it.
                None => match Box::pin(self.wait(limits)).await {
                    Ok(reserved) => reserved,
                    Err(Refusal::Connect(error)) => return Err(SendError::connect(&error)),
                    Err(Refusal::Overloaded) => return Err(SendError::overloaded()),
                },
            };
            let failed = match reserved.send(std::mem::take(request)).await {
                Ok(response) => return Ok(response),
                Err(failure) => SendError::of(failure, request),
            };
            offers += 1;
            if !failed.whole || offers == OFFERS || failed.error.kind() != ErrorKind::Reset {
                return Err(failed);
            }
        }
    }

    /// Waits for a stream, dialling if that is allowed. Bounded by `max_pending_requests` in number
    /// and by the deadlines above in time.
    async fn wait(&self, limits: &Limits) -> Result<Reserved, Refusal> {
        let place = self.core.pending(limits);
        let _place = place.ok_or(Refusal::Overloaded)?;
        let mut outages = None;
        loop {
            let changed = self.core.changed().notified();
            tokio::pin!(changed);
            // Registered before the look, so that nothing that happens in between is missed.
            changed.as_mut().enable();
            match self.core.look(limits, &mut outages) {
                Ok(Look::Found(reserved)) => return Ok(reserved),
                Ok(Look::Wait(again)) => tokio::select! {
                    () = changed => {}
                    () = clock::sleep_until(again) => {}
                },
                Err(error) => return Err(Refusal::Connect(error)),
            }
        }
    }
}
