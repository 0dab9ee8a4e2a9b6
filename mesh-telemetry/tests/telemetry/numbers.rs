//! Every number, after calls that went well and calls that did not.

use std::sync::Arc;

use http_body_util::BodyExt;
use mesh_core::{
    bounds::Bound,
    config::Limits,
    name::Target,
    observe::{ControlPlane, ControlPlaneNumbers, Observer, ResourceNumbers},
    runtime::Registry,
};
use mesh_telemetry::{MetricsObserver, PrometheusRecorder};
use mesh_testkit::{echo::Behaviour, generated::mesh::test::v1::EchoRequest};

use crate::support::{World, get, value};

#[tokio::test]
async fn calls_of_generated_code_are_counted_by_method_and_code() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let mut world = World::new(MetricsObserver::new());
    for _ in 0..3 {
        world.call().await.unwrap();
    }
    world.grpc.fail_next(1, tonic::Code::Unavailable);
    world.call().await.unwrap();
    world.grpc.fail_next(1, tonic::Code::NotFound);
    assert_eq!(world.call().await, Err(tonic::Code::NotFound));
    let of = "grpc_method=\"mesh.test.v1.Echo/Unary\"";
    let to = "grpc_target=\"xds:///shop\"";
    let rows = [
        (format!("grpc_client_attempt_started_total{{{of},{to}}}"), 6.0),
        (format!("grpc_client_attempt_duration_seconds_count{{grpc_lb_backend_service=\"calls\",{of},grpc_status=\"OK\",{to}}}"), 4.0),
        (format!("grpc_client_attempt_duration_seconds_count{{grpc_lb_backend_service=\"calls\",{of},grpc_status=\"UNAVAILABLE\",{to}}}"), 1.0),
        (format!("grpc_client_call_duration_seconds_count{{{of},grpc_status=\"OK\",{to}}}"), 4.0),
        (format!("grpc_client_call_duration_seconds_count{{{of},grpc_status=\"NOT_FOUND\",{to}}}"), 1.0),
        (format!("grpc_client_call_duration_seconds_bucket{{{of},grpc_status=\"OK\",{to},le=\"100\"}}"), 4.0),
        ("mesh_client_retries_total{mesh_cluster=\"calls\",mesh_reason=\"policy\",mesh_target=\"xds:///shop\"}".to_owned(), 1.0),
    ];
    for (series, due) in rows {
        let page = recorder.page().render();
        assert_eq!(value(&recorder, &series), due, "{series}: {page}");
    }
}

#[tokio::test]
async fn a_method_that_no_generated_code_names_is_other() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let world = World::new(MetricsObserver::new());
    for n in 0..20 {
        let mut request = get(&format!("/mesh.test.v1.Echo/Made{n}Up"));
        let content_type = "application/grpc".parse().unwrap();
        request.headers_mut().insert("content-type", content_type);
        let answer = world.client.send(request).await.unwrap();
        answer.into_body().collect().await.unwrap();
    }
    let series = "grpc_client_call_duration_seconds_count{grpc_method=\"other\",grpc_status=\"UNIMPLEMENTED\",grpc_target=\"xds:///shop\"}";
    assert_eq!(value(&recorder, series), 20.0);
    assert!(!recorder.page().render().contains("Made"));
}

