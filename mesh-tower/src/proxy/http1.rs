//! What a request over HTTP/1.1 can get wrong, and its reader lets pass: all of it would be read
//! otherwise by the next in line, or by Envoy.

use http::{Method, Request, uri::Scheme};

use super::{
    admit::Refusal,
    seen::{Coding, Host, Seen},
};

/// The methods that Envoy's reader of HTTP/1.1 knows, besides the common ones.
const METHODS: [&str; 26] = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "COPY",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
    "TRACE",
];

/// Looks at what else than its headers' names and values makes a request, of which were `seen`.
///
/// # Errors
/// Why it must not be sent on.
pub(super) fn check<B>(request: &Request<B>, seen: Seen) -> Result<(), Refusal> {
    if !is_known(request.method()) {
        return Err(Refusal::Malformed);
    }
    let uri = request.uri();
    if let Some(scheme) = uri.scheme()
        && *scheme != Scheme::HTTP
        && *scheme != Scheme::HTTPS
    {
        return Err(Refusal::Malformed);
    }
    // The reader has seen to it that a request with two lengths has one, and that the last of its
    // codings is chunked.
    if seen.coding == Coding::Other {
        return Err(Refusal::Coding);
    }
    match seen.host {
        Host::Odd => Err(Refusal::Host),
        Host::None | Host::One | Host::Several => Ok(()),
    }
}

fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::POST
            | Method::PUT
            | Method::DELETE
            | Method::HEAD
            | Method::OPTIONS
            | Method::PATCH
            | Method::CONNECT
    ) || METHODS.contains(&method.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(request: &Request<()>) -> Result<(), Refusal> {
        super::check(request, Seen::of(request.headers()))
    }

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn what_may_be_sent_on_is() {
        let host = ("host", "[2001:db8::1]:8080");
        for method in ["GET", "PROPFIND", "PURGE", "TRACE", "CONNECT"] {
            assert_eq!(check(&request(method, "/a", &[host])), Ok(()), "{method}");
        }
        for host in ["shop.test", "a:99999", "u@a", "a,b", "%61", "", "a_b"] {
            assert_eq!(check(&request("GET", "/a", &[("host", host)])), Ok(()));
        }
        for uri in ["http://other.test/a", "https://other.test", "HTTP://a"] {
            assert_eq!(check(&request("GET", uri, &[host])), Ok(()), "{uri}");
        }
        let coded = [host, ("transfer-encoding", "Chunked")];
        assert_eq!(check(&request("POST", "/a", &coded)), Ok(()));
    }

    #[test]
    fn what_others_would_read_otherwise_is_not() {
        let host = ("host", "shop.test");
        for method in ["FOO", "get", "QUERY", "M-SEARCH", "PRI"] {
            let request = request(method, "/a", &[host]);
            assert_eq!(check(&request), Err(Refusal::Malformed), "{method}");
        }
        let scheme = request("GET", "ftp://other.test/a", &[host]);
        assert_eq!(check(&scheme), Err(Refusal::Malformed));
        for host in ["a b", "a/b", "a?b", "a#b", "a\\b", "a\"b", "a|b", "a\u{e4}"] {
            let request = request("GET", "/a", &[("host", host)]);
            assert_eq!(check(&request), Err(Refusal::Host), "{host}");
        }
        for coding in ["gzip, chunked", ",chunked", "chunked, chunked", "identity"] {
            let request = request("POST", "/a", &[host, ("transfer-encoding", coding)]);
            assert_eq!(check(&request), Err(Refusal::Coding), "{coding}");
        }
        let twice = ("transfer-encoding", "chunked");
        let twice = request("POST", "/a", &[host, twice, twice]);
        assert_eq!(check(&twice), Err(Refusal::Coding));
    }
}
