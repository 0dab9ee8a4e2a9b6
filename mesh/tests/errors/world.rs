//! A control plane, a mesh and a client, whose errors read the same on every run.

use std::{future::Future, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use mesh::{Bootstrap, CallerDeadline, GuardedBody, HttpClient, Mesh, RequestError};
use mesh_testkit::{
    ControlPlane,
    xds::{self, ClusterBuilder, RouteBuilder},
};

/// The name of the route configuration.
pub(crate) const ROUTES: &str = "shop-routes";
/// How long anything takes that is to be late.
pub(crate) const SHORT: Duration = Duration::from_millis(400);
/// How long anything else may take. Reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) plane: ControlPlane,
    pub(crate) mesh: Mesh,
    pub(crate) client: HttpClient,
    known: Vec<(String, &'static str)>,
}

impl World {
    /// A control plane that has published nothing.
    pub(crate) async fn new() -> Self {
        let plane = ControlPlane::start().await;
        let at = plane.socket();
        Self::of(plane, at)
    }

    /// A control plane that says it is at `at`.
    pub(crate) fn of(plane: ControlPlane, at: SocketAddr) -> Self {
        let mesh = Mesh::builder().bootstrap(bootstrap(at)).seed(7);
        let mesh = mesh.spawn().unwrap();
        Self {
            client: mesh.http_client("xds:///shop").unwrap(),
            mesh,
            plane,
            known: vec![(at.to_string(), "10.0.0.1:18000")],
        }
    }

    /// Routes `/orders` by `route` to `cluster`, whose endpoint is there.
    pub(crate) async fn serving(
        route: RouteBuilder,
        cluster: ClusterBuilder,
        at: SocketAddr,
    ) -> Self {
        let mut world = Self::new().await;
        world.plane.set((
            xds::listener("shop", ROUTES),
            xds::route_config(ROUTES).host(&["*"], [route.name("orders").prefix("/orders")]),
            cluster,
            xds::endpoints("a", &[at]),
        ));
        world.knows(at);
        world
    }

    /// The same without policy, over HTTP/2.
    pub(crate) async fn plain(at: SocketAddr) -> Self {
        Self::serving(xds::to("a"), xds::cluster("a").http2(), at).await
    }

    pub(crate) fn knows(&mut self, endpoint: SocketAddr) {
        self.known.push((endpoint.to_string(), "10.0.0.7:8080"));
    }

    /// The text of an error, with the same addresses on every run.
    pub(crate) fn text(&self, error: &impl ToString) -> String {
        let mut text = error.to_string();
        for (address, stands) in &self.known {
            text = text.replace(address, stands);
        }
        text
    }

    /// What an ordinary request fails with.
    pub(crate) async fn fails(&self) -> String {
        self.fails_with(get()).await
    }

    /// What a request of a caller fails with that waits only shortly.
    pub(crate) async fn fails_late(&self) -> String {
        self.fails_with(late()).await
    }

    pub(crate) async fn fails_with(&self, request: Request<Empty<Bytes>>) -> String {
        match within(self.client.send(request)).await {
            Ok(response) => panic!("answered with {}", response.status()),
            Err(error) => self.text(&error),
        }
    }

    /// What reading the answer's body fails with.
    pub(crate) async fn breaks_off(&self, request: Request<Empty<Bytes>>) -> String {
        let response = within(self.client.send(request)).await.unwrap();
        let error = read(response).await.unwrap_err();
        self.text(&error)
    }
}

/// Reads an answer to its end.
pub(crate) async fn read(response: Response<GuardedBody>) -> Result<Bytes, RequestError> {
    Ok(within(response.into_body().collect()).await?.to_bytes())
}

pub(crate) fn get() -> Request<Empty<Bytes>> {
    Request::get("http://shop.test/orders")
        .body(Empty::new())
        .unwrap()
}

pub(crate) fn late() -> Request<Empty<Bytes>> {
    let mut request = get();
    request.extensions_mut().insert(CallerDeadline(SHORT));
    request
}

pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

fn bootstrap(at: SocketAddr) -> Bootstrap {
    let json = serde_json::json!({
        "xds_servers": [{
            "server_uri": at.to_string(),
            "channel_creds": [{ "type": "insecure" }],
        }],
        "node": { "id": "shop-7" },
    });
    Bootstrap::from_json(&json.to_string()).unwrap()
}
