//! Requests that two readers might take for different ones. What is hidden in them arrives nowhere.
//!
//! Where an answer is not Envoy's, the comment says why; the others were compared with it.

use mesh_testkit::EchoServer;

use crate::support::{Sidecar, plane, said};

/// What must not arrive. The connection would end with its answer.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n";

/// A POST with these header lines, which end each for itself.
fn post(lines: &str, body: &str) -> String {
    format!("POST /seen HTTP/1.1\r\nhost: shop.test\r\n{lines}\r\n{body}")
}

/// Has each said with a hidden request behind, on a connection of its own.
async fn answered(cases: &[(&str, u16)]) {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    for (case, status) in cases {
        let heard = said(sidecar.at, format!("{case}{HIDDEN}").as_bytes()).await;
        assert_eq!(heard.statuses(), [*status], "{case:?}: {heard:?}");
        let seen = servers.iter().flat_map(EchoServer::requests);
        let hidden = seen.filter(|it| it.path.contains("hidden")).count();
        assert_eq!(hidden, 0, "{case:?}");
    }
}

#[tokio::test]
async fn one_body_has_one_length() {
    let cases = [
        ("content-length: 2\r\ncontent-length: 3\r\n", 400),
        ("content-length: 2, 3\r\n", 400),
        ("content-length: 2, 2\r\n", 400),
        ("content-length: +2\r\n", 400),
        ("content-length: -2\r\n", 400),
        ("content-length: 0x2\r\n", 400),
        ("content-length: 2 2\r\n", 400),
        ("content-length: \r\n", 400),
        ("content-length: 99999999999999999999999\r\n", 400),
        ("content-length : 2\r\n", 400),
        // More than there can be: Envoy would wait for it.
        ("content-length: 18446744073709551615\r\n", 431),
    ];
    let cases = cases.map(|(lines, status)| (post(lines, "ab"), status));
    answered(
        &cases
            .each_ref()
            .map(|(case, status)| (case.as_str(), *status)),
    )
    .await;
}

#[tokio::test]
async fn a_body_in_chunks_has_no_other_length() {
    // The chunks count, the length is not sent on, and nothing more is read on the connection (RFC 9112
    // section 6.3). Envoy answers 400.
    let cases = [
        "content-length: 6\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 6\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 50\r\n",
        "x: a\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n",
    ];
    let cases = cases.map(|lines| (post(lines, "0\r\n\r\n"), 200));
    answered(
        &cases
            .each_ref()
            .map(|(case, status)| (case.as_str(), *status)),
    )
    .await;
}

#[tokio::test]
async fn a_body_is_coded_in_chunks_or_not_at_all() {
    let codings = [
        ("gzip, chunked", 501),
        ("chunked, chunked", 501),
        (",chunked", 501),
        ("chunked\r\ntransfer-encoding: chunked", 501),
        ("identity\r\ntransfer-encoding: chunked", 501),
        // Read as no coding that ends a body, which Envoy answers with 501.
        ("gzip", 400),
        ("chunked, gzip", 400),
        ("chunked\r\ntransfer-encoding: identity", 400),
        ("xchunked", 400),
        ("\"chunked\"", 400),
        ("chunked;q=1", 400),
        ("chunked,", 400),
        ("", 400),
        ("\u{b}chunked", 400),
        ("chunked\0", 400),
        // Folded lines are not joined, as Envoy's are.
        ("\r\n chunked", 400),
    ];
    let cases = codings.map(|(coding, status)| {
        let lines = format!("transfer-encoding: {coding}\r\n");
        (post(&lines, "0\r\n\r\n"), status)
    });
    answered(
        &cases
            .each_ref()
            .map(|(case, status)| (case.as_str(), *status)),
    )
    .await;
    let old = "POST /seen HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    answered(&[(old, 400)]).await;
}

#[tokio::test]
async fn a_chunk_is_as_long_as_it_says() {
    let chunks = [
        "0x2\r\nab\r\n0\r\n\r\n",
        "g\r\nab\r\n0\r\n\r\n",
        "-2\r\nab\r\n0\r\n\r\n",
        "+2\r\nab\r\n0\r\n\r\n",
        "10000000000000002\r\nab\r\n0\r\n\r\n",
        "\r\nab\r\n0\r\n\r\n",
        " 2\r\nab\r\n0\r\n\r\n",
        "2;a\nxx\r\nab\r\n0\r\n\r\n",
        "2\nab\r\n0\r\n\r\n",
        "2\r\nabcd0\r\n\r\n",
        "0\n\n",
        // Envoy reads over what is too much.
        "2\r\nabc\r\n0\r\n\r\n",
        "2\r\nab\n0\r\n\r\n",
        // A request in place of trailers.
        "0\r\n",
    ];
    let cases = chunks.map(|chunks| (post("transfer-encoding: chunked\r\n", chunks), 400));
    answered(
        &cases
            .each_ref()
            .map(|(case, status)| (case.as_str(), *status)),
    )
    .await;
}

#[tokio::test]
async fn a_header_is_a_name_a_colon_and_a_value() {
    let lines = [
        "x : a\r\n",
        "x\t: a\r\n",
        "x\r\n",
        ": a\r\n",
        "x(: a\r\n",
        "x: a\0b\r\n",
        "x: a\u{1}b\r\n",
        "x: a\rtransfer-encoding: chunked\r\n",
        // Envoy joins folded lines.
        "x: a\r\n b\r\n",
        "x: a\r\n transfer-encoding: chunked\r\n",
    ];
    let cases = lines.map(|lines| (post(lines, ""), 400));
    answered(
        &cases
            .each_ref()
            .map(|(case, status)| (case.as_str(), *status)),
    )
    .await;
}

#[tokio::test]
async fn a_request_is_a_method_a_target_and_a_version() {
    let host = "host: shop.test\r\n\r\n";
    let cases = [
        ("FOO /seen HTTP/1.1", 400),
        ("get /seen HTTP/1.1", 400),
        ("PRI * HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET seen HTTP/1.1", 400),
        ("GET shop.test:80 HTTP/1.1", 400),
        ("GET ftp://shop.test/seen HTTP/1.1", 400),
        ("GET http:///seen HTTP/1.1", 400),
        ("GET /se en HTTP/1.1", 400),
        ("GET /se\ten HTTP/1.1", 400),
        ("GET /se\0en HTTP/1.1", 400),
        (" GET /seen HTTP/1.1", 400),
        ("GET /seen http/1.1", 400),
        ("GET /seen HTTP/1.10", 400),
        ("GET /seen HTTP/1.1 ", 400),
        ("GET /seen HTTP/1.1\r\n x: a", 400),
        // Envoy takes one space for as good as two.
        ("GET  /seen HTTP/1.1", 400),
        // And answers these with 426.
        ("GET /seen HTTP/1.2", 400),
        ("GET /seen HTTP/2.0", 400),
        ("GET /seen", 400),
        ("GET /seen HTTP/1.0", 426),
    ];
    let cases = cases.map(|(line, status)| (format!("{line}\r\n{host}"), status));
    answered(
        &cases
            .each_ref()
            .map(|(case, status)| (case.as_str(), *status)),
    )
    .await;
}

#[tokio::test]
async fn a_host_is_one() {
    let hosts = [
        "",
        "host: a b\r\n",
        "host: a/b\r\n",
        "host: a#b\r\n",
        "host: a\\b\r\n",
    ];
    let cases = hosts.map(|host| (format!("GET /seen HTTP/1.1\r\n{host}\r\n"), 400));
    answered(
        &cases
            .each_ref()
            .map(|(case, status)| (case.as_str(), *status)),
    )
    .await;
}
