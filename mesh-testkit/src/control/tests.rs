use mesh_proto::Any;
use mesh_proto::envoy::config::cluster::v3::Cluster;
use mesh_proto::envoy::config::endpoint::v3::ClusterLoadAssignment;
use mesh_proto::envoy::config::listener::v3::Listener;
use mesh_proto::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use mesh_proto::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
    Resource as Wrapper,
};
use mesh_proto::google::rpc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use std::collections::BTreeSet;

use super::*;
use crate::GrpcConnection;
use crate::waiting::PATIENCE;

/// One stream of a client that does nothing by itself.
struct Stream<Request, Response> {
    requests: mpsc::Sender<Request>,
    responses: Streaming<Response>,
}

impl<Request, Response> Stream<Request, Response> {
    async fn send(&self, request: Request) {
        self.requests.send(request).await.ok().unwrap();
    }

    async fn next(&mut self) -> Result<Option<Response>, Status> {
        tokio::time::timeout(PATIENCE, self.responses.message())
            .await
            .unwrap()
    }

    async fn response(&mut self) -> Response {
        self.next().await.unwrap().unwrap()
    }
}

type SotwStream = Stream<DiscoveryRequest, DiscoveryResponse>;
type DeltaStream = Stream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

async fn client(plane: &ControlPlane) -> AggregatedDiscoveryServiceClient<GrpcConnection> {
    let connection = GrpcConnection::open(plane.socket()).await.unwrap();
    AggregatedDiscoveryServiceClient::new(connection)
}

async fn sotw(plane: &ControlPlane) -> SotwStream {
    let (requests, list) = mpsc::channel(16);
    let stream = ReceiverStream::new(list);
    let responses = client(plane)
        .await
        .stream_aggregated_resources(stream)
        .await;
    let responses = responses.unwrap().into_inner();
    Stream {
        requests,
        responses,
    }
}

