//! The fault filter (gRFC A33; Envoy, "Fault injection").

use mesh_core::config::{FaultAbort, FaultConfig, FaultDelay, Fraction};
use mesh_proto::envoy::{
    extensions::filters::{
        common::fault::v3::{FaultDelay as DelayMessage, fault_delay::FaultDelaySecifier},
        http::fault::v3::{FaultAbort as AbortMessage, HttpFault, fault_abort::ErrorType},
    },
    r#type::v3::FractionalPercent,
};

use crate::resource::{
    at::At,
    reader::{NO_EFFECT, Reader, denominator_of},
};

/// The gRPC code UNKNOWN.
const GRPC_UNKNOWN: u32 = 2;

impl Reader<'_> {
    pub(super) fn fault(&mut self, at: &At<'_>, fault: &HttpFault) -> Option<FaultConfig> {
        let delay = match &fault.delay {
            Some(delay) => self.fault_delay(&at.field("delay"), delay)?,
            None => None,
        };
        let abort = match &fault.abort {
            Some(abort) => self.fault_abort(&at.field("abort"), abort)?,
            None => None,
        };
        self.check_fault(at, fault);
        let headers = if self.is_grpc() {
            Vec::new()
        } else {
            self.header_matches(&at.field("headers"), &fault.headers)
        };
        Some(FaultConfig {
            delay,
            abort,
            max_active: fault.max_active_faults,
            headers,
        })
    }

    /// Conditions that we do not carry out would make Envoy inject fewer faults than we: refused.
    /// gRPC ignores them.
    fn check_fault(&mut self, at: &At<'_>, fault: &HttpFault) {
        let conditions = [
            ("upstream_cluster", !fault.upstream_cluster.is_empty()),
            ("downstream_nodes", !fault.downstream_nodes.is_empty()),
        ];
        for (field, _) in conditions.into_iter().filter(|&(_, set)| set) {
            if self.is_grpc() {
                self.warn(&at.field(field), "is not read in dialect grpc");
            } else {
                self.error(&at.field(field), "is not supported yet");
            }
        }
        if self.is_grpc() && !fault.headers.is_empty() {
            self.warn(&at.field("headers"), "is not read in dialect grpc");
        }
        if fault.response_rate_limit.is_some() {
            let place = at.field("response_rate_limit");
            self.warn(&place, NO_EFFECT);
        }
    }

    /// The outer `None` is an error, the inner one no delay.
    #[expect(
        clippy::option_option,
        reason = "an error differs from an absent fault"
    )]
    fn fault_delay(
        &mut self,
        at: &At<'_>,
        delay: &DelayMessage,
    ) -> Option<Option<(FaultDelay, Fraction)>> {
        let fraction = self.fault_share(at, delay.percentage);
        let kind = match &delay.fault_delay_secifier {
            Some(FaultDelaySecifier::FixedDelay(fixed)) => {
                let place = at.field("fixed_delay");
                let fixed = if self.is_grpc() {
                    self.duration(&place, fixed)
                } else {
                    self.positive_duration(&place, fixed)
                };
                FaultDelay::Fixed(fixed?)
            }
            Some(FaultDelaySecifier::HeaderDelay(_)) => FaultDelay::Header {
                denominator: denominator(delay.percentage),
            },
            None if self.is_grpc() => return Some(None),
            None => {
                self.error(at, "has neither fixed_delay nor header_delay");
                return None;
            }
        };
        Some(Some((kind, fraction?)))
    }

    #[expect(
        clippy::option_option,
        reason = "an error differs from an absent fault"
    )]
    fn fault_abort(
        &mut self,
        at: &At<'_>,
        abort: &AbortMessage,
    ) -> Option<Option<(FaultAbort, Fraction)>> {
        let fraction = self.fault_share(at, abort.percentage);
        let kind = match abort.error_type {
            Some(ErrorType::HttpStatus(status)) => match u16::try_from(status) {
                Ok(status @ 200..600) => FaultAbort::Http(status),
                // What gRPC maps such a status to.
                _ if self.is_grpc() => FaultAbort::Grpc(GRPC_UNKNOWN),
                _ => {
                    let reason = format!("{status} is not within 200 to 599");
                    self.error(&at.field("http_status"), reason);
                    return None;
                }
            },
            Some(ErrorType::GrpcStatus(status)) => FaultAbort::Grpc(status),
            Some(ErrorType::HeaderAbort(_)) => FaultAbort::Header {
                denominator: denominator(abort.percentage),
            },
            None if self.is_grpc() => return Some(None),
            None => {
                self.error(at, "has none of http_status, grpc_status, header_abort");
                return None;
            }
        };
        if !abort.response_body.is_empty() {
            let place = at.field("response_body");
            self.warn(&place, NO_EFFECT);
        }
        Some(Some((kind, fraction?)))
    }

    /// A share that is left out is none.
    fn fault_share(
        &mut self,
        at: &At<'_>,
        percentage: Option<FractionalPercent>,
    ) -> Option<Fraction> {
        self.fraction(&at.field("percentage"), percentage.unwrap_or_default())
    }
}

/// What a companion header's number is a part of. An unknown denominator has been refused.
fn denominator(percentage: Option<FractionalPercent>) -> u32 {
    denominator_of(percentage.unwrap_or_default()).unwrap_or(100)
}
