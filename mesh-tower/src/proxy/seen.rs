//! What of a request's headers matters to a proxy, found in one pass: most of what is looked for is
//! not there, and a look-up of each name costs more than the pass over those that are.

use http::HeaderMap;

/// Which headers a request has, and what they say as far as that decides over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How its body is coded in transfer.
    pub(super) coding: Coding,
    /// Who it says that it is addressed to.
    pub(super) host: Host,
    /// It has headers that belong to its connection alone.
    pub(super) hop_by_hop: bool,
    /// It has a `connection` header.
    pub(super) connection: bool,
    /// It waits for an answer to its head.
    pub(super) expect: bool,
    /// It says whom its connection is from.
    pub(super) client_cert: bool,
    /// It has headers that Envoy knows.
    pub(super) controls: bool,
    /// It says how it came to whoever sent it on.
    pub(super) forwarded_proto: bool,
    /// It has an id.
    pub(super) request_id: bool,
    /// It says of what kind its body is.
    pub(super) content_type: bool,
}

/// How a body is coded in transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Coding {
    /// Not at all, or in chunks.
    #[default]
    Plain,
    /// In a way that is lost with the header that says it, which is not sent on.
    Other,
}

/// What `host` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Host {
    /// Nothing.
    #[default]
    None,
    /// One thing.
    One,
    /// Several.
    Several,
    /// What is no authority.
    Odd,
}

impl Seen {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut seen = Self::default();
        // Lines of one name come one after the other.
        let (mut codings, mut te) = (0, 0);
        for (name, value) in headers {
            match name.as_str() {
                "host" => seen.host = seen.host.and(value.as_bytes()),
                "transfer-encoding" => {
                    codings += 1;
                    let chunked = value.as_bytes().eq_ignore_ascii_case(b"chunked");
                    if codings > 1 || !chunked {
                        seen.coding = Coding::Other;
                    }
                    seen.hop_by_hop = true;
                }
                "connection" => {
                    seen.connection = true;
                    seen.hop_by_hop = true;
                }
                "keep-alive" | "proxy-connection" | "upgrade" => seen.hop_by_hop = true,
                "te" => {
                    te += 1;
                    // This alone goes further.
                    seen.hop_by_hop |= te > 1 || value != "trailers";
                }
                "expect" => seen.expect = true,
                "content-type" => seen.content_type = true,
                "x-forwarded-client-cert" => seen.client_cert = true,
                "x-forwarded-proto" => seen.forwarded_proto = true,
                "x-request-id" => seen.request_id = true,
                name => seen.controls |= name.starts_with("x-envoy-"),
            }
        }
        seen
    }
}

impl Host {
    /// With one more line.
    fn and(self, line: &[u8]) -> Self {
        match self {
            _ if !is_authority(line) => Self::Odd,
            Self::None => Self::One,
            Self::One | Self::Several => Self::Several,
            Self::Odd => Self::Odd,
        }
    }
}

/// Whether these are characters of an authority (RFC 3986 section 3.2).
fn is_authority(text: &[u8]) -> bool {
    static MAY: [bool; 256] = {
        let others = b"-._~!$&'()*+,;=:@[]%";
        let mut may = [false; 256];
        let mut byte = 0;
        while byte < may.len() {
            may[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            may[others[at] as usize] = true;
            at += 1;
        }
        may
    };
    text.iter().all(|byte| MAY[usize::from(*byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lines: &[(&'static str, &str)]) -> Seen {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        Seen::of(&headers)
    }

    #[test]
    fn hosts_are_authorities_or_odd() {
        for host in [
            "shop.test",
            "a:99999",
            "u@a",
            "a,b",
            "%61",
            "",
            "a_b",
            "[::1]:80",
        ] {
            assert_eq!(seen(&[("host", host)]).host, Host::One, "{host}");
        }
        for host in ["a b", "a/b", "a?b", "a#b", "a\\b", "a\"b", "a|b", "a\u{e4}"] {
            assert_eq!(seen(&[("host", host)]).host, Host::Odd, "{host}");
            assert_eq!(
                seen(&[("host", host), ("host", "a.test")]).host,
                Host::Odd,
                "{host}"
            );
        }
        assert_eq!(seen(&[("host", "a"), ("host", "b")]).host, Host::Several);
        assert_eq!(seen(&[("accept", "*/*")]).host, Host::None);
    }

    #[test]
    fn one_line_of_chunks_is_plain() {
        let name = "transfer-encoding";
        assert_eq!(seen(&[]).coding, Coding::Plain);
        assert_eq!(seen(&[(name, "Chunked")]).coding, Coding::Plain);
        for coding in ["gzip, chunked", ",chunked", "chunked, chunked", "identity"] {
            assert_eq!(seen(&[(name, coding)]).coding, Coding::Other, "{coding}");
        }
        let twice = [(name, "chunked"), (name, "chunked")];
        assert_eq!(seen(&twice).coding, Coding::Other);
    }

    #[test]
    fn what_belongs_to_a_connection_is_seen() {
        for name in [
            "connection",
            "keep-alive",
            "proxy-connection",
            "transfer-encoding",
            "upgrade",
        ] {
            assert!(seen(&[(name, "x")]).hop_by_hop, "{name}");
        }
        assert!(!seen(&[("te", "trailers"), ("accept", "*/*")]).hop_by_hop);
        assert!(seen(&[("te", "trailers, gzip")]).hop_by_hop);
        assert!(seen(&[("te", "trailers"), ("te", "trailers")]).hop_by_hop);
    }
}