async fn delta(plane: &ControlPlane) -> DeltaStream {
    let (requests, list) = mpsc::channel(16);
    let stream = ReceiverStream::new(list);
    let responses = client(plane).await.delta_aggregated_resources(stream).await;
    let responses = responses.unwrap().into_inner();
    Stream {
        requests,
        responses,
    }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn ask(type_url: &str, names: &[&str]) -> DiscoveryRequest {
    DiscoveryRequest {
        type_url: type_url.to_owned(),
        resource_names: strings(names),
        ..DiscoveryRequest::default()
    }
}

fn ack(response: &DiscoveryResponse, names: &[&str]) -> DiscoveryRequest {
    DiscoveryRequest {
        version_info: response.version_info.clone(),
        response_nonce: response.nonce.clone(),
        ..ask(&response.type_url, names)
    }
}

fn refusal(why: &str) -> Option<rpc::Status> {
    Some(rpc::Status {
        code: 3,
        message: why.to_owned(),
        ..rpc::Status::default()
    })
}

fn listener(name: &str) -> Listener {
    Listener {
        name: name.to_owned(),
        ..Listener::default()
    }
}

fn cluster(name: &str) -> Cluster {
    Cluster {
        name: name.to_owned(),
        ..Cluster::default()
    }
}

fn endpoints(name: &str) -> ClusterLoadAssignment {
    ClusterLoadAssignment {
        cluster_name: name.to_owned(),
        ..ClusterLoadAssignment::default()
    }
}

fn clusters(resources: &[Any]) -> Vec<String> {
    let clusters = resources.iter().map(|any| any.unpack::<Cluster>());
    clusters.map(|cluster| cluster.unwrap().name).collect()
}

fn assignments(resources: &[Any]) -> Vec<String> {
    let all = resources
        .iter()
        .map(|any| any.unpack::<ClusterLoadAssignment>());
    all.map(|one| one.unwrap().cluster_name).collect()
}

#[tokio::test]
async fn sotw_acks_and_nacks_are_told_apart() {
    let plane = ControlPlane::start().await;
    plane.set(cluster("a"));
    let mut stream = sotw(&plane).await;
    stream.send(ask(CDS, &["a"])).await;
    let first = stream.response().await;
    assert_eq!(first.version_info, "1");
    assert_eq!(clusters(&first.resources), ["a"]);
    stream.send(ack(&first, &["a"])).await;
    plane.wait_acked(CDS).await;
    assert_eq!(plane.streams(StreamKind::Sotw), 1);
    assert_eq!(plane.subscribed(CDS).into_iter().collect::<Vec<_>>(), ["a"]);

    plane.bad_resource(CDS, "a", b"\xff");
    assert!(!plane.is_acked(CDS));
    let second = stream.response().await;
    let mut nack = ack(&second, &["a"]);
    nack.version_info = "1".to_owned();
    nack.error_detail = refusal("no good");
    stream.send(nack).await;
    assert_eq!(plane.wait_nacked(CDS, 1).await, "no good");
    assert_eq!(plane.nacks(CDS), [("2".to_owned(), "no good".to_owned())]);
    // The nonce is known, the version is the old one: neither an ACK nor a second NACK.
    let mut more = ack(&second, &["a", "b"]);
    more.version_info = "1".to_owned();
    stream.send(more).await;
    stream.response().await;
    assert_eq!((plane.acks(CDS).len(), plane.nacks(CDS).len()), (1, 1));
    let nonces: BTreeSet<_> = plane.responses().into_iter().map(|r| r.nonce).collect();
    assert_eq!(nonces.len(), 3);
    assert_eq!(plane.request_count(CDS), 4);
    assert!(plane.bytes_sent() > 0);
}

#[tokio::test]
async fn a_version_is_accepted_once_all_its_clients_say_so() {
    let plane = ControlPlane::start().await;
    plane.set((endpoints("a"), endpoints("b")));
    let (mut first, mut second) = (sotw(&plane).await, sotw(&plane).await);
    assert!(!plane.is_acked(EDS));
    first.send(ask(EDS, &["a"])).await;
    let response = first.response().await;
    first.send(ack(&response, &["a"])).await;
    plane.wait_acked(EDS).await;
    second.send(ask(EDS, &["a", "b"])).await;
    let response = second.response().await;
    assert!(!plane.is_acked(EDS));
    second.send(ack(&response, &["a", "b"])).await;
    plane.wait_acked(EDS).await;
    // Of no concern to the first client, so its older answer still holds.
    plane.set(endpoints("b"));
    assert!(!plane.is_acked(EDS));
    let response = second.response().await;
    second.send(ack(&response, &["a", "b"])).await;
    plane.wait_acked(EDS).await;
}

#[tokio::test]
async fn sotw_sends_all_clusters_but_only_changed_endpoints() {
    let plane = ControlPlane::start().await;
    plane.set((cluster("a"), cluster("b"), endpoints("a"), endpoints("b")));
    let mut stream = sotw(&plane).await;
    stream.send(ask(CDS, &["a", "b", "missing"])).await;
    let all = stream.response().await;
    assert_eq!(clusters(&all.resources), ["a", "b"]);
    stream.send(ask(EDS, &["a", "b"])).await;
    let both = stream.response().await;
    assert_eq!(assignments(&both.resources), ["a", "b"]);

    plane.set(endpoints("b"));
    let changed = stream.response().await;
    assert_eq!(assignments(&changed.resources), ["b"]);
    plane.remove(CDS, "a");
    let left = stream.response().await;
    assert_eq!(clusters(&left.resources), ["b"]);
    // What is subscribed to anew comes again, although it has not changed.
    stream.send(ack(&changed, &["b"])).await;
    stream.send(ack(&changed, &["a", "b"])).await;
    let again = stream.response().await;
    assert_eq!(assignments(&again.resources), ["a"]);
}

#[tokio::test]
async fn sotw_an_empty_list_is_a_wildcard_only_at_first() {
    let plane = ControlPlane::start().await;
    plane.set((listener("x"), listener("y")));
    let mut stream = sotw(&plane).await;
    stream.send(ask(LDS, &[])).await;
    let all = stream.response().await;
    assert_eq!(all.resources.len(), 2);
    assert!(plane.subscribed(LDS).contains("*"));

    let mut stream = sotw(&plane).await;
    stream.send(ask(LDS, &["x"])).await;
    let one = stream.response().await;
    assert_eq!(one.resources.len(), 1);
    stream.send(ack(&one, &[])).await;
    plane
        .wait_for("both requests", |plane| plane.request_count(LDS) == 3)
        .await;
    // Were it a wildcard, this would be answered first.
    plane.set((listener("x"), cluster("a")));
    stream.send(ask(CDS, &["*"])).await;
    assert_eq!(stream.response().await.type_url, CDS);
}

#[tokio::test]
async fn sotw_skips_stale_nonces_and_sends_duplicates() {
    let plane = ControlPlane::start().await;
    plane.duplicate_responses(true);
    plane.set((cluster("a"), cluster("b")));
    let mut stream = sotw(&plane).await;
    stream.send(ask(CDS, &["a"])).await;
    let first = stream.response().await;
    let second = stream.response().await;
    assert_eq!(first.version_info, second.version_info);
    assert_ne!(first.nonce, second.nonce);
    stream.send(ack(&first, &["a", "b"])).await;
    stream.send(ack(&second, &["b"])).await;
    plane.wait_acked(CDS).await;
    let requests = plane.requests_of(CDS);
    let stale: Vec<_> = requests.iter().map(|request| request.stale).collect();
    assert_eq!(stale, [false, true, false]);
    assert_eq!(plane.acks(CDS).len(), 1);
    assert_eq!(clusters(&stream.response().await.resources), ["b"]);
}

#[tokio::test]
async fn updates_go_out_clusters_first_and_held_ones_at_once() {
    let plane = ControlPlane::start().await;
    plane.set((listener("x"), cluster("a"), endpoints("a")));
    let mut stream = sotw(&plane).await;
    for (type_url, name) in [(LDS, "x"), (CDS, "a"), (EDS, "a")] {
        stream.send(ask(type_url, &[name])).await;
        stream.response().await;
    }
    plane.hold();
    plane.set(listener("x"));
    plane.set(endpoints("a"));
    plane.set(cluster("a"));
    assert_eq!(plane.version(CDS), "1");
    plane.release();
    let mut types = Vec::new();
    for _ in 0..3 {
        types.push(stream.response().await.type_url);
    }
    assert_eq!(types, [CDS, EDS, LDS]);
}

#[tokio::test]
async fn silence_errors_and_wrapped_resources() {
    let plane = ControlPlane::start().await;
    plane.drop_next_responses(1);
    plane.wrap_resources(true);
    plane.set(cluster("a"));
    let mut stream = sotw(&plane).await;
    stream.send(ask(CDS, &["a", "b"])).await;
    plane
        .wait_for("the request", |plane| plane.request_count(CDS) == 1)
        .await;
    plane.resource_error(CDS, "b", Code::PermissionDenied, "not yours");
    let response = stream.response().await;
    let wrapper: Wrapper = response.resources[0].unpack().unwrap();
    assert_eq!(wrapper.name, "a");
    assert!(wrapper.resource.unwrap().is::<Cluster>());
    let error = &response.resource_errors[0];
    assert_eq!(error.resource_name.as_ref().unwrap().name, "b");
    assert_eq!(error.error_detail.as_ref().unwrap().code, 7);
}

#[tokio::test]
async fn streams_are_refused_ended_and_cut() {
    let plane = ControlPlane::start().await;
    plane.refuse_streams(true);
    let (_requests, list) = mpsc::channel(1);
    let refused = client(&plane)
        .await
        .stream_aggregated_resources(ReceiverStream::new(list))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    assert_eq!((plane.streams_total(), plane.streams_refused()), (0, 1));

    plane.refuse_streams(false);
    let mut stream = sotw(&plane).await;
    plane.end_streams(Status::internal("enough"));
    assert_eq!(stream.next().await.unwrap_err().code(), Code::Internal);

    let mut stream = delta(&plane).await;
    assert_eq!(plane.streams(StreamKind::Delta), 1);
    plane.disconnect_all().await;
    assert!(stream.next().await.is_err());
    assert_eq!(plane.streams(StreamKind::Delta), 0);

    let at = plane.socket();
    plane.set(cluster("a"));
    plane.stop().await;
    assert!(GrpcConnection::open(at).await.is_err());
    plane.restart().await;
    let mut stream = sotw(&plane).await;
    stream.send(ask(CDS, &["a"])).await;
    assert_eq!(stream.response().await.version_info, "1");
}

fn subscribe(type_url: &str, names: &[&str]) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: type_url.to_owned(),
        resource_names_subscribe: strings(names),
        ..DeltaDiscoveryRequest::default()
    }
}

