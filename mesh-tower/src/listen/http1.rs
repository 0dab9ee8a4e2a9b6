//! A connection over HTTP/1.1: one request after the other, and the clocks between.

use std::{
    convert::Infallible,
    future::{Future as _, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, header::CONNECTION};
use hyper::{
    body::Incoming,
    server::conn::http1::Connection,
    service::{HttpService, service_fn},
};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{
    connection::{Io, Serving},
    drain::IDLE_GRACE,
    watch::{Limits, Watch, Watched, answer_late},
};
use crate::{
    activity::{Activity, Late, Phase},
    alarm::Alarm,
    clock,
    proxy::{Proxy, ProxyBody},
};

/// A connection that is watched.
struct Served<'s, S: HttpService<Incoming>> {
    serving: &'s Serving,
    connection: Connection<TokioIo<Watched<Io>>, S>,
    watch: Watch,
    activity: Arc<Activity>,
}

/// How a connection has ended.
enum Ended {
    /// By itself.
    Itself(hyper::Result<()>),
    /// Its client is late.
    Late(Late),
}

impl Serving {
    pub(super) async fn serve_http1(&self, io: Io) -> hyper::Result<()> {
        let now = clock::now();
        let activity = Arc::new(Activity::new(now));
        // For its requests, of which there is one at a time.
        let alarm = Mutex::default();
        let service = service_fn(|request| self.answer_http1(request, &alarm, &activity));
        let io = TokioIo::new(Watched::new(io, Arc::clone(&activity)));
        let mut served = Served {
            serving: self,
            connection: self.http1.serve_connection(io, service),
            watch: Watch::new(Arc::clone(&activity), self.limits(), now),
            activity: Arc::clone(&activity),
        };
        let late = match self.drained(&mut served).await {
            Ended::Itself(ended) => return ended,
            Ended::Late(late) => late,
        };
        // One that says nothing is told nothing, and an answer that has begun is cut.
        if activity.phase() == Phase::Head {
            let io = served.connection.into_parts().io.into_inner();
            answer_late(io, &Proxy::late_head(late)).await;
        }
        Ok(())
    }

    /// The clocks of its clients.
    pub(super) fn limits(&self) -> Limits {
        Limits::of(&self.options, self.proxy.timeouts())
    }

    /// Serves until the end, which begins with draining.
    async fn drained<S>(&self, served: &mut Served<'_, S>) -> Ended
    where
        S: HttpService<Incoming, ResBody = ProxyBody, Error = Infallible>,
    {
        let mut draining = self.draining.begin();
        let ended = poll_fn(|cx| match served.poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => Pin::new(&mut draining).poll(cx).map(|()| None),
        });
        if let Some(ended) = ended.await {
            return ended;
        }
        // A connection that is in use ends with its next answer, which says so.
        if let Ok(ended) = timeout(IDLE_GRACE, poll_fn(|cx| served.poll(cx))).await {
            return ended;
        }
        Pin::new(&mut served.connection).graceful_shutdown();
        poll_fn(|cx| served.poll(cx)).await
    }

    async fn answer_http1(
        &self,
        request: Request<Incoming>,
        place: &Mutex<Alarm>,
        activity: &Arc<Activity>,
    ) -> Result<Response<ProxyBody>, Infallible> {
        let in_place = || place.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alarm = in_place().take();
        let answer = self.proxy.answer(request, &mut alarm, Some(activity));
        let mut response = answer.await;
        *in_place() = alarm;
        if self.draining.has_begun() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        Ok(response)
    }
}

impl<S> Served<'_, S>
where
    S: HttpService<Incoming, ResBody = ProxyBody, Error = Infallible>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            if let Poll::Ready(ended) = Pin::new(&mut self.connection).poll(cx) {
                return Poll::Ready(Ended::Itself(ended));
            }
            self.activity.settle(clock::now);
            let Poll::Ready(late) = self.watch.poll(cx, || self.serving.limits()) else {
                return Poll::Pending;
            };
            // Whoever answers the request says so, if it can still be said. One that is told twice
            // waits for a client that does not read.
            if self.activity.phase() != Phase::Exchange || self.activity.late().is_some() {
                return Poll::Ready(Ended::Late(late));
            }
            self.activity.tell(late);
        }
    }
}
