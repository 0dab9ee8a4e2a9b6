//! The admin page.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use mesh_testkit::{ControlPlane, EchoServer, echo::EchoReport, xds};

use crate::support::{Sidecar, connect, get, plane, text};

#[tokio::test]
async fn it_tells_what_is_there_and_why() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    assert_eq!(sidecar.page("/live").await, (200, "LIVE\n".to_owned()));
    let (status, why) = sidecar
        .page("/explain?authority=shop.test&path=/v2/x")
        .await;
    assert_eq!(status, 200);
    assert!(why.contains("route 0 \"second\": taken"), "{why}");
    assert!(why.contains("cluster \"b\": the only one"), "{why}");
    let wrong = "/explain?authority=shop.test&path=/v2/x&colour=red";
    let (status, why) = sidecar.page(wrong).await;
    assert_eq!((status, why.as_str()), (400, "colour: is not known\n"));
    assert_eq!(get(sidecar.at, "shop.test", "/").await.status(), 200);
    let (_, clusters) = sidecar.page("/clusters").await;
    let endpoint = format!("{}: Healthy, Ready, weight 1", servers[0].socket());
    assert!(clusters.contains(&endpoint), "{clusters}");
    let (_, clusters) = sidecar.page("/clusters?format=json").await;
    let clusters: serde_json::Value = serde_json::from_str(&clusters).unwrap();
    assert_eq!(clusters.as_array().unwrap().len(), 2);
    let (_, dump) = sidecar.page("/config_dump").await;
    let dump: serde_json::Value = serde_json::from_str(&dump).unwrap();
    assert_eq!(dump["control_planes"][0]["connected"], true);
    assert_eq!(dump["listeners"][0]["name"], "outbound");
    let routes = &dump["listeners"][0]["config"]["routes"];
    assert_eq!(routes[0]["route"]["name"], "second");
    let (status, contents) = sidecar.page("/nothing").await;
    assert_eq!(status, 404);
    for page in ["/ready", "/live", "/metrics", "/config_dump", "/explain"] {
        assert!(contents.contains(page), "{contents}");
    }
}

#[tokio::test]
async fn it_explains_by_method_and_header() {
    let server = EchoServer::http1().start();
    let plane = ControlPlane::start().await;
    let routes = xds::route_config("routes").host(
        &["shop.test"],
        [
            xds::to("a")
                .prefix("/")
                .header(":method", "POST")
                .name("written"),
            xds::to("a")
                .prefix("/")
                .header("x-user", "ann")
                .name("hers"),
        ],
    );
    plane.set((
        xds::listener("outbound", "routes"),
        routes,
        xds::cluster("a").http1(),
        xds::endpoints("a", &[server.socket()]),
    ));
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    for (asked, taken) in [
        ("method=POST", "route 0 \"written\": taken"),
        ("method=GET&header=x-user:ann", "route 1 \"hers\": taken"),
    ] {
        let page = format!("/explain?authority=shop.test&path=/a&{asked}");
        let (status, why) = sidecar.page(&page).await;
        assert_eq!(status, 200);
        assert!(why.contains(taken), "{asked}: {why}");
    }
    let (status, why) = sidecar
        .page("/explain?authority=shop.test&path=/a&listener=inbound")
        .await;
    assert_eq!(status, 400);
    assert_eq!(why, "listener: there is no \"inbound\"\n");
}

#[tokio::test]
async fn it_counts_the_requests_of_all_workers() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "3"]).await;
    sidecar.ready().await;
    // A connection for each, which the kernel spreads over the workers.
    for _ in 0..12 {
        let request = Request::put("/v2/orders/7?expand=lines&x=%2F")
            .header("host", "shop.test")
            .header("x-user", "ann")
            .body(Full::from("two of them"))
            .unwrap();
        let answer = connect(sidecar.at).await.send_request(request).await;
        let seen = EchoReport::parse(text(answer.unwrap()).await.as_bytes());
        assert_eq!(seen.path, "/v2/orders/7?expand=lines&x=%2F");
        assert_eq!(seen.authority, "shop.test");
        assert_eq!(seen.headers["x-user"], ["ann"]);
        assert_eq!(seen.body.as_deref(), Some("two of them"));
    }
    assert_eq!(get(sidecar.at, "other.test", "/").await.status(), 404);
    let answer = get(sidecar.admin, "admin", "/metrics").await;
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    drop(answer);
    let answered = [
        "http_request_method=\"PUT\"",
        "http_response_status_code=\"200\"",
        "server_address=\"xds:///outbound\"",
        "mesh_cluster=\"b\"",
    ];
    let name = "http_client_request_duration_seconds_count";
    assert_eq!(sidecar.counted(name, &answered, 12.0).await, 12.0);
    let refused = ["mesh_target=\"xds:///outbound\"", "error_type=\"no_route\""];
    let name = "mesh_client_requests_failed_total";
    assert_eq!(sidecar.counted(name, &refused, 1.0).await, 1.0);
    let bound = ["mesh_bound=\"request_head\""];
    let name = "mesh_bound_exceeded_total";
    assert_eq!(sidecar.counted(name, &bound, 0.0).await, 0.0);
}

#[tokio::test]
async fn it_is_ready_when_every_worker_has_every_listener() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let more = ["--workers", "3", "--listen", "127.0.0.1:0=second"];
    let sidecar = Sidecar::start(&plane, &more).await;
    while get(sidecar.at, "shop.test", "/").await.status() != 200 {}
    let (status, state) = sidecar.page("/ready").await;
    assert_eq!((status, state.as_str()), (503, "INITIALIZING\n"));
    plane.set((
        xds::listener("second", "second"),
        xds::route_config("second").host(&["*"], [xds::to("b").prefix("/")]),
    ));
    sidecar.ready().await;
    for _ in 0..12 {
        let at = sidecar.others[0];
        let request = Request::get("/").header("host", "any.test");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let answer = connect(at).await.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let (status, why) = sidecar.page("/explain?path=/a").await;
    let several = "listener: is missing, and there are several\n";
    assert_eq!((status, why.as_str()), (400, several));
    let (status, _) = sidecar.page("/explain?path=/a&listener=second").await;
    assert_eq!(status, 200);
}
