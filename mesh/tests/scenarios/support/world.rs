//! A control plane, a mesh and a client of it.

use std::net::SocketAddr;

use mesh::{Bootstrap, Mesh, MeshBuilder};
use mesh_testkit::{
    ControlPlane,
    xds::{self, ClusterBuilder, RouteConfigBuilder},
};

use super::{Backend, Call, Client, Failure, Reply, Setup, Wire, within};

/// The target of the client, and the name of its listener.
pub(crate) const TARGET: &str = "shop";
/// The name of its route configuration.
pub(crate) const ROUTES: &str = "shop-routes";
/// What we are to the control plane.
pub(crate) const NODE: &str = "scenario-node";

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) plane: ControlPlane,
    pub(crate) mesh: Mesh,
    pub(crate) client: Client,
}

impl World {
    /// A control plane that publishes nothing yet, and a client.
    pub(crate) async fn start(setup: Setup) -> Self {
        Self::with(setup, |builder| builder).await
    }

    pub(crate) async fn with(setup: Setup, edit: impl FnOnce(MeshBuilder) -> MeshBuilder) -> Self {
        let plane = ControlPlane::start().await;
        let mesh = Mesh::builder()
            .bootstrap(bootstrap(plane.socket()))
            .variant(setup.variant)
            .seed(7);
        let mesh = edit(mesh).spawn().expect("a mesh");
        let client = client(&mesh, setup, TARGET);
        Self {
            setup,
            plane,
            mesh,
            client,
        }
    }

    /// The same with everything routed to one cluster `a` of these backends, and ready.
    pub(crate) async fn serving(setup: Setup, backends: &[&Backend]) -> Self {
        let world = Self::start(setup).await;
        world.publish(xds::routes(ROUTES, &[("a", 1)]), &[("a", backends)]);
        world.client.ready().await;
        world
    }

    /// Publishes a listener, its routes, and clusters with their endpoints.
    pub(crate) fn publish(&self, routes: RouteConfigBuilder, clusters: &[(&str, &[&Backend])]) {
        let listener = xds::listener(TARGET, ROUTES);
        let named = clusters.iter().map(|(name, _)| self.cluster(name));
        let endpoints = clusters.iter().map(|(name, backends)| {
            let sockets: Vec<_> = backends.iter().map(|it| it.socket()).collect();
            xds::endpoints(name, &sockets)
        });
        let (named, endpoints): (Vec<_>, Vec<_>) = (named.collect(), endpoints.collect());
        self.plane.set((listener, routes, named, endpoints));
    }

    /// A cluster that is spoken to as the setup says.
    pub(crate) fn cluster(&self, name: &str) -> ClusterBuilder {
        match self.setup.wire {
            Wire::Http1 => xds::cluster(name).http1(),
            Wire::Http2 | Wire::Grpc => xds::cluster(name).http2(),
        }
    }

    /// Calls until the answer is such a one.
    pub(crate) async fn until(&self, what: &str, reached: fn(&Result<Reply, Failure>) -> bool) {
        within(what, async {
            while !reached(&self.client.call(&Call::new()).await) {
                // A call that fails at once gives way to nobody.
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// A client of another target.
    pub(crate) fn client_of(&self, target: &str) -> Client {
        client(&self.mesh, self.setup, target)
    }
}

pub(crate) fn client(mesh: &Mesh, setup: Setup, target: &str) -> Client {
    let uri = format!("xds:///{target}");
    if setup.is_grpc() {
        Client::Grpc(mesh.channel(&uri).expect("a channel"))
    } else {
        Client::Http(mesh.http_client(&uri).expect("a client"))
    }
}

/// A bootstrap with this control plane.
pub(crate) fn bootstrap(at: SocketAddr) -> Bootstrap {
    let json = serde_json::json!({
        "xds_servers": [{
            "server_uri": at.to_string(),
            "channel_creds": [{ "type": "insecure" }],
        }],
        "node": { "id": NODE },
        "certificate_providers": { "files": { "plugin_name": "file_watcher", "config": {} } },
    });
    Bootstrap::from_json(&json.to_string()).expect("a bootstrap")
}
