//! What is matched and what arrives: a path, an authority and headers that are not trivial.

use std::io;

use bytes::Bytes;
use http::{HeaderName, Request};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use mesh_core::{
    ErrorKind,
    config::{
        HeaderMatch, HeaderMatchKind, HeaderSource, RouteMatch, SnapshotBuilder, StringMatch,
        StringMatchKind,
    },
};

use crate::support::{PROTOCOLS, alone, cluster, failure, mesh, read, route, routes, server};

#[tokio::test]
async fn a_request_is_routed_and_arrives_as_it_was_sent() {
    for protocol in PROTOCOLS {
        let (right, wrong) = (server(protocol, "right"), server(protocol, "wrong"));
        let mut gold = RouteMatch::prefix("/orders/");
        gold.headers.push(HeaderMatch {
            source: HeaderSource::Header(HeaderName::from_static("x-tier")),
            kind: HeaderMatchKind::Text(StringMatch {
                kind: StringMatchKind::Exact("gold".into()),
                ignore_case: false,
            }),
            invert: false,
            missing_as_empty: false,
        });
        let table = routes(
            "*.shop.test:8080",
            vec![
                route("gold", gold, "right", |_| {}),
                route("rest", RouteMatch::prefix("/"), "wrong", |_| {}),
            ],
        );
        let snapshot = SnapshotBuilder::new("listener")
            .routes(table)
            .cluster(cluster("right", protocol, &[right.socket()]))
            .cluster(cluster("wrong", protocol, &[wrong.socket()]))
            .build()
            .unwrap();
        let (mesh, _source) = mesh(snapshot);
        let client = mesh.http_client("shop");

        let request = Request::post("http://eu.shop.test:8080/orders/7%2F8?sort=up&empty=")
            .header("x-tier", "gold")
            .header("x-twice", "a")
            .header("x-twice", "b")
            .header("connection", "keep-alive, x-hop")
            .header("x-hop", "1")
            .body(Full::new(Bytes::from("two apples")))
            .unwrap();
        let seen = read(client.send(request).await.unwrap()).await;
        assert_eq!(seen.server_id, "right");
        assert_eq!(seen.method, "POST");
        assert_eq!(seen.path, "/orders/7%2F8?sort=up&empty=");
        assert_eq!(seen.authority, "eu.shop.test:8080");
        assert_eq!(seen.headers["x-twice"], ["a", "b"]);
        assert_eq!(seen.headers["x-tier"], ["gold"]);
        assert!(
            !seen.headers.contains_key("x-hop"),
            "a hop-by-hop header went on: {seen:?}"
        );
        assert_eq!(seen.body.as_deref(), Some("two apples"));

        let request =
            Request::get("http://eu.shop.test:8080/orders/7").body(Full::<Bytes>::default());
        let seen = read(client.send(request.unwrap()).await.unwrap()).await;
        assert_eq!(seen.server_id, "wrong");

        let request = Request::get("http://shop.test:8080/").body(Full::<Bytes>::default());
        let error = client.send(request.unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoRoute, "{error}");
    }
}

/// RFC 9112 section 3.2 and RFC 9113 section 8.3.1: what one calls `host`, the other calls
/// `:authority`.
#[tokio::test]
async fn the_authority_arrives_however_it_was_said() {
    for protocol in PROTOCOLS {
        let server = server(protocol, "only");
        let table = routes(
            "shop.test:8080",
            vec![route("only", RouteMatch::prefix("/"), "only", |_| {})],
        );
        let snapshot = SnapshotBuilder::new("listener")
            .routes(table)
            .cluster(cluster("only", protocol, &[server.socket()]))
            .build()
            .unwrap();
        let (mesh, _source) = mesh(snapshot);
        let client = mesh.http_client("shop");
        for (uri, host) in [
            ("http://shop.test:8080/a?b=c", None),
            ("http://shop.test:8080/a?b=c", Some("other.test")),
            ("/a?b=c", Some("shop.test:8080")),
        ] {
            let mut request = Request::get(uri);
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let request = request.body(Full::<Bytes>::default()).unwrap();
            let seen = read(client.send(request).await.unwrap()).await;
            assert_eq!(seen.authority, "shop.test:8080", "{uri} {host:?}");
            assert_eq!(seen.path, "/a?b=c");
            let hosts = seen.headers.get("host").map_or(0, Vec::len);
            assert_eq!(hosts, usize::from(seen.version == "HTTP/1.1"), "{seen:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_fails_at_once_lets_nothing_leave() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, |_| {});
        let frames = futures_util::stream::iter([Err::<Frame<Bytes>, _>(io::Error::other("torn"))]);
        let request = Request::post("http://shop.test/").body(StreamBody::new(frames));
        let error = failure(&client, request.unwrap()).await;
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(
            error.to_string(),
            "the request body failed (target shop): torn"
        );
        assert!(!error.was_sent());
        assert_eq!(server.count(), 0);
    }
}
