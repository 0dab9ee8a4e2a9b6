use super::*;

fn admit<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    let seen = Seen::of(request.headers());
    super::admit(request, seen)
}

fn request(uri: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

#[test]
fn what_cannot_be_sent_on_is_refused() {
    let host = ("host", "shop.test");
    let upgrade = [host, ("connection", "Upgrade"), ("upgrade", "websocket")];
    let mut star = request("*", &[host]);
    *star.method_mut() = Method::OPTIONS;
    let mut old = request("/a", &[host]);
    *old.version_mut() = Version::HTTP_10;
    let mut tunnel = request("/", &[host]);
    *tunnel.method_mut() = Method::CONNECT;
    for (mut request, refusal) in [
        (request("/chat", &upgrade), Refusal::Upgrade),
        (request("/a", &[]), Refusal::NoHost),
        (star, Refusal::NoPath),
        (old, Refusal::OldVersion),
        (tunnel, Refusal::Tunnel),
        (request("*", &[host]), Refusal::Malformed),
        (request("/a", &[("host", "a b")]), Refusal::Host),
    ] {
        assert_eq!(admit(&mut request), Err(refusal), "{request:?}");
    }
}

#[test]
fn an_offer_of_http2_is_ignored() {
    let headers = [
        ("host", "shop.test"),
        ("connection", "upgrade, http2-settings"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
    ];
    let mut request = request("/a", &headers);
    admit(&mut request).unwrap();
    assert!(!request.headers().contains_key("upgrade"));
    assert!(!request.headers().contains_key("http2-settings"));
}

#[test]
fn callers_cannot_control_how_they_are_treated() {
    let headers = [
        ("host", "shop.test"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-max-retries", "9"),
        ("x-forwarded-client-cert", "By=spiffe://a"),
        ("x-envoy-external-address", "192.0.2.1"),
        ("x-user", "ann"),
    ];
    let mut request = request("/a?b=c", &headers);
    admit(&mut request).unwrap();
    let headers = request.headers();
    assert!(!headers.contains_key("x-envoy-retry-on"));
    assert!(!headers.contains_key("x-envoy-max-retries"));
    assert!(!headers.contains_key("x-forwarded-client-cert"));
    // This one says where a caller is, and is taken away by an edge alone.
    assert_eq!(headers["x-envoy-external-address"], "192.0.2.1");
    assert_eq!(headers["x-user"], "ann");
    assert_eq!(headers["x-forwarded-proto"], "http");
}

#[test]
fn who_waits_to_go_on_waits_for_us() {
    let host = ("host", "a.test");
    let mut waits = request("/a", &[host, ("expect", "100-Continue")]);
    admit(&mut waits).unwrap();
    assert!(!waits.headers().contains_key("expect"));
    let mut other = request("/a", &[host, ("expect", "something")]);
    admit(&mut other).unwrap();
    assert_eq!(other.headers()["expect"], "something");
}

#[test]
fn several_hosts_are_one() {
    let headers = [("host", "a.test"), ("host", "b.test")];
    let mut request = request("/a", &headers);
    admit(&mut request).unwrap();
    let hosts: Vec<_> = request.headers().get_all(HOST).iter().collect();
    assert_eq!(hosts, ["a.test,b.test"]);
}

#[test]
fn cookies_of_http2_are_one_line() {
    let headers = [("host", "a.test"), ("cookie", "a=b"), ("cookie", "c=d")];
    let lines = |version| {
        let mut request = request("/a", &headers);
        *request.version_mut() = version;
        join_lines(&mut request);
        let lines = request.headers().get_all(COOKIE).iter();
        lines.cloned().collect::<Vec<_>>()
    };
    assert_eq!(lines(Version::HTTP_2), ["a=b; c=d"]);
    assert_eq!(lines(Version::HTTP_11), ["a=b", "c=d"]);
}

#[test]
fn of_some_headers_there_is_one_line() {
    let headers = [
        ("host", "a.test"),
        ("content-type", "a"),
        ("x-user", "a"),
        ("content-type", "b"),
        ("x-user", "b"),
    ];
    let mut request = request("/a", &headers);
    join_lines(&mut request);
    let lines = |name| request.headers().get_all(name).iter().count();
    assert_eq!(request.headers()["content-type"], "a,b");
    assert_eq!((lines("content-type"), lines("x-user")), (1, 2));
}

#[test]
fn a_request_has_an_id_and_keeps_its_own() {
    let host = ("host", "a.test");
    let mut own = request("/", &[host, ("x-request-id", "mine")]);
    admit(&mut own).unwrap();
    assert_eq!(own.headers()[&REQUEST_ID], "mine");
    let mut ids: Vec<_> = (0..100)
        .map(|_| {
            let mut request = request("/", &[host]);
            admit(&mut request).unwrap();
            let id = request.headers()[&REQUEST_ID].to_str().unwrap().to_owned();
            let groups: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert!(id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]));
            id
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100);
}
