//! Lists, sockets, and which source is asked for which target.

use std::sync::{Arc, Mutex};

use mesh_core::{
    config::{
        Address, ClusterConfig, Dialect, Discovery, EndpointsConfig, Protocol, SnapshotBuilder,
    },
    name::{ClusterName, Target},
    source::{ConfigSource, ConfigUpdate, ConfigWatch, FixedSource},
};
use mesh_tower::source::{DirectConfig, ListSource, Sources};

use crate::support::{Script, absent, addresses, all, cluster, here, next, ready, sockets};

#[test]
fn lists_and_sockets_are_their_own_endpoints() {
    let source = ListSource::new(DirectConfig::of(Dialect::Envoy));
    let of = |target: &str| ready(source.watch(&target.into()).latest());
    let snapshot = of("ipv4:10.0.0.1:80,10.0.0.2:81");
    assert_eq!(
        addresses(&snapshot),
        sockets(&["10.0.0.1:80", "10.0.0.2:81"])
    );
    let config = &cluster(&snapshot).config;
    assert_eq!(config.name.as_str(), "ipv4:10.0.0.1:80,10.0.0.2:81");
    assert!(matches!(config.protocol, Protocol::Http1(_)));
    assert_eq!(addresses(&of("ipv6:[::1]:80")), sockets(&["[::1]:80"]));
    let socket = vec![Address::Unix("/run/app.sock".into())];
    assert_eq!(addresses(&of("unix:///run/app.sock")), socket);

    let reason = absent(source.watch(&"dns:///a:1".into()).latest());
    assert!(reason.contains("lists no addresses"), "{reason}");
    let reason = absent(source.watch(&"ipv4:10.0.0.1".into()).latest());
    assert!(
        reason.contains("ipv4:10.0.0.1") && reason.contains("needs a list"),
        "{reason}"
    );
}

#[test]
fn the_protocol_may_differ_from_the_dialects() {
    let source = ListSource::new(DirectConfig::http2(Dialect::Envoy));
    let snapshot = ready(source.watch(&"unix:/a".into()).latest());
    assert!(matches!(
        cluster(&snapshot).config.protocol,
        Protocol::Http2(_)
    ));
}

/// A control plane that knows `greeter:8080`, and whose failures are noted.
#[derive(Clone, Debug, Default)]
struct Plane {
    source: FixedSource,
    asked: Arc<Mutex<Vec<Target>>>,
    failed: Arc<Mutex<Vec<ClusterName>>>,
}

impl ConfigSource for Plane {
    fn watch(&self, target: &Target) -> ConfigWatch {
        self.asked.lock().unwrap().push(target.clone());
        self.source.watch(target)
    }

    fn connection_failed(&self, cluster: &ClusterName) {
        self.failed.lock().unwrap().push(cluster.clone());
    }
}

#[tokio::test]
async fn the_scheme_decides_who_is_asked() {
    let plane = Plane::default();
    let endpoints = EndpointsConfig::of(sockets(&["10.9.9.9:80"]));
    let discovery = Discovery::Static(Arc::new(endpoints));
    let known = ClusterConfig::new("known", discovery, Dialect::Grpc);
    let snapshot = SnapshotBuilder::new("listener")
        .cluster(known)
        .build()
        .unwrap();
    for name in ["greeter:8080", "xds:///greeter:8080"] {
        plane.source.set(name, snapshot.clone());
    }
    let script = Script::new([Ok(all(&["10.0.0.1:80"]))]);
    let sources = Sources::new(DirectConfig::of(Dialect::Grpc), here())
        .resolver(script.clone())
        .xds(plane.clone());
    for name in ["greeter:8080", "xds:///greeter:8080"] {
        let snapshot = ready(sources.watch(&name.into()).latest());
        assert_eq!(addresses(&snapshot), sockets(&["10.9.9.9:80"]));
    }
    let mut named = sources.watch(&"dns:///shop.test:80".into());
    assert_eq!(
        addresses(&ready(next(&mut named).await)),
        sockets(&["10.0.0.1:80"])
    );
    ready(sources.watch(&"unix:/a".into()).latest());
    ready(sources.watch(&"ipv4:10.0.0.1:80".into()).latest());
    // Mistakes do not pass for names.
    for (target, says) in [
        ("dns:8080", "needs a port"),
        ("unix:", "names no path"),
        ("https://greeter", "unknown scheme"),
        ("xds:///", "names nothing"),
    ] {
        let reason = absent(sources.watch(&target.into()).latest());
        assert!(reason.contains(target) && reason.contains(says), "{reason}");
    }
    assert_eq!(plane.asked.lock().unwrap().len(), 2);
    sources.connection_failed(&"known".into());
    assert_eq!(*plane.failed.lock().unwrap(), [ClusterName::from("known")]);
}

#[tokio::test]
async fn without_a_bootstrap_names_of_xds_say_so() {
    let sources = Sources::new(DirectConfig::of(Dialect::Grpc), here());
    let reason = absent(sources.watch(&"xds:///greeter".into()).latest());
    assert!(
        reason.contains("greeter") && reason.contains("GRPC_XDS_BOOTSTRAP"),
        "{reason}"
    );
    let sources = sources.without_xds("the bootstrap is a teapot");
    let update = sources.watch(&"greeter".into()).latest();
    assert!(matches!(update, ConfigUpdate::Absent(text) if text.contains("is a teapot")));
}
