//! Outlier detection: checked, and not yet carried out (gRFC A50; Envoy, "Outlier detection").

use mesh_proto::envoy::config::cluster::v3::OutlierDetection;

use crate::resource::{at::At, reader::Reader};

impl Reader<'_> {
    pub(super) fn check_outlier(&mut self, at: &At<'_>, outlier: &OutlierDetection) {
        let mut duration = |field, duration: Option<_>| {
            let duration = duration?;
            let place = at.field(field);
            // A zero is let through by gRPC alone.
            if self.is_grpc() {
                self.duration(&place, duration)
            } else {
                self.positive_duration(&place, duration)
            }
        };
        duration("interval", outlier.interval.as_ref());
        let base = duration("base_ejection_time", outlier.base_ejection_time.as_ref());
        let max = duration("max_ejection_time", outlier.max_ejection_time.as_ref());
        if let (Some(base), Some(max)) = (base, max)
            && max < base
            && !self.is_grpc()
        {
            let place = at.field("max_ejection_time");
            self.error(&place, "is less than base_ejection_time");
        }
        self.check_percentages(at, outlier);
    }

    fn check_percentages(&mut self, at: &At<'_>, outlier: &OutlierDetection) {
        let both = [
            ("max_ejection_percent", outlier.max_ejection_percent),
            ("enforcing_success_rate", outlier.enforcing_success_rate),
            (
                "failure_percentage_threshold",
                outlier.failure_percentage_threshold,
            ),
            (
                "enforcing_failure_percentage",
                outlier.enforcing_failure_percentage,
            ),
        ];
        let envoy = [
            (
                "enforcing_consecutive_5xx",
                outlier.enforcing_consecutive_5xx,
            ),
            (
                "enforcing_consecutive_gateway_failure",
                outlier.enforcing_consecutive_gateway_failure,
            ),
            (
                "enforcing_consecutive_local_origin_failure",
                outlier.enforcing_consecutive_local_origin_failure,
            ),
            (
                "enforcing_local_origin_success_rate",
                outlier.enforcing_local_origin_success_rate,
            ),
            (
                "enforcing_failure_percentage_local_origin",
                outlier.enforcing_failure_percentage_local_origin,
            ),
        ];
        let envoy = envoy.into_iter().filter(|_| !self.is_grpc());
        let fields: Vec<_> = both.into_iter().chain(envoy).collect();
        for (field, value) in fields {
            if value.is_some_and(|value| value > 100) {
                self.error(&at.field(field), "is above 100");
            }
        }
    }
}
