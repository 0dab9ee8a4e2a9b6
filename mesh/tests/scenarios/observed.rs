//! What observers learn of calls and of the control plane, through the facade.

use std::sync::{Arc, Mutex};

use mesh::{
    Variant,
    observe::{
        ControlPlane, ControlPlaneNumbers, Observer, RequestObserver, RequestSummary,
        ResourceNumbers, Watch,
    },
};
use mesh_core::{name::Target, runtime::ClusterState};
use mesh_testkit::{control::CDS, xds};

use crate::support::{Backend, Call, ROUTES, Setup, World, within};

/// Keeps what it is told.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    planes: Vec<Arc<dyn ControlPlane>>,
    requests: Vec<String>,
    published: usize,
}

impl Observer for Notes {
    fn watch(&self, target: &Target, cluster: &Arc<ClusterState>) -> Watch {
        let of = format!("{target} {}", cluster.name());
        Some(Arc::new(Entry(of, self.clone())))
    }

    fn control_plane(&self, client: Arc<dyn ControlPlane>) {
        self.0.lock().unwrap().planes.push(client);
    }

    fn publish(&self) {
        self.0.lock().unwrap().published += 1;
    }
}

#[derive(Debug)]
struct Entry(String, Notes);

impl RequestObserver for Entry {
    fn ended(&self, request: &RequestSummary<'_>) {
        let mut noted = self.1.0.lock().unwrap();
        let line = format!("{} {}", self.0, request.end.as_str());
        noted.requests.push(line);
    }
}

impl Notes {
    fn numbers(&self) -> Option<ControlPlaneNumbers> {
        let noted = self.0.lock().unwrap();
        noted.planes.last()?.numbers()
    }

    /// Waits until the numbers are such.
    async fn until(&self, what: &str, reached: impl Fn(&ControlPlaneNumbers) -> bool) {
        within(what, async {
            while !self.numbers().is_some_and(|numbers| reached(&numbers)) {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}

fn clusters(numbers: &ControlPlaneNumbers) -> &ResourceNumbers {
    let kind = "envoy.config.cluster.v3.Cluster";
    let mut resources = numbers.resources.iter();
    resources.find(|it| it.kind == kind).unwrap()
}

fn state(numbers: &ResourceNumbers, state: &str) -> u64 {
    let mut states = numbers.states.iter();
    states.find(|(name, _)| *name == state).unwrap().1
}

async fn the_control_plane_is_counted(setup: Setup) {
    let (notes, a) = (Notes::default(), Backend::start(setup, "a"));
    let world = World::with(setup, |builder| builder.observer(notes.clone())).await;
    let backends: &[(&str, &[&Backend])] = &[("a", &[&a])];
    world.publish(xds::routes(ROUTES, &[("a", 1)]), backends);
    world.client.ready().await;
    let numbers = notes.numbers().unwrap();
    assert_eq!((numbers.connected, numbers.failures), (true, 0));
    assert_eq!(*numbers.server, world.plane.socket().to_string());
    let kinds: Vec<_> = numbers.resources.iter().map(|it| it.kind).collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    for resources in &numbers.resources {
        let counts = (
            resources.valid > 0,
            resources.invalid,
            state(resources, "acked"),
        );
        assert_eq!(counts, (true, 0, 1), "{resources:?}");
    }

    // Refused, with the last good one in use.
    world.plane.bad_resource(CDS, "a", b"\xff");
    notes
        .until("the refusal", |it| clusters(it).invalid > 0)
        .await;
    let numbers = notes.numbers().unwrap();
    // State of the world does not say whose bytes they are that cannot be read.
    let named = u64::from(setup.variant == Variant::Delta);
    let states = ["nacked_but_cached", "acked"].map(|it| state(clusters(&numbers), it));
    assert_eq!(states, [named, 1 - named]);
    world.client.call(&Call::new()).await.unwrap();

    world.plane.stop().await;
    notes.until("the loss", |it| !it.connected).await;
    assert_eq!(notes.numbers().unwrap().failures, 1);
    world.plane.restart().await;
    notes.until("the return", |it| it.connected).await;
    assert_eq!(notes.numbers().unwrap().failures, 1);

    let noted = notes.0.lock().unwrap().requests.clone();
    assert_eq!(noted, ["xds:///shop a answered"]);
    assert!(notes.0.lock().unwrap().published > 0);
    drop(world);
    within("the client's end", async {
        while notes.numbers().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

on_each_wire_and_variant!(the_control_plane_is_counted);
