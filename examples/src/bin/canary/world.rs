//! A control plane, three backends, and a channel between them and us.

use mesh::{Bootstrap, Mesh, MeshChannel};
use mesh_testkit::{
    ControlPlane, GrpcEcho,
    control::RDS,
    xds::{self, RouteConfigBuilder},
};
use tokio::sync::watch;

use crate::{load, report::Phase};

/// Makes every run draw the same clusters for the same calls.
const SEED: u64 = 20;

/// See the [module](self).
pub(crate) struct World {
    plane: ControlPlane,
    v1: [GrpcEcho; 2],
    _v2: GrpcEcho,
    channel: MeshChannel,
    _mesh: Mesh,
}

impl World {
    /// Starts everything, and waits until the channel is ready.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let v1 = [GrpcEcho::start("v1"), GrpcEcho::start("v1")];
        let v2 = GrpcEcho::start("v2");
        let plane = ControlPlane::start().await;
        plane.set((
            xds::listener("greeter", "greeter-routes"),
            shares(90, 10),
            xds::cluster("v1"),
            xds::cluster("v2"),
            xds::endpoints("v1", &[v1[0].socket(), v1[1].socket()]),
            xds::endpoints("v2", &[v2.socket()]),
        ));

        let bootstrap = serde_json::json!({
            "xds_servers": [{
                "server_uri": plane.socket().to_string(),
                "channel_creds": [{ "type": "insecure" }],
            }],
            "node": { "id": "canary" },
        });
        let bootstrap = Bootstrap::from_json(&bootstrap.to_string())?;
        let mesh = Mesh::builder().bootstrap(bootstrap).seed(SEED).spawn()?;
        let channel = mesh.channel("xds:///greeter")?;
        channel.ready().await?;
        Ok(Self {
            plane,
            v1,
            _v2: v2,
            channel,
            _mesh: mesh,
        })
    }

    /// Makes `calls` calls.
    pub(crate) async fn calls(&mut self, name: &'static str, calls: u32) -> Phase {
        load::run(name, self.channel.clone(), calls, watch::Sender::new(false)).await
    }

    /// Makes `calls` calls, and does `event` when half of them are done.
    pub(crate) async fn calls_while(
        &mut self,
        name: &'static str,
        calls: u32,
        event: impl AsyncFnOnce(&Self),
    ) -> Phase {
        let half_done = watch::Sender::new(false);
        let mut at_half = half_done.subscribe();
        let calls = load::run(name, self.channel.clone(), calls, half_done);
        let event = async {
            // The sender lives until the calls are done.
            let _ = at_half.wait_for(|half| *half).await;
            event(self).await;
        };
        tokio::join!(calls, event).0
    }

    /// Changes the control plane's mind, and waits until the client has agreed.
    pub(crate) async fn flip(&self) {
        self.plane.set(shares(50, 50));
        self.plane.wait_acked(RDS).await;
    }

    /// Ends one of v1's two backends, with all its connections.
    pub(crate) async fn kill_backend(&self) {
        self.v1[0].stop().await;
    }

    /// Ends the control plane, with its stream.
    pub(crate) async fn stop_control_plane(&self) {
        self.plane.stop().await;
    }
}

/// The route of the calls: by weight, and again on another endpoint if one is lost under way.
fn shares(v1: u32, v2: u32) -> RouteConfigBuilder {
    let route = xds::split(&[("v1", v1), ("v2", v2)]).retry(xds::retry("unavailable", 3));
    xds::route_config("greeter-routes").host(&["*"], [route])
}
