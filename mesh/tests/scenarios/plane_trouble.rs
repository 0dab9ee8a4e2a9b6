//! Trouble with the control plane, while calls run all the time: none of them fails, and when the
//! trouble is over the next configuration is taken.

use std::time::Duration;

use mesh_core::ErrorKind;
use mesh_testkit::{
    control::{CDS, EDS, LDS, RDS, Resource},
    xds,
};
use mesh_xds_client::XdsStatus;
use tonic::{Code, Status};

use crate::support::{Backend, Call, Load, NODE, ROUTES, Setup, TARGET, World, within};

/// Calls that end while there is trouble.
const DURING: u64 = 30;

/// A world in which `a` serves and `b` is there to be moved to.
struct Running {
    world: World,
    load: Load,
    a: Backend,
    b: Backend,
}

impl Running {
    async fn start(setup: Setup) -> Self {
        let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
        let world = World::serving(setup, &[&a]).await;
        let mut load = Load::start(&world.client, Call::new()).await;
        load.window(DURING).await.assert_only(&["a"]);
        Self { world, load, a, b }
    }

    /// Moves everything to `b`, and waits until it is there.
    async fn move_on(&mut self) {
        let clusters: &[(&str, &[&Backend])] = &[("a", &[&self.a]), ("b", &[&self.b])];
        self.world
            .publish(xds::routes(ROUTES, &[("b", 1)]), clusters);
        self.load.until_only(&["b"]).await;
    }

    /// Goes on as before.
    async fn goes_on(&mut self) {
        self.load.window(DURING).await.assert_only(&["a"]);
    }

    /// Ends well: what is published next is taken, and no call failed.
    async fn recovers(mut self) {
        self.move_on().await;
        self.load.finish().await;
    }

    fn status(&self) -> XdsStatus {
        self.world.mesh.status().remove(0).1
    }

    fn last_error(&self, type_url: &str, name: &str) -> String {
        let status = self.status();
        let of_type = status
            .resources
            .iter()
            .filter(|it| it.kind.type_url() == type_url);
        let resource = of_type.into_iter().find(|it| &*it.name == name);
        let error = resource.and_then(|it| it.last_error.clone());
        error.map_or_else(String::new, |it| it.to_string())
    }
}

async fn killed_and_restarted_on_the_same_port(setup: Setup) {
    let mut running = Running::start(setup).await;
    running.world.plane.stop().await;
    running.goes_on().await;
    running.world.plane.restart().await;
    running
        .world
        .plane
        .wait_for("a new stream", |plane| plane.streams_total() >= 2)
        .await;
    running.goes_on().await;
    running.recovers().await;
}

async fn disconnects(setup: Setup) {
    let mut running = Running::start(setup).await;
    let plane = &running.world.plane;
    plane.disconnect_all().await;
    running.goes_on().await;
    let plane = &running.world.plane;
    plane.end_streams(Status::resource_exhausted("go away"));
    running.goes_on().await;
    running.world.plane.goaway();
    running.goes_on().await;
    running.recovers().await;
}

async fn refuses_streams(setup: Setup) {
    let mut running = Running::start(setup).await;
    let plane = &running.world.plane;
    plane.refuse_streams(true);
    plane.end_streams(Status::unavailable("shutting down"));
    plane
        .wait_for("a refusal", |plane| plane.streams_refused() > 0)
        .await;
    running.goes_on().await;
    running.world.plane.refuse_streams(false);
    running.recovers().await;
}

async fn sends_what_does_not_decode(setup: Setup) {
    let mut running = Running::start(setup).await;
    let names = [(LDS, TARGET), (RDS, ROUTES), (CDS, "a"), (EDS, "a")];
    for (type_url, name) in names {
        let plane = &running.world.plane;
        plane.set(Resource::bad(type_url, name, vec![0xff; 16]));
        plane.wait_nacked(type_url, 1).await;
        running.goes_on().await;
    }
    running.recovers().await;
}

