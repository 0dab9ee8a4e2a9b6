//! A request's head as matchers see it: borrowed, nothing cloned.

use http::{HeaderMap, Method, Uri, uri::PathAndQuery};

/// The parts of a request that policy may look at.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// `:method`.
    pub method: &'a Method,
    /// The scheme of the URI, if it has one.
    pub(crate) scheme: Option<&'a str>,
    /// `:authority`, with its port if it has one.
    pub authority: &'a str,
    /// `:path`: path and query, as sent; empty for a request without one (CONNECT).
    pub path_and_query: &'a str,
    /// Of it, the path.
    pub(crate) path: &'a str,
    /// All headers, without pseudo headers.
    pub headers: &'a HeaderMap,
}

impl<'a> RequestHead<'a> {
    /// The head of a request with this URI. The authority is the URI's, or else the first `host`
    /// header's; without either it is empty and only `*` serves it.
    #[must_use]
    #[inline]
    pub fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        let host = || {
            headers
                .get(http::header::HOST)
                .and_then(|host| host.to_str().ok())
        };
        let whole = uri.path_and_query();
        Self {
            method,
            scheme: uri.scheme_str(),
            authority: uri
                .authority()
                .map(http::uri::Authority::as_str)
                .or_else(host)
                .unwrap_or(""),
            path_and_query: whole.map_or("", PathAndQuery::as_str),
            // `http://shop.test?q=1` is sent, and has to be matched, as `/?q=1`.
            path: whole.map_or("", PathAndQuery::path),
            headers,
        }
    }

    /// The head of a whole request.
    #[must_use]
    pub fn of<B>(request: &'a http::Request<B>) -> Self {
        Self::new(request.method(), request.uri(), request.headers())
    }

    /// The head of a request without its body.
    #[must_use]
    #[inline]
    pub fn of_parts(parts: &'a http::request::Parts) -> Self {
        Self::new(&parts.method, &parts.uri, &parts.headers)
    }

    /// `:scheme`: the URI's; without one what `x-forwarded-proto` says, and else `http` (Envoy).
    #[must_use]
    pub fn scheme(&self) -> &'a str {
        let forwarded = || {
            let proto = self.headers.get("x-forwarded-proto")?.as_bytes();
            proto.eq_ignore_ascii_case(b"https").then_some("https")
        };
        self.scheme.or_else(forwarded).unwrap_or("http")
    }

    /// The path without query and fragment; empty only for a request without one.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// What stands behind the question mark, if there is one.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        let (_, query) = self.path_and_query.split_once('?')?;
        Some(query.split_once('#').map_or(query, |(query, _)| query))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_head_shows_what_was_sent() {
        let request = Request::post("http://shop.test:81/a/b?c=d&e=%2F")
            .header("x-user", "ann")
            .body(())
            .unwrap();
        let head = RequestHead::of(&request);
        assert_eq!((head.scheme(), head.authority), ("http", "shop.test:81"));
        assert_eq!((head.path(), head.query()), ("/a/b", Some("c=d&e=%2F")));
        assert_eq!(head.headers["x-user"], "ann");
    }

    #[test]
    fn without_a_scheme_a_head_has_the_one_that_was_forwarded() {
        let scheme = |uri: &str, forwarded: &str| {
            let request = Request::get(uri).header("x-forwarded-proto", forwarded);
            let request = request.body(()).unwrap();
            RequestHead::of(&request).scheme().to_owned()
        };
        assert_eq!(scheme("/a", "https"), "https");
        assert_eq!(scheme("/a", "gopher"), "http");
        assert_eq!(scheme("http://shop.test/a", "https"), "http");
    }

    #[test]
    fn the_host_header_stands_in_for_an_authority() {
        let request = Request::get("/only/a/path")
            .header("host", "shop.test")
            .body(())
            .unwrap();
        let head = RequestHead::of(&request);
        assert_eq!(
            (head.authority, head.path(), head.query()),
            ("shop.test", "/only/a/path", None)
        );
    }
}
