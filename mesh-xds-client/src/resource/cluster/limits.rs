//! Circuit breakers (gRFC A32; Envoy, "Circuit breaking").

use mesh_core::config::{Fraction, Limits, RetryBudget};
use mesh_proto::envoy::config::{
    cluster::v3::{
        CircuitBreakers,
        circuit_breakers::{Thresholds, thresholds::RetryBudget as BudgetMessage},
    },
    core::v3::RoutingPriority,
};

use crate::resource::{
    at::At,
    reader::{NO_EFFECT, Reader},
};

impl Reader<'_> {
    /// The limits of priority DEFAULT, of which there are some whether a cluster says so or not.
    pub(super) fn limits(&mut self, at: &At<'_>, breakers: Option<&CircuitBreakers>) -> Limits {
        let mut limits = Limits::of(self.dialect());
        let Some(breakers) = breakers else {
            return limits;
        };
        let at = at.field("circuit_breakers");
        self.check_per_host(&at.field("per_host_thresholds"), breakers);
        let list = at.field("thresholds");
        let mut found = false;
        for (i, thresholds) in breakers.thresholds.iter().enumerate() {
            let at = list.index(i);
            if thresholds.priority != RoutingPriority::Default as i32 {
                self.other_priority(&at.field("priority"), thresholds.priority);
            } else if !found {
                found = true;
                self.thresholds(&at, thresholds, &mut limits);
            }
        }
        limits
    }

    fn other_priority(&mut self, at: &At<'_>, priority: i32) {
        if RoutingPriority::try_from(priority).is_err() && !self.is_grpc() {
            self.error(at, "is not a known value");
        } else {
            self.warn(at, "only DEFAULT has an effect");
        }
    }

    /// gRFC A105.
    fn check_per_host(&mut self, at: &At<'_>, breakers: &CircuitBreakers) {
        for (i, thresholds) in breakers.per_host_thresholds.iter().enumerate() {
            let at = at.index(i);
            if thresholds.max_connections == Some(0) {
                self.error(&at.field("max_connections"), "must be at least 1");
            }
            self.warn(&at, NO_EFFECT);
        }
    }

    fn thresholds(&mut self, at: &At<'_>, thresholds: &Thresholds, limits: &mut Limits) {
        limits.max_requests = thresholds.max_requests.unwrap_or(limits.max_requests);
        let others = [
            (
                "max_connections",
                thresholds.max_connections,
                &mut limits.max_connections,
            ),
            (
                "max_pending_requests",
                thresholds.max_pending_requests,
                &mut limits.max_pending_requests,
            ),
            (
                "max_retries",
                thresholds.max_retries,
                &mut limits.max_retries,
            ),
        ];
        for (field, value, limit) in others {
            match value {
                None => {}
                Some(_) if self.is_grpc() => {
                    self.warn(&at.field(field), "is not read in dialect grpc");
                }
                Some(value) => *limit = value,
            }
        }
        let place = at.field("retry_budget");
        match &thresholds.retry_budget {
            None => {}
            Some(_) if self.is_grpc() => self.warn(&place, "is not read in dialect grpc"),
            Some(budget) => limits.retry_budget = self.retry_budget(&place, budget),
        }
        if thresholds.max_connection_pools.is_some() {
            let place = at.field("max_connection_pools");
            self.warn(&place, NO_EFFECT);
        }
    }

    fn retry_budget(&mut self, at: &At<'_>, budget: &BudgetMessage) -> Option<RetryBudget> {
        if budget.budget_interval.is_some() {
            let place = at.field("budget_interval");
            self.warn(&place, NO_EFFECT);
        }
        let percent = match budget.budget_percent {
            Some(percent) => self.percent(&at.field("budget_percent"), percent)?,
            None => 20.0,
        };
        Some(RetryBudget {
            share: Fraction::new(ten_thousandths(percent), 1_000_000),
            min_concurrency: budget.min_retry_concurrency.unwrap_or(3),
        })
    }
}

/// A percentage from 0 to 100 in millionths of the whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be within 0 to 100"
)]
fn ten_thousandths(percent: f64) -> u32 {
    (percent * 10_000.0).round() as u32
}
