//! What the control plane says, or does not say.

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use mesh::{Bootstrap, Mesh};
use mesh_core::source::FixedSource;
use mesh_testkit::{
    ControlPlane,
    control::{CDS, LDS},
    refusing_address, xds,
};

use crate::{
    Case, cases,
    world::{ROUTES, World, late, within},
};

pub(crate) const CASES: &[Case] = cases! {
    "a bootstrap that cannot be used" => bad_bootstrap,
    "an `xds:` target without a bootstrap" => no_bootstrap,
    "the mesh is built and not driven" => not_driven,
    "a target that cannot be one" => no_target,
    "the control plane cannot be reached" => unreachable_plane,
    "it has not sent the listener" => missing_listener,
    "it has taken the listener away" => removed_listener,
    "what it sent is refused (NACK)" => refused_listener,
    "it reports an error in place of the listener" => reported_error,
    "it has not sent the routes" => missing_routes,
    "no virtual host, or no route, takes the request" => no_route,
    "the route asks for what is not supported" => refusing_route,
    "the cluster does not exist" => no_cluster,
    "a header names a cluster that is not there" => no_such_cluster,
    "the cluster's load balancing is not supported" => no_balancing,
};

async fn bad_bootstrap() -> String {
    let json = r#"{"xds_servers": [{"server_uri": "plane.test:x", "channel_creds": [{"type": "insecure"}]}]}"#;
    Bootstrap::from_json(json).unwrap_err().to_string()
}

async fn no_bootstrap() -> String {
    let mesh = Mesh::builder().spawn().unwrap();
    mesh.http_client("xds:///shop").unwrap_err().to_string()
}

async fn no_target() -> String {
    let mesh = Mesh::builder().spawn().unwrap();
    mesh.http_client("dns:///shop.test")
        .unwrap_err()
        .to_string()
}

async fn not_driven() -> String {
    let source = FixedSource::new();
    let (mesh, _driver) = mesh_tower::Mesh::builder().source(source).build().unwrap();
    let error = within(mesh.http_client("shop").send(late())).await;
    error.map(drop).unwrap_err().to_string()
}

async fn unreachable_plane() -> String {
    let refusing = refusing_address();
    let world = World::of(ControlPlane::start().await, refusing.socket());
    // The first attempt to connect has failed when its error is told.
    loop {
        let text = world.fails_with(late()).await;
        if text.contains("last error") {
            return text;
        }
    }
}

async fn missing_listener() -> String {
    World::new().await.fails_late().await
}

async fn removed_listener() -> String {
    let world = World::new().await;
    world.plane.set((
        xds::listener("shop", ROUTES),
        xds::routes(ROUTES, &[("a", 1)]),
        xds::cluster("a"),
        xds::no_endpoints("a"),
    ));
    let _ = world.fails().await;
    world.plane.remove(LDS, "shop");
    until(&world, "exist").await
}

async fn refused_listener() -> String {
    let world = World::new().await;
    world.plane.set(xds::listener("shop", "").build());
    world.fails().await
}

async fn reported_error() -> String {
    let world = World::new().await;
    let code = tonic::Code::PermissionDenied;
    world.plane.resource_error(LDS, "shop", code, "not for you");
    world.fails().await
}

async fn missing_routes() -> String {
    let world = World::new().await;
    world.plane.set(xds::listener("shop", ROUTES));
    world.fails_late().await
}

async fn no_route() -> String {
    let world = World::plain(refusing_address().socket()).await;
    let request = Request::get("http://shop.test/carts?of=ann");
    world
        .fails_with(request.body(Empty::<Bytes>::new()).unwrap())
        .await
}

async fn refusing_route() -> String {
    let at = refusing_address().socket();
    World::serving(xds::direct(200, "hello"), xds::cluster("a"), at)
        .await
        .fails()
        .await
}

async fn no_cluster() -> String {
    let world = World::plain(refusing_address().socket()).await;
    let _ = world.fails().await;
    world.plane.remove(CDS, "a");
    until(&world, "exist").await
}

async fn no_such_cluster() -> String {
    use mesh_proto::envoy::config::route::v3::route_action::ClusterSpecifier;
    let at = refusing_address().socket();
    let by_header = xds::to("a").edit_action(|action| {
        action.cluster_specifier = Some(ClusterSpecifier::ClusterHeader("x-cluster".to_owned()));
    });
    let world = World::serving(by_header, xds::cluster("a"), at).await;
    let request = Request::get("http://shop.test/orders").header("x-cluster", "b");
    world.fails_with(request.body(Empty::new()).unwrap()).await
}

async fn no_balancing() -> String {
    let cluster = xds::cluster("a").ring_hash(16, 64);
    let at = refusing_address().socket();
    World::serving(xds::to("a"), cluster, at)
        .await
        .fails()
        .await
}

/// Calls until the text says that.
async fn until(world: &World, says: &str) -> String {
    loop {
        let text = world.fails().await;
        if text.contains(says) {
            return text;
        }
        tokio::task::yield_now().await;
    }
}