async fn sends_what_is_invalid(setup: Setup) {
    let mut running = Running::start(setup).await;
    let bad = xds::route_config(ROUTES).host(&["*"], [xds::to("a"), xds::to("a").regex("(")]);
    running.world.plane.set(bad);
    let why = running.world.plane.wait_nacked(RDS, 1).await;
    for part in [ROUTES, "virtual_hosts[0].routes[1].match.safe_regex"] {
        assert!(why.contains(part), "no {part:?} in {why:?}");
    }
    let error = running.last_error(RDS, ROUTES);
    for part in [NODE, ROUTES, "virtual_hosts[0].routes[1].match.safe_regex"] {
        assert!(error.contains(part), "no {part:?} in {error:?}");
    }
    running.goes_on().await;

    // A cluster that is good beside one that is not: the good one is taken.
    let routes = [xds::to("b").header("x-to", "b"), xds::to("a")];
    let world = &running.world;
    world.plane.set((
        xds::route_config(ROUTES).host(&["*"], routes),
        world.cluster("a").connect_timeout(Duration::from_secs(3)),
        // A ring larger than any may be.
        world.cluster("b").ring_hash(8 << 20, 9 << 20),
    ));
    let why = world.plane.wait_nacked(CDS, 1).await;
    assert!(why.contains("\"b\"") && !why.contains("\"a\""), "{why}");
    let failure = world.client.call(&Call::new().header("x-to", "b")).await;
    let says = ["cluster b", NODE, "maximum_ring_size"];
    let failure = failure.unwrap_err();
    failure.assert(ErrorKind::NoCluster, Code::Unavailable, &says);
    running.goes_on().await;
    running.recovers().await;
}

async fn is_slow(setup: Setup) {
    let mut running = Running::start(setup).await;
    running.world.plane.delay(Duration::from_millis(50));
    running
        .world
        .publish(xds::routes(ROUTES, &[("a", 2)]), &[("a", &[&running.a])]);
    running.goes_on().await;
    running.recovers().await;
}

async fn drops_responses(setup: Setup) {
    let mut running = Running::start(setup).await;
    let responses = running.world.plane.responses().len();
    running.world.plane.drop_next_responses(2);
    // Two types of it get lost: the route never comes, or its cluster never does.
    running.world.publish(
        xds::routes(ROUTES, &[("b", 1)]),
        &[("a", &[&running.a]), ("b", &[&running.b])],
    );
    running
        .world
        .plane
        .wait_for("what was not dropped", |plane| {
            plane.responses().len() > responses
        })
        .await;
    running.load.progress(DURING).await;
    // A stream that begins anew is told everything.
    running.world.plane.disconnect_all().await;
    running.load.until_only(&["b"]).await;
    running.load.finish().await;
}

async fn reports_errors_of_resources(setup: Setup) {
    let mut running = Running::start(setup).await;
    let names = [(LDS, TARGET), (RDS, ROUTES), (CDS, "a"), (EDS, "a")];
    for (type_url, name) in names {
        for code in [Code::Unavailable, Code::NotFound, Code::PermissionDenied] {
            let text = format!("no {name} today: {code:?}");
            running
                .world
                .plane
                .resource_error(type_url, name, code, &text);
            within(&text, async {
                while !running.last_error(type_url, name).contains(&text) {
                    running.goes_on().await;
                }
            })
            .await;
            let error = running.last_error(type_url, name);
            assert!(error.contains(NODE), "{error}");
        }
    }
    running.goes_on().await;
    running.recovers().await;
}

async fn repeats_everything(setup: Setup) {
    let mut running = Running::start(setup).await;
    running.world.plane.duplicate_responses(true);
    running
        .world
        .publish(xds::routes(ROUTES, &[("a", 3)]), &[("a", &[&running.a])]);
    running.world.plane.wait_acked(RDS).await;
    running.goes_on().await;
    running.recovers().await;
}

on_each_wire_and_variant!(
    killed_and_restarted_on_the_same_port,
    disconnects,
    refuses_streams,
    sends_what_does_not_decode,
    sends_what_is_invalid,
    is_slow,
    drops_responses,
    reports_errors_of_resources,
    repeats_everything,
);
