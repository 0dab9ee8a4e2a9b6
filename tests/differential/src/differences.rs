//! Where we mean to differ from Envoy.
//!
//! What is not compared at all: the values of `date` and of `x-envoy-upstream-service-time`; timeouts
//! that are told to a service, but for some hundred milliseconds, or some seconds of a long one; and,
//! where the client does not tell the length of its body, whether a service is told.

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
        case: "fault/without_route",
        reason: "a fault is for a request that goes somewhere: without route or cluster the answer comes first",
    },
    Difference {
        case: "reply/head_without_body",
        reason: "Envoy announces chunks in its own bodiless answers to HEAD over HTTP/1.1, which say nothing",
    },
    Difference {
        case: "request/bad",
        reason: "our HTTP library says of what is no request only the status",
    },
    Difference {
        case: "request/nominated_protected",
        reason: "a caller may not strip what an earlier hop relies on; Envoy strips some of it and refuses some",
    },
    Difference {
        case: "request/too_many_headers",
        reason: "our HTTP library says of what is no request only the status",
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
    Difference {
        case: "upstream/bad_version",
        reason: "our HTTP library knows the versions that there are",
    },
    Difference {
        case: "upstream/chunk_too_long",
        reason: "a chunk that is longer than it says is an error; Envoy skips what is too much",
    },
    Difference {
        case: "upstream/chunks_with_trailers",
        reason: "trailers of HTTP/1.1 pass; Envoy drops them unless it is told otherwise",
    },
    Difference {
        case: "upstream/folded",
        reason: "a header over two lines is refused (RFC 9112 section 5.2); Envoy joins it",
    },
    Difference {
        case: "upstream/head_only",
        reason: "our HTTP library does not tell an end within the head from one before it",
    },
    Difference {
        case: "upstream/hop_by_hop",
        reason: "what the service's connection line names does not pass (RFC 9110 section 7.6.1)",
    },
    Difference {
        case: "upstream/not_modified",
        reason: "our HTTP library tells no length over HTTP/1.1 where there is no body",
    },
    Difference {
        case: "upstream/switching",
        reason: "a protocol that nobody asked for is an error; Envoy leaves the client without an answer",
    },
    Difference {
        case: "upstream2/not_spoken",
        reason: "a connection of HTTP/2 is one when the service has begun to speak it",
    },
];
