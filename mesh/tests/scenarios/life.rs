//! One stream for all, and nothing left behind.

use std::time::Duration;

use mesh::Mesh;
use mesh_testkit::{
    ControlPlane, CountingListener, assert_no_tasks_left, black_hole, control::StreamKind, xds,
};

use crate::support::{Backend, Call, Client, ROUTES, Setup, TARGET, World, bootstrap, client};

const OTHERS: usize = 30;

/// A hundred clients and their clones, and many targets.
async fn all_share_one_stream(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::serving(setup, &[&backend]).await;
    let others: Vec<String> = (0..OTHERS)
        .map(|number| format!("target-{number}"))
        .collect();
    let listeners: Vec<_> = others.iter().map(|it| xds::listener(it, ROUTES)).collect();
    world.plane.set(listeners);

    let mut clients: Vec<Client> = (0..100).map(|_| world.client_of(TARGET)).collect();
    clients.extend(others.iter().map(|it| world.client_of(it)));
    clients.extend(clients.clone());
    for client in &clients {
        assert_eq!(client.call(&Call::new()).await.unwrap().server, "a");
    }
    let plane = &world.plane;
    assert_eq!((plane.streams_total(), plane.connections()), (1, 1));
    // They share connections to the backend as well: calls came one after the other.
    assert_eq!(backend.connections(), 1);

    // Whoever is left goes on.
    let last = clients.pop().unwrap();
    drop((clients, world.client, world.mesh));
    assert_eq!(last.call(&Call::new()).await.unwrap().server, "a");
    assert_eq!(
        plane.streams(StreamKind::Sotw) + plane.streams(StreamKind::Delta),
        1
    );
    drop(last);
    plane
        .wait_for("the stream to end", |plane| plane.open_connections() == 0)
        .await;
    assert_eq!(
        plane.streams(StreamKind::Sotw) + plane.streams(StreamKind::Delta),
        0
    );
    backend.wait_disconnected().await;
}

async fn targets_that_go_are_unsubscribed(setup: Setup) {
    use mesh_testkit::control::LDS;

    let backend = Backend::start(setup, "a");
    let world = World::serving(setup, &[&backend]).await;
    for round in 0..20 {
        let name = format!("target-{round}");
        world.plane.set(xds::listener(&name, ROUTES));
        let client = world.client_of(&name);
        assert_eq!(client.call(&Call::new()).await.unwrap().server, "a");
        assert!(world.plane.subscribed(LDS).contains(&name));
        drop(client);
        world
            .plane
            .wait_for("the target to be let go", |plane| {
                !plane.subscribed(LDS).contains(&name)
            })
            .await;
    }
    assert_eq!(world.plane.streams_total(), 1);
}

on_each_wire_and_variant!(all_share_one_stream, targets_that_go_are_unsubscribed);

const ALL: [Setup; 6] = [
    Setup::GRPC,
    Setup::HTTP1,
    Setup::HTTP2,
    Setup::GRPC.delta(),
    Setup::HTTP1.delta(),
    Setup::HTTP2.delta(),
];

/// A call that ends by its deadline.
async fn give_up(client: &Client) {
    let call = Call::new().timeout(Duration::from_millis(20));
    client.call(&call).await.unwrap_err();
}

#[test]
fn nothing_is_left_after_calls() {
    for setup in ALL {
        assert_no_tasks_left(|| async {
            let backend = Backend::start(setup, "a");
            let world = World::serving(setup, &[&backend]).await;
            world.client.call(&Call::new()).await.unwrap();
        });
    }
}

/// The servers outlive the mesh, so that it cannot be their end that ends its connections.
#[test]
fn nothing_is_left_of_a_mesh_whose_servers_stay() {
    for setup in ALL {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (backend, plane) = runtime.block_on(async {
            let world = World::start(setup).await;
            (Backend::start(setup, "a"), world.plane)
        });
        assert_no_tasks_left(|| async {
            let mesh = Mesh::builder()
                .bootstrap(bootstrap(plane.socket()))
                .variant(setup.variant)
                .spawn()
                .unwrap();
            let client = client(&mesh, setup, TARGET);
            publish(&plane, setup, &backend);
            client.call(&Call::new()).await.unwrap();
        });
        runtime.block_on(backend.wait_disconnected());
    }
}

fn publish(plane: &ControlPlane, setup: Setup, backend: &Backend) {
    let cluster = match setup.wire {
        crate::support::Wire::Http1 => xds::cluster("a").http1(),
        _ => xds::cluster("a").http2(),
    };
    plane.set((
        xds::listener(TARGET, ROUTES),
        xds::routes(ROUTES, &[("a", 1)]),
        cluster,
        xds::endpoints("a", &[backend.socket()]),
    ));
}

#[test]
fn nothing_is_left_while_a_call_is_under_way() {
    for setup in ALL {
        assert_no_tasks_left(|| async {
            let backend = Backend::start(setup, "a");
            let world = World::serving(setup, &[&backend]).await;
            backend.hold();
            let client = world.client.clone();
            let call = tokio::spawn(async move { client.call(&Call::new()).await });
            backend.wait_in_flight(1).await;
            call.abort();
            assert!(call.await.unwrap_err().is_cancelled());
            // The server learns of it, over whatever it goes.
            backend.wait_in_flight(0).await;
        });
    }
}

#[test]
fn nothing_is_left_when_the_control_plane_dies_on_every_connection() {
    for setup in ALL {
        assert_no_tasks_left(|| async {
            let dying = CountingListener::start();
            let mesh = mesh_of(setup, dying.socket());
            let client = client(&mesh, setup, TARGET);
            dying.wait_for(1).await;
            give_up(&client).await;
        });
    }
}

#[test]
fn nothing_is_left_when_the_control_plane_never_answers() {
    for setup in ALL {
        assert_no_tasks_left(|| async {
            let silent = black_hole();
            let mesh = mesh_of(setup, silent.socket());
            give_up(&client(&mesh, setup, TARGET)).await;
        });
    }
}

#[test]
fn nothing_is_left_of_what_was_never_used() {
    for setup in ALL {
        assert_no_tasks_left(|| async {
            let silent = black_hole();
            let mesh = mesh_of(setup, silent.socket());
            let client = client(&mesh, setup, TARGET);
            drop((client, mesh));
        });
    }
}

#[test]
fn nothing_is_left_of_backends_that_never_answer() {
    for setup in ALL {
        assert_no_tasks_left(|| async {
            let world = World::start(setup).await;
            let silent = black_hole();
            world.plane.set((
                xds::listener(TARGET, ROUTES),
                xds::routes(ROUTES, &[("a", 1)]),
                world.cluster("a"),
                xds::endpoints("a", &[silent.socket()]),
            ));
            world.plane.wait_acked(mesh_testkit::control::EDS).await;
            give_up(&world.client).await;
        });
    }
}

fn mesh_of(setup: Setup, at: std::net::SocketAddr) -> Mesh {
    let mesh = Mesh::builder()
        .bootstrap(bootstrap(at))
        .variant(setup.variant);
    mesh.spawn().unwrap()
}
