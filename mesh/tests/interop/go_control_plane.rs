//! A real control plane leads us, in both variants of the protocol and both dialects.

use std::net::SocketAddr;

use mesh::{Mesh, Variant};
use mesh_xds_client::resource::ResourceType;
use serde_json::Value;

use crate::{
    load::{Caller, Load, until},
    peers::{Peer, Program},
    scene::{Backends, NODE, TARGET, mesh},
};

/// What the program's bad routes are refused for.
const BAD_FIELD: &str = "virtual_hosts[0].routes[0].route.weighted_clusters";

/// With the state of the world the program answers a NACK with the same again, as fast as it comes.
/// Held back by 1 s and then twice as long each time, the eighth would come after four minutes.
const FEW_NACKS: u64 = 8;

#[tokio::test]
async fn leads_a_channel_by_state_of_the_world() {
    follows(Variant::Sotw, grpc).await;
}

#[tokio::test]
async fn leads_a_channel_by_deltas() {
    follows(Variant::Delta, grpc).await;
}

#[tokio::test]
async fn leads_an_http_client_by_state_of_the_world() {
    follows(Variant::Sotw, http).await;
}

#[tokio::test]
async fn leads_an_http_client_by_deltas() {
    follows(Variant::Delta, http).await;
}

#[tokio::test]
async fn refused_routes_leave_a_channel_on_the_last_good_by_state_of_the_world() {
    refuses(Variant::Sotw, grpc).await;
}

#[tokio::test]
async fn refused_routes_leave_a_channel_on_the_last_good_by_deltas() {
    refuses(Variant::Delta, grpc).await;
}

#[tokio::test]
async fn refused_routes_leave_an_http_client_on_the_last_good_by_state_of_the_world() {
    refuses(Variant::Sotw, http).await;
}

#[tokio::test]
async fn refused_routes_leave_an_http_client_on_the_last_good_by_deltas() {
    refuses(Variant::Delta, http).await;
}

#[tokio::test]
async fn a_bad_start_is_told_to_the_caller_by_state_of_the_world() {
    starts_badly(Variant::Sotw).await;
}

#[tokio::test]
async fn a_bad_start_is_told_to_the_caller_by_deltas() {
    starts_badly(Variant::Delta).await;
}

#[tokio::test]
async fn the_second_control_plane_serves_while_the_first_is_away_by_state_of_the_world() {
    falls_back(Variant::Sotw).await;
}

#[tokio::test]
async fn the_second_control_plane_serves_while_the_first_is_away_by_deltas() {
    falls_back(Variant::Delta).await;
}

/// In dialect grpc.
fn grpc(mesh: &Mesh) -> Caller {
    Caller::Grpc(mesh.channel(TARGET).unwrap())
}

/// In dialect envoy, by the same resources.
fn http(mesh: &Mesh) -> Caller {
    Caller::Http(mesh.http_client(TARGET).unwrap())
}

async fn follows(variant: Variant, caller: fn(&Mesh) -> Caller) {
    if let Some(world) = World::start(variant).await {
        let caller = caller(&world.mesh);
        world.follows(caller, variant).await;
    }
}

async fn refuses(variant: Variant, caller: fn(&Mesh) -> Caller) {
    if let Some(world) = World::start(variant).await {
        let caller = caller(&world.mesh);
        world.refuses(caller).await;
    }
}

/// Refused routes, with nothing good before them, fail calls at once, and say why; the next good ones
/// are taken.
async fn starts_badly(variant: Variant) {
    let Some(mut world) = World::start(variant).await else {
        return;
    };
    world.plane.command("bad").await;
    let caller = grpc(&world.mesh);
    let why = caller.call().await.unwrap_err();
    let told = [BAD_FIELD, NODE, "Unavailable"].map(|word| why.contains(word));
    assert_eq!(told, [true; 3], "{why}");
    world.plane.command("snapshot A").await;
    until("calls that succeed", async || caller.call().await).await;
    caller.until_all_to("v1").await;
}

/// The preferred control plane is away at the start, comes, and goes again (gRFC A71).
async fn falls_back(variant: Variant) {
    let Some(program) = Program::go_control_plane() else {
        return;
    };
    let backends = Backends::start();
    let backends = backends.argument();
    let arguments = ["--backends", &backends, "--initial", "B"];
    let (mut second, second_address) = program.serve(&arguments).await;
    let (first, first_address) = program.serve(&["--backends", &backends]).await;
    first.kill().await;

    let mesh = mesh(&[first_address, second_address], variant);
    let caller = grpc(&mesh);
    caller.until_all_to("v2").await;
    let load = Load::start(caller.clone());
    let first_address = first_address.to_string();
    let arguments = ["--backends", &backends, "--listen", &first_address];
    let (first, _) = program.serve(&arguments).await;
    caller.until_all_to("v1").await;
    until("the second control plane is let go", async || {
        let stats = second.ask("stats").await["stats"].take();
        let open = (stats["sotw_open"].as_u64(), stats["delta_open"].as_u64());
        caller.calls(1).await;
        (open == (Some(0), Some(0))).then_some(()).ok_or(stats)
    })
    .await;

    // All that is needed is here already: nobody is asked in its place.
    first.kill().await;
    until("the loss of the first", async || {
        caller.calls(1).await;
        (!is_connected(&mesh)).then_some(()).ok_or("connected")
    })
    .await;
    assert!(caller.calls(100).await.keys().eq(["v1"]));
    let stats = second.ask("stats").await["stats"].take();
    let opened = [&stats["sotw_opened"], &stats["delta_opened"]];
    let opened: u64 = opened.into_iter().filter_map(Value::as_u64).sum();
    assert_eq!(opened, 1, "{stats}");
    load.finish().await;
}

