//! Where we mean to differ from Envoy.
//!
//! What is not compared at all: the values of `date` and of `x-envoy-upstream-service-time`; timeouts
//! that are told to a service, but for 50 or 200 milliseconds; and, where the client does not tell the
//! length of its body, whether a service is told.

/// A case in which we do.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// Its name.
    pub case: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// All of them.
pub const INTENDED: &[Difference] = &[
    Difference {
        case: "reply/head_without_body",
        reason: "Envoy announces chunks in its own bodiless answers to HEAD over HTTP/1.1, which say nothing",
    },
    Difference {
        case: "retry/body_of_http2",
        reason: "we keep 1 MiB of a body however it came; Envoy keeps a window of HTTP/2, 16 MiB",
    },
    Difference {
        case: "retry/refused_stream",
        reason: "a stream that the service has not touched is sent anew without being asked (RFC 9113 section 8.7)",
    },
    Difference {
        case: "route/fragment",
        reason: "a fragment is cut off before anybody sees it, by the HTTP library; Envoy refuses it",
    },
    Difference {
        case: "route/refused_characters",
        reason: "our HTTP library refuses what RFC 3986 does not let a path have; Envoy leaves that to the service",
    },
    Difference {
        case: "timeout/grpc_passed",
        reason: "where no time is left the service is not asked",
    },
    Difference {
        case: "timeout/grpc_spaced",
        reason: "a deadline with a space in it is none (gRPC over HTTP/2); Envoy reads numbers with spaces",
    },
];
