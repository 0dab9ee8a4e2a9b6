//! The clocks of a client's connection over HTTP/1.1 (Envoy, "timeouts"): one timer, which looks at
//! what has happened since it was set.

mod io;
mod reply;

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use mesh_core::config::ClientTimeouts;

pub(super) use self::{io::Watched, reply::answer_late};
use super::ListenOptions;
use crate::{
    activity::{Activity, Late, Phase},
    alarm::Alarm,
    clock,
};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Watch {
    activity: Arc<Activity>,
    alarm: Alarm,
    /// When it looks next.
    look: Instant,
}

/// How long a client may take; for ever where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    idle: Option<Duration>,
    stream_idle: Option<Duration>,
    request_headers: Option<Duration>,
    request: Option<Duration>,
}

/// How long a watch looks away where no limit is shorter.
const AWAY: Duration = Duration::from_secs(300);

impl Limits {
    /// What the configuration says, and where that says nothing what the options do.
    pub(super) fn of(options: &ListenOptions, said: ClientTimeouts) -> Self {
        let limit = |said: Option<Duration>, option| match said {
            Some(said) => Some(said).filter(|it| !it.is_zero()),
            None => option,
        };
        Self {
            idle: limit(said.idle, Some(options.idle_timeout)),
            stream_idle: limit(said.stream_idle, options.stream_idle_timeout),
            request_headers: limit(said.request_headers, options.request_headers_timeout),
            request: limit(said.request, options.request_timeout),
        }
    }

    /// How long a connection may be without a request.
    pub(super) const fn idle(&self) -> Option<Duration> {
        self.idle
    }

    /// What has to end a connection that is as its `activity` says, and when.
    fn due(&self, activity: &Activity) -> Option<(Instant, Late)> {
        let (begun, last) = activity.times();
        let request = (begun, self.request, Late::Request);
        let stream_idle = match activity.idle_limit() {
            Some(limit) if activity.phase() == Phase::Exchange => {
                Some(limit).filter(|it| !it.is_zero())
            }
            _ => self.stream_idle,
        };
        let stream = (last, stream_idle, Late::Stream);
        let clocks = match activity.phase() {
            Phase::Idle => [Some((last, self.idle, Late::Connection)), None, None],
            Phase::Heard | Phase::Head => {
                let head = (begun, self.request_headers, Late::Head);
                [Some(head), Some(request), Some(stream)]
            }
            Phase::Exchange => {
                let request = activity.is_arriving().then_some(request);
                [Some(stream), request, None]
            }
        };
        let ends = clocks.into_iter().flatten();
        let ends = ends.filter_map(|(from, limit, late)| Some((from.checked_add(limit?)?, late)));
        ends.min_by_key(|(at, _)| *at)
    }

    /// The shortest. A watch that looks so often has its timer set soon enough for whatever begins
    /// in between.
    fn shortest(&self) -> Duration {
        let limits = [
            self.idle,
            self.stream_idle,
            self.request_headers,
            self.request,
        ];
        limits.into_iter().flatten().fold(AWAY, Duration::min)
    }
}

impl Watch {
    /// Watches from `now` on, by these limits at first.
    pub(super) fn new(activity: Arc<Activity>, limits: Limits, now: Instant) -> Self {
        let look = now + limits.shortest();
        Self {
            activity,
            alarm: Alarm::default(),
            look,
        }
    }

    /// Ready when the connection is late, by the limits as they are when it looks.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, limits: impl Fn() -> Limits) -> Poll<Late> {
        if self.activity.has_news()
            && let Some((at, _)) = limits().due(&self.activity)
        {
            self.look = self.look.min(at);
        }
        loop {
            ready!(self.alarm.poll(self.look, cx));
            let (now, limits) = (clock::now(), limits());
            let due = limits.due(&self.activity);
            self.look = now + limits.shortest();
            match due {
                Some((at, late)) if at <= now => return Poll::Ready(late),
                Some((at, _)) => self.look = self.look.min(at),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