struct World {
    program: Program,
    plane: Peer,
    address: SocketAddr,
    backends: Backends,
    mesh: Mesh,
}

impl World {
    async fn start(variant: Variant) -> Option<Self> {
        let program = Program::go_control_plane()?;
        let backends = Backends::start();
        let arguments = ["--backends", &backends.argument()];
        let (plane, address) = program.serve(&arguments).await;
        Some(Self {
            program,
            plane,
            address,
            backends,
            mesh: mesh(&[address], variant),
        })
    }

    /// Traffic follows the snapshots, and survives the control plane's death and return.
    async fn follows(mut self, caller: Caller, variant: Variant) {
        let load = Load::start(caller.clone());
        caller.until_all_to("v1").await;
        self.plane.command("snapshot B").await;
        caller.until_all_to("v2").await;
        self.plane.command("weights 90 10").await;
        until("a share of v1", async || {
            let seen = caller.calls(20).await;
            seen.contains_key("v1").then_some(()).ok_or(seen)
        })
        .await;
        is_tenth(&caller).await;
        self.was_asked_by(variant).await;

        self.plane.kill().await;
        until("the loss of the control plane", async || {
            caller.calls(1).await;
            let connected = is_connected(&self.mesh);
            (!connected).then_some(()).ok_or("connected")
        })
        .await;
        is_tenth(&caller).await;

        let (listen, backends) = (self.address.to_string(), self.backends.argument());
        let arguments = [
            "--listen",
            &listen,
            "--backends",
            &backends,
            "--initial",
            "B",
        ];
        (self.plane, _) = self.program.serve(&arguments).await;
        caller.until_all_to("v2").await;
        self.plane.command("snapshot A").await;
        caller.until_all_to("v1").await;
        self.was_asked_by(variant).await;
        load.finish().await;
    }

    /// A bad snapshot is refused, and the next good one is taken.
    async fn refuses(mut self, caller: Caller) {
        self.plane.command("snapshot B").await;
        caller.until_all_to("v2").await;
        let load = Load::start(caller.clone());
        self.plane.command("bad").await;
        let why = until("a NACK", async || {
            caller.calls(1).await;
            let routes = self.routes().await;
            let refused = routes["nacks"].as_u64() >= Some(1);
            refused
                .then(|| routes["last_error"].to_string())
                .ok_or(routes)
        })
        .await;
        assert!(why.contains(BAD_FIELD), "{why}");
        // The control plane knows who refuses; an operator here reads it in the status.
        let shown = error_of_routes(&self.mesh);
        assert!(shown.contains(BAD_FIELD) && shown.contains(NODE), "{shown}");

        // The last good one serves on, and the two do not go round in circles meanwhile.
        let seen = caller.calls(200).await;
        assert_eq!(seen.keys().collect::<Vec<_>>(), ["v2"]);
        let routes = self.routes().await;
        assert!(routes["nacks"].as_u64() < Some(FEW_NACKS), "{routes}");

        self.plane.command("snapshot A").await;
        caller.until_all_to("v1").await;
        assert_eq!(error_of_routes(&self.mesh), "");
        load.finish().await;
    }

    /// One stream, of the variant asked for, on which all was accepted.
    async fn was_asked_by(&mut self, variant: Variant) {
        let stats = self.plane.ask("stats").await["stats"].take();
        let opened = (
            stats["sotw_opened"].as_u64(),
            stats["delta_opened"].as_u64(),
        );
        let expected = match variant {
            Variant::Sotw => (Some(1), Some(0)),
            Variant::Delta => (Some(0), Some(1)),
        };
        assert_eq!(opened, expected, "{stats}");
        assert_eq!(stats["nacks"], 0, "{stats}");
        assert_eq!(stats["types"].as_object().unwrap().len(), 4, "{stats}");
    }

    async fn routes(&mut self) -> Value {
        self.plane.ask("stats").await["stats"]["types"]["RouteConfiguration"].take()
    }
}

/// Whether v2 has a tenth of the calls, within five standard deviations of the binomial
/// distribution.
async fn is_tenth(caller: &Caller) {
    const CALLS: u32 = 400;
    let seen = caller.calls(CALLS).await;
    let v2 = f64::from(seen.get("v2").copied().unwrap_or_default());
    let slack = 5.0 * (f64::from(CALLS) * 0.1 * 0.9).sqrt();
    assert!((v2 - f64::from(CALLS) * 0.1).abs() <= slack, "{seen:?}");
}

fn is_connected(mesh: &Mesh) -> bool {
    mesh.status().iter().any(|(_, status)| status.connected)
}

/// What stands against the routes, in our own status.
fn error_of_routes(mesh: &Mesh) -> String {
    let status = mesh.status();
    let mut routes = status
        .iter()
        .filter_map(|(_, status)| status.resource(ResourceType::RouteConfig, "greeter-routes"));
    let error = routes.next().unwrap().last_error.as_deref();
    error.unwrap_or_default().to_owned()
}