#[tokio::test]
async fn requests_are_counted_by_method_status_and_error() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let world = World::new(MetricsObserver::new());
    assert_eq!(world.get("/shop/a?b=c").await, 200);
    world.http.next(1, Behaviour::status(404));
    assert_eq!(world.get("/shop/a").await, 404);
    world.http.next(3, Behaviour::status(503));
    assert_eq!(world.get("/shop/a").await, 503);
    let mut odd = get("/shop/a");
    *odd.method_mut() = http::Method::from_bytes(b"BREW").unwrap();
    let answer = world.client.send(odd).await.unwrap();
    answer.into_body().collect().await.unwrap();
    world.client.send(get("/nowhere")).await.unwrap_err();
    world.client.send(get("/dead/a")).await.unwrap_err();
    let size = Some(4 << 20);
    world.http.next(
        1,
        Behaviour {
            body_size: size,
            ..Behaviour::default()
        },
    );
    drop(world.client.send(get("/shop/a")).await.unwrap());

    let duration = "http_client_request_duration_seconds_count";
    let (pages, to) = ("mesh_cluster=\"pages\"", "server_address=\"xds:///shop\"");
    let method = "http_request_method=\"GET\"";
    let status = |status| format!("http_response_status_code=\"{status}\"");
    let (failed, target) = (
        "mesh_client_requests_failed_total",
        "mesh_target=\"xds:///shop\"",
    );
    let rows = [
        // The one that was dropped had its status.
        (
            format!("{duration}{{{method},{},{pages},{to}}}", status(200)),
            2.0,
        ),
        (
            format!(
                "{duration}{{error_type=\"404\",{method},{},{pages},{to}}}",
                status(404)
            ),
            1.0,
        ),
        (
            format!(
                "{duration}{{error_type=\"503\",{method},{},{pages},{to}}}",
                status(503)
            ),
            1.0,
        ),
        (
            format!(
                "{duration}{{http_request_method=\"_OTHER\",{},{pages},{to}}}",
                status(200)
            ),
            1.0,
        ),
        (
            format!("{duration}{{error_type=\"no_route\",{method},{to}}}"),
            1.0,
        ),
        (
            format!("{duration}{{error_type=\"connect\",{method},mesh_cluster=\"dead\",{to}}}"),
            1.0,
        ),
        (format!("{failed}{{error_type=\"no_route\",{target}}}"), 1.0),
        (
            format!("{failed}{{error_type=\"connect\",mesh_cluster=\"dead\",{target}}}"),
            1.0,
        ),
        (
            format!("mesh_client_retries_total{{{pages},mesh_reason=\"policy\",{target}}}"),
            2.0,
        ),
        (
            format!("mesh_client_requests_given_up_total{{{pages},mesh_end=\"dropped\",{target}}}"),
            1.0,
        ),
    ];
    for (series, due) in rows {
        let page = recorder.page().render();
        assert_eq!(value(&recorder, &series), due, "{series}: {page}");
    }
}

#[tokio::test]
async fn live_state_is_published_and_gone_when_it_is_gone() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let observer = MetricsObserver::new();
    let world = World::new(observer.clone());
    world.client.send(get("/dead/a")).await.unwrap_err();
    assert_eq!(world.get("/shop/a").await, 200);
    world.http.hold();
    let held = tokio::spawn({
        let client = world.client.clone();
        async move { client.send(get("/shop/held")).await.map(drop) }
    });
    world
        .http
        .wait_for("the request", |it| it.count() == 2)
        .await;
    observer.publish();
    let rows = [
        ("mesh_cluster_requests{mesh_cluster=\"pages\"}", 1.0),
        ("mesh_cluster_requests{mesh_cluster=\"calls\"}", 0.0),
        ("mesh_cluster_connections{mesh_cluster=\"pages\"}", 1.0),
        (
            "mesh_cluster_endpoints{mesh_cluster=\"pages\",mesh_state=\"ready\"}",
            1.0,
        ),
        (
            "mesh_cluster_endpoints{mesh_cluster=\"dead\",mesh_state=\"failed\"}",
            1.0,
        ),
        (
            "mesh_cluster_limit_reached_total{mesh_cluster=\"pages\",mesh_limit=\"requests\"}",
            0.0,
        ),
    ];
    for (series, due) in rows {
        assert_eq!(value(&recorder, series), due, "{series}");
    }
    let failures = "mesh_cluster_connect_failures_total{mesh_cluster=\"dead\"}";
    let failed = value(&recorder, failures);
    assert!(failed >= 1.0);
    // Nothing is counted twice.
    observer.publish();
    assert!(value(&recorder, failures) < 2.0 * failed);
    world.http.release();
    held.await.unwrap().unwrap();
    drop(world);
    // The mesh ends when its driver has seen that it should.
    let page = recorder.page();
    let gone = async {
        while page.render().contains("mesh_state=\"ready\"} 1") {
            tokio::task::yield_now().await;
            observer.publish();
        }
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, gone).await.unwrap();
    assert_eq!(
        value(&recorder, "mesh_cluster_requests{mesh_cluster=\"pages\"}"),
        0.0
    );
    assert_eq!(value(&recorder, failures), failed);
}

#[test]
fn bounds_that_were_hit_are_published() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let observer = MetricsObserver::new();
    observer.publish();
    let series = "mesh_bound_exceeded_total{mesh_bound=\"ads_message\"}";
    let before = value(&recorder, series);
    Bound::AdsMessage.exceeded();
    observer.publish();
    assert_eq!(value(&recorder, series), before + 1.0);
}

