//! The handles of plain HTTP requests, by method and status.

use std::{sync::OnceLock, time::Duration};

use http::StatusCode;
use mesh_core::{
    ErrorKind,
    observe::{End, HttpMethod, RequestSummary},
};
use metrics::Histogram;

use super::request::{Names, error_type};
use crate::{handle, table};

/// Statuses from 100 to 599; others are one.
const STATUSES: usize = 500;
const METHODS: usize = HttpMethod::ALL.len();

/// A histogram of times in seconds.
#[derive(Debug)]
pub(super) struct Times(pub(super) Histogram);

impl Times {
    pub(super) fn record(&self, time: Duration) {
        self.0.record(time.as_secs_f64());
    }
}

/// The handles of each method that was used.
#[derive(Debug)]
pub(super) struct Requests([OnceLock<Box<Method>>; METHODS]);

/// By how the request ended.
#[derive(Debug)]
struct Method {
    // By the hundred, since few statuses are ever seen.
    answered: [OnceLock<Box<[OnceLock<Times>; 100]>>; STATUSES / 100],
    odd: OnceLock<Times>,
    failed: [OnceLock<Times>; ErrorKind::ALL.len()],
    cancelled: OnceLock<Times>,
}

impl Requests {
    pub(super) fn record(&self, method: HttpMethod, request: &RequestSummary<'_>, names: &Names) {
        let of = self.0[method as usize].get_or_init(Box::default);
        let make = |status: &str, error: &str| {
            let (target, cluster) = (names.target.as_str(), names.cluster());
            let values = [method.as_str(), status, error, target, cluster];
            Times(handle::histogram(&table::HTTP_DURATION, &values))
        };
        let times = match (request.end, request.status) {
            (End::Failed(error), _) => {
                let kind = error.kind();
                let place = of.failed.get(kind as usize).unwrap_or(&of.odd);
                place.get_or_init(|| make("", error_type(kind)))
            }
            (_, Some(status)) => of.answered(status, make),
            (_, None) => of.cancelled.get_or_init(|| make("", "cancelled")),
        };
        times.record(request.duration);
    }
}

impl Method {
    fn answered(&self, status: StatusCode, make: impl FnOnce(&str, &str) -> Times) -> &Times {
        let number = usize::from(status.as_u16());
        let Some(hundred) = self.answered.get((number / 100).wrapping_sub(1)) else {
            return self.odd.get_or_init(|| make("_OTHER", ""));
        };
        let hundred = hundred.get_or_init(|| Box::new([const { OnceLock::new() }; 100]));
        hundred[number % 100].get_or_init(|| {
            // OpenTelemetry: for a client, a status from 400 on is an error.
            let is_error = status.is_client_error() || status.is_server_error();
            make(status.as_str(), if is_error { status.as_str() } else { "" })
        })
    }
}

impl Default for Requests {
    fn default() -> Self {
        Self([const { OnceLock::new() }; METHODS])
    }
}

impl Default for Method {
    fn default() -> Self {
        Self {
            answered: [const { OnceLock::new() }; STATUSES / 100],
            odd: OnceLock::new(),
            failed: [const { OnceLock::new() }; ErrorKind::ALL.len()],
            cancelled: OnceLock::new(),
        }
    }
}