fn sent(response: &DeltaDiscoveryResponse) -> Vec<(&str, &str)> {
    let resources = response.resources.iter();
    resources
        .map(|resource| (resource.name.as_str(), resource.version.as_str()))
        .collect()
}

#[tokio::test]
async fn delta_sends_what_changed_and_what_is_gone() {
    let plane = ControlPlane::start().await;
    plane.set((endpoints("a"), endpoints("b")));
    let mut stream = delta(&plane).await;
    stream.send(subscribe(EDS, &["a", "missing"])).await;
    let first = stream.response().await;
    assert_eq!(sent(&first), [("a", "1")]);
    assert_eq!(first.removed_resources, ["missing"]);
    stream
        .send(DeltaDiscoveryRequest {
            response_nonce: first.nonce.clone(),
            ..subscribe(EDS, &["b"])
        })
        .await;
    assert_eq!(sent(&stream.response().await), [("b", "1")]);
    assert_eq!(plane.acks(EDS), ["1"]);

    plane.set(endpoints("missing"));
    assert_eq!(sent(&stream.response().await), [("missing", "2")]);
    plane.remove(EDS, "a");
    let gone = stream.response().await;
    assert_eq!(gone.removed_resources, ["a"]);
    stream
        .send(DeltaDiscoveryRequest {
            response_nonce: gone.nonce,
            error_detail: refusal("keep it"),
            resource_names_unsubscribe: strings(&["b"]),
            ..subscribe(EDS, &["missing"])
        })
        .await;
    // Subscribing again brings it again.
    assert_eq!(sent(&stream.response().await), [("missing", "2")]);
    assert_eq!(plane.nacks(EDS), [("3".to_owned(), "keep it".to_owned())]);
    assert!(!plane.subscribed(EDS).contains("b"));
}

