//! Whether a request is gRPC (Envoy's `grpc {}` condition).

use http::{HeaderMap, header::CONTENT_TYPE};

/// What gRFC A28 shows to matchers as the content-type of every request.
pub(super) const GRPC: &[u8] = b"application/grpc";

/// Whether the content-type is exactly `application/grpc` or begins with `application/grpc+`.
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| {
        let rest = value.as_bytes().strip_prefix(GRPC);
        matches!(rest, Some([] | [b'+', ..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_grpc_and_its_plus_forms_are_grpc() {
        let table = [
            (Some("application/grpc"), true),
            (Some("application/grpc+proto"), true),
            (Some("application/grpc+"), true),
            (Some("application/grpc-web"), false),
            (Some("application/grpcx"), false),
            (Some("application/grpc; x"), false),
            (Some("application/json"), false),
            (None, false),
        ];
        for (value, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(CONTENT_TYPE, value.parse().unwrap());
            }
            assert_eq!(is_grpc(&headers), expected, "{value:?}");
        }
    }
}