#[test]
fn clusters_in_which_nothing_happens_take_no_room() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let (observer, registry) = (MetricsObserver::new(), Registry::default());
    let target = Target::from("xds:///shop");
    let clusters: Vec<_> = (0..2_000)
        .map(|n| registry.cluster(&format!("c{n}").into()))
        .collect();
    for cluster in &clusters {
        assert!(observer.watch(&target, cluster).is_some());
        // A second target with the same cluster.
        observer.watch(&"xds:///other".into(), cluster);
    }
    observer.publish();
    assert!(!recorder.page().render().contains("mesh_cluster"));
    let none = Limits {
        max_connections: 0,
        ..Limits::default()
    };
    assert!(clusters[7].try_connection(&none).is_none());
    observer.publish();
    let reached = |cluster| {
        format!(
            "mesh_cluster_limit_reached_total{{mesh_cluster=\"{cluster}\",mesh_limit=\"connections\"}}"
        )
    };
    assert_eq!(value(&recorder, &reached("c7")), 1.0);
    assert!(!recorder.page().render().contains("c8"));
    let permits: Vec<_> = clusters.iter().map(|it| it.first_connection()).collect();
    observer.publish();
    assert_eq!(recorder.page().refused(), 0);
    let published = |page: &str| {
        page.lines()
            .filter(|line| line.starts_with("mesh_cluster_connections{"))
            .count()
    };
    assert_eq!(published(&recorder.page().render()), 500);
    // What goes makes room for others.
    drop((permits, clusters));
    observer.publish();
    let late = registry.cluster(&"late".into());
    observer.watch(&target, &late);
    let _permit = late.first_connection();
    observer.publish();
    assert_eq!(
        value(&recorder, "mesh_cluster_connections{mesh_cluster=\"late\"}"),
        1.0
    );
}

#[tokio::test]
async fn without_clusters_there_are_none_on_what_is_counted_per_request() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let mut world = World::new(MetricsObserver::without_clusters());
    world.call().await.unwrap();
    world.get("/shop/a").await;
    let page = recorder.page().render();
    assert!(!page.contains("grpc_lb_backend_service"), "{page}");
    let requests = page.lines().filter(|line| line.starts_with("http_client"));
    assert!(requests.clone().count() > 1);
    assert!(!requests.clone().any(|line| line.contains("mesh_cluster")));
    assert!(world.calls.unary(EchoRequest::default()).await.is_ok());
}

/// A client of a control plane whose numbers are made up.
#[derive(Debug)]
struct Made(std::sync::Mutex<Option<ControlPlaneNumbers>>);

impl ControlPlane for Made {
    fn numbers(&self) -> Option<ControlPlaneNumbers> {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn what_a_control_plane_sent_is_counted_by_server_and_type() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let observer = MetricsObserver::new();
    let numbers = |server: &str, valid, acked| ControlPlaneNumbers {
        server: server.into(),
        connected: true,
        failures: 1,
        resources: vec![ResourceNumbers {
            kind: "envoy.config.cluster.v3.Cluster",
            valid,
            invalid: 2,
            states: vec![("acked", acked), ("requested", 0)],
        }],
    };
    let made = Arc::new(Made(std::sync::Mutex::new(Some(numbers("one", 5, 4)))));
    observer.control_plane(Arc::clone(&made) as _);
    observer.publish();
    observer.publish();
    let of = "grpc_target=\"#mesh\",grpc_xds_resource_type=\"envoy.config.cluster.v3.Cluster\"";
    let old = "grpc_target=\"#mesh\",grpc_xds_authority=\"#old\",grpc_xds_cache_state=\"acked\"";
    let server = |server| format!("{of},grpc_xds_server=\"{server}\"");
    let states = format!(
        "grpc_xds_client_resources{{{old},grpc_xds_resource_type=\"envoy.config.cluster.v3.Cluster\"}}"
    );
    let connected = |server| {
        format!("grpc_xds_client_connected{{grpc_target=\"#mesh\",grpc_xds_server=\"{server}\"}}")
    };
    let failure =
        "grpc_xds_client_server_failure_total{grpc_target=\"#mesh\",grpc_xds_server=\"one\"}";
    let valid = |at| {
        format!(
            "grpc_xds_client_resource_updates_valid_total{{{}}}",
            server(at)
        )
    };
    let invalid = format!(
        "grpc_xds_client_resource_updates_invalid_total{{{}}}",
        server("one")
    );
    let is = |series: &str, due: f64| assert_eq!(value(&recorder, series), due, "{series}");
    is(&connected("one"), 1.0);
    is(failure, 1.0);
    is(&valid("one"), 5.0);
    is(&invalid, 2.0);
    is(&states, 4.0);
    *made.0.lock().unwrap() = Some(numbers("two", 8, 3));
    observer.publish();
    is(&connected("one"), 0.0);
    is(&connected("two"), 1.0);
    is(&valid("one"), 5.0);
    is(&valid("two"), 3.0);
    is(&states, 3.0);
    *made.0.lock().unwrap() = None;
    observer.publish();
    is(&connected("two"), 0.0);
    is(&states, 0.0);
}