#[tokio::test]
async fn delta_leaves_out_what_the_client_holds() {
    let plane = ControlPlane::start().await;
    plane.set((cluster("a"), cluster("b")));
    plane.set(cluster("b"));
    let mut stream = delta(&plane).await;
    let held = [("a", "1"), ("b", "1"), ("c", "1")];
    let held = held.map(|(name, version)| (name.to_owned(), version.to_owned()));
    stream
        .send(DeltaDiscoveryRequest {
            initial_resource_versions: held.into(),
            ..subscribe(CDS, &["a", "b", "c"])
        })
        .await;
    let response = stream.response().await;
    assert_eq!(sent(&response), [("b", "2")]);
    assert_eq!(response.removed_resources, ["c"]);
}

#[tokio::test]
async fn delta_wildcards_begin_empty_or_with_a_star() {
    let plane = ControlPlane::start().await;
    plane.set((cluster("a"), listener("x")));
    plane.remove(LDS, "x");
    let mut stream = delta(&plane).await;
    stream.send(subscribe(CDS, &[])).await;
    assert_eq!(sent(&stream.response().await), [("a", "1")]);
    // Nothing to send: an empty response says so.
    stream.send(subscribe(LDS, &["*"])).await;
    assert!(stream.response().await.resources.is_empty());
    plane.set(cluster("b"));
    assert_eq!(sent(&stream.response().await), [("b", "2")]);
    plane.remove(CDS, "a");
    assert_eq!(stream.response().await.removed_resources, ["a"]);
    stream
        .send(DeltaDiscoveryRequest {
            resource_names_unsubscribe: strings(&["*"]),
            ..subscribe(CDS, &["b"])
        })
        .await;
    stream.response().await;
    plane.set(cluster("c"));
    plane.set(cluster("b"));
    assert_eq!(sent(&stream.response().await), [("b", "5")]);
}

#[tokio::test]
async fn delta_carries_errors_and_waits_as_told() {
    let plane = ControlPlane::start().await;
    plane.resource_error(CDS, "a", Code::NotFound, "no such thing");
    plane.delay(Duration::from_millis(1));
    let mut stream = delta(&plane).await;
    stream.send(subscribe(CDS, &["a"])).await;
    let response = stream.response().await;
    assert!(response.resources.is_empty() && response.removed_resources.is_empty());
    let error = response.resource_errors[0].error_detail.as_ref().unwrap();
    assert_eq!((error.code, error.message.as_str()), (5, "no such thing"));
    // A resource of the name takes the error's place, and GOAWAY lets open streams go on.
    plane.goaway();
    plane.set(cluster("a"));
    assert_eq!(sent(&stream.response().await), [("a", "2")]);
}

#[tokio::test]
async fn works_in_memory_and_without_a_connection() {
    let plane = ControlPlane::start().await;
    plane.set(cluster("a"));
    let request = || tokio_stream::iter([ask(CDS, &["a"])]);
    let connection = GrpcConnection::over(plane.connect_in_memory())
        .await
        .unwrap();
    let mut client = AggregatedDiscoveryServiceClient::new(connection);
    let response = client.stream_aggregated_resources(request()).await.unwrap();
    let response = response.into_inner().message().await.unwrap();
    assert_eq!(clusters(&response.unwrap().resources), ["a"]);

    let mut client = AggregatedDiscoveryServiceClient::new(plane.service());
    let response = client.stream_aggregated_resources(request()).await.unwrap();
    let response = response.into_inner().message().await.unwrap();
    assert_eq!(clusters(&response.unwrap().resources), ["a"]);
}
